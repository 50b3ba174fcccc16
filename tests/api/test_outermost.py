from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from agent_console.api.client import SCOPE_KEY
from agent_console.api.middleware import here, wrap
from agent_console.api.request_id import request_id
from agent_console.settings import Settings


def _page(request: Request) -> PlainTextResponse:
    known = structlog.contextvars.get_contextvars().get("request_id")
    return PlainTextResponse(f"{request_id.get()} {known} {request.scope[SCOPE_KEY]}")


async def _upload(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _stream(_request: Request) -> StreamingResponse:
    async def parts() -> Any:
        for n in range(3):
            yield f"{n}\n"

    return StreamingResponse(parts(), media_type="text/event-stream")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


ROUTES = [
    Route("/page", _page),
    Route("/api/page", _page),
    Route("/apiary", _page),
    Route("/upload", _upload, methods=["POST"]),
    Route("/stream", _stream),
    WebSocketRoute("/socket", _socket),
]


@pytest.fixture
def pages() -> Callable[..., TestClient]:
    """An application that stands for the pages, inside the outermost layer."""

    def make(**settings: Any) -> TestClient:
        app = wrap(Starlette(routes=ROUTES), Settings(max_body=2048, **settings))
        return TestClient(app, client=("198.51.100.1", 1), raise_server_exceptions=False)

    return make


def test_every_answer_carries_the_security_headers(pages: Callable[..., TestClient]) -> None:
    for path in ("/page", "/nowhere"):
        headers = pages().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "ws://localhost:3000" in policy
        assert "*" not in policy
        assert "strict-transport-security" not in headers
    secure = pages(public_url="https://console.example.com").get("/page").headers
    assert secure["strict-transport-security"] == "max-age=31536000"
    assert "wss://console.example.com" in secure["content-security-policy"]
    assert "localhost" not in secure["content-security-policy"]


def test_only_answers_with_data_are_kept_out_of_caches(pages: Callable[..., TestClient]) -> None:
    assert pages().get("/api/page").headers["cache-control"] == "no-store"
    assert "cache-control" not in pages().get("/page").headers
    assert "cache-control" not in pages().get("/apiary").headers


def test_the_request_id_is_taken_over_or_made(pages: Callable[..., TestClient]) -> None:
    given = pages().get("/page", headers={"X-Request-ID": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    assert given.text.startswith("abc-1 abc-1 ")
    for strange in ("a b", "x" * 65, 'a"; drop', "\u00e9"):
        answer = pages().get("/page", headers=[(b"X-Request-ID", strange.encode())])
        assert answer.headers["x-request-id"].startswith("req_")
    assert request_id.get() == ""


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "1.1.1.1", "198.51.100.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "198.51.100.1"),
        (1, "", "198.51.100.1"),
    ],
)
def test_the_client_is_found_behind_trusted_proxies_only(
    pages: Callable[..., TestClient], hops: int, forwarded: str, seen: str
) -> None:
    client = pages(trusted_proxy_hops=hops)
    answer = client.get("/page", headers={"X-Forwarded-For": forwarded})
    assert answer.text.split()[-1] == seen


def test_bodies_beyond_the_limit_are_refused_for_pages_too(
    pages: Callable[..., TestClient],
) -> None:
    client = pages()
    assert client.post("/upload", content=b"x" * 2048).text == "2048"
    declared = client.post("/upload", content=b"x" * 2049)

    def chunks() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 1000

    for answer in (declared, client.post("/upload", content=chunks())):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["limit"] == 2048
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_is_get_without_the_body(pages: Callable[..., TestClient]) -> None:
    head = pages().head("/api/page")
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["content-length"]) > 0


def test_streams_pass_untouched(pages: Callable[..., TestClient]) -> None:
    with pages().stream("GET", "/stream") as answer:
        assert list(answer.iter_lines()) == ["0", "1", "2"]


def test_sockets_of_other_sites_are_refused(pages: Callable[..., TestClient]) -> None:
    client = pages()
    for headers in ({}, {"Origin": "http://localhost:3000"}, {"Origin": "http://127.0.0.1:3000"}):
        with client.websocket_connect("/socket", headers=headers) as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "hello"
    for origin in ("https://evil.example", "null", "http://localhost:3001", ""):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/socket", headers={"Origin": origin}),
        ):
            raise AssertionError("the handshake was accepted")


@pytest.mark.parametrize(
    ("location", "host", "told"),
    [
        ("http://evil.example/setup/?token=a", "evil.example", "/setup/?token=a"),
        ("http://localhost:3000/jobs/", "localhost:3000", "/jobs/"),
        (
            "http://localhost:3000//evil.example/../jobs/",
            "localhost:3000",
            "/evil.example/../jobs/",
        ),
        ("/login?error=origin", "localhost:3000", "/login?error=origin"),
        ("https://sso.example/start", "localhost:3000", "https://sso.example/start"),
    ],
)
def test_redirects_to_the_host_that_was_asked_are_paths(
    location: str, host: str, told: str
) -> None:
    assert here(location, host) == told


def test_the_host_header_does_not_say_where_to_go(pages: Callable[..., TestClient]) -> None:
    answer = pages().get("/page/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/page"
