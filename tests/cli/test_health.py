"""``agent-console health`` tells a well console from one that is not, over real sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent_console.bootstrap import build
from agent_console.cli.health import address
from agent_console.settings import Settings, load_settings
from agent_console.store.database import Database, StoreOptions
from tests.cli.conftest import Terminal

WELL = {
    "status": "ok",
    "components": {"database": {"status": "ok", "detail": "sqlite answers"}},
}


@contextmanager
def server(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Serve ``answers`` by path on a free port; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_address[1]}"
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join()


def answers(ready: int, report: dict[str, object]) -> dict[str, tuple[int, str]]:
    return {
        "/health/ready": (ready, json.dumps({"status": "ready"})),
        "/health": (200, json.dumps(report)),
    }


def test_a_well_console_is_exit_code_zero(terminal: Terminal) -> None:
    with server(answers(200, WELL)) as url:
        assert terminal.done("health", "--url", url) == "ok; database: ok (sqlite answers)\n"
        assert terminal.json("health", "--strict", "--url", url)["status"] == "ok"


def test_a_degraded_console_serves_and_fails_only_the_strict(terminal: Terminal) -> None:
    with server(answers(200, {**WELL, "status": "degraded"})) as url:
        assert terminal.done("health", "--url", url).startswith("degraded")
        assert terminal("health", "--strict", "--url", url).exit_code == 1


def test_a_console_without_its_database_is_not_healthy(terminal: Terminal) -> None:
    with server(answers(503, WELL)) as url:
        result = terminal("health", "--url", url)
    assert result.exit_code == 1
    assert "the database does not answer" in result.stdout


def test_nobody_a_stranger_a_redirect_and_a_strange_address_are_told_apart(
    terminal: Terminal,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    gone = terminal("health", "--url", f"http://127.0.0.1:{free}")
    assert gone.exit_code == 1
    assert "Connection refused" in gone.stdout
    for status, text in ((200, "<html>"), (200, "[1]"), (302, "")):
        with server({"/health/ready": (status, text)}) as url:
            stranger = terminal("health", "--url", url)
            assert stranger.exit_code == 1, text
            assert "is no console" in stranger.stdout
    assert terminal("health", "--url", "ftp://example.com").exit_code == 1


def test_who_accepts_and_never_answers_is_given_up(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = terminal("health", "--url", url, "--timeout", "0.2")
    assert result.exit_code == 1
    assert "timed out" in result.stdout


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),
        ("::", "http://[::1]:3000"),
        ("db.example.com", "http://db.example.com:3000"),
    ],
)
def test_the_console_is_asked_where_it_listens(host: str, expected: str) -> None:
    assert address(Settings(host=host)) == expected


def silent_since(url: str, seconds: int) -> None:
    db = Database(url, StoreOptions())
    change = "UPDATE agent_workers SET heartbeat_at = heartbeat_at - :micros"
    db.write(lambda tx: tx.execute(change, {"micros": seconds * 1_000_000}))
    db.close()


def test_a_worker_of_this_machine_is_found_by_its_heartbeat(on_each_database: Terminal) -> None:
    assert on_each_database("health", "--worker").exit_code == 1
    console = build(load_settings())
    console.start_worker()
    try:
        assert "1 alive" in on_each_database.done("health", "--worker")
    finally:
        console.stop()
    silent_since(load_settings().database, seconds=60)
    result = on_each_database("health", "--worker")
    assert result.exit_code == 1
    assert "no worker of this machine is alive" in result.stdout


def test_asking_for_a_worker_makes_no_database(terminal: Terminal, tmp_path: Path) -> None:
    result = terminal("health", "--worker")
    assert result.exit_code == 1
    assert "does not exist" in result.stdout
    assert not (tmp_path / "data").exists()
