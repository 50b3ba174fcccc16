from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.domain.errors import RateLimited, Unavailable
from tests.api.conftest import Door, enqueue

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

JOBS = "/api/agent-jobs"
Case = Callable[[Door, TestClient], Any]


def _twice_canceled(_door: Door, admin: TestClient) -> Any:
    address = f"{JOBS}/{enqueue(admin)}"
    admin.patch(address, json={"action": "cancel"})
    return admin.patch(address, json={"action": "cancel"})


def _raw(body: bytes, content_type: str = "application/json") -> Case:
    headers = {"content-type": content_type}
    return lambda _door, admin: admin.post(JOBS, content=body, headers=headers)


def _failing(error: Exception) -> Case:
    def run(door: Door, admin: TestClient) -> Any:
        def fail(*_args: object, **_named: object) -> None:
            raise error

        door.services.jobs.page = fail  # type: ignore[method-assign]
        return admin.get(JOBS)

    return run


CASES: dict[str, tuple[Case, int, str]] = {
    "malformed": (_raw(b"{"), 400, "malformed_json"),
    "not utf-8": (_raw(b'{"jobType": "\xff"}'), 400, "malformed_json"),
    "anonymous": (lambda door, _: door.client().get(JOBS), 401, "unauthenticated"),
    "wrong token": (
        lambda door, _: door.client(Authorization="Bearer ac_x_y").get(JOBS),
        401,
        "unauthenticated",
    ),
    "wrong scheme": (
        lambda door, _: door.client(Authorization="Basic eA==").get(JOBS),
        401,
        "unauthenticated",
    ),
    "forbidden": (
        lambda door, _: door.as_role(Role.VIEWER).post(JOBS, json={"jobType": "noop"}),
        403,
        "forbidden",
    ),
    "cross origin": (
        lambda door, _: door.signed_in(Role.ADMIN).post(
            JOBS, json={"jobType": "noop"}, headers={"Origin": "https://evil.example"}
        ),
        403,
        "cross_origin",
    ),
    "unknown job": (lambda _, admin: admin.get(f"{JOBS}/job_x"), 404, "not_found"),
    "unknown address": (lambda _, admin: admin.get("/api/nope"), 404, "not_found"),
    "unknown address, any method": (lambda _, a: a.put("/api/no/pe"), 404, "not_found"),
    "trailing slash": (lambda _, admin: admin.get(f"{JOBS}/"), 404, "not_found"),
    "bare api": (lambda _, admin: admin.get("/api"), 404, "not_found"),
    "unknown auth": (lambda _, admin: admin.get("/auth/nope"), 404, "not_found"),
    "unknown probe": (lambda _, admin: admin.get("/health/nope"), 404, "not_found"),
    "wrong method": (lambda _, admin: admin.put(JOBS), 405, "method_not_allowed"),
    "wrong method, scrape": (lambda _, a: a.post("/metrics"), 405, "method_not_allowed"),
    "wrong method, probe": (lambda _, a: a.put("/health"), 405, "method_not_allowed"),
    "wrong method, form": (lambda _, a: a.get("/auth/login"), 405, "method_not_allowed"),
    "conflict": (_twice_canceled, 409, "conflict"),
    "too large": (_raw(b" " * 1_048_577), 413, "too_large"),
    "text/plain": (_raw(b'{"jobType": "noop"}', "text/plain"), 415, "unsupported_media_type"),
    "no type": (_raw(b'{"jobType": "noop"}', ""), 415, "unsupported_media_type"),
    "utf-16": (
        _raw(b'{"jobType": "noop"}', "application/json; charset=utf-16"),
        415,
        "unsupported_media_type",
    ),
    "no body": (lambda _, admin: admin.post(JOBS), 422, "invalid"),
    "bad field": (lambda _, admin: admin.post(JOBS, json={"jobType": 5}), 422, "invalid"),
    "bad query": (lambda _, admin: admin.get(JOBS, params={"limit": 0}), 422, "invalid"),
    "rate": (_failing(RateLimited("Wait.", retryAfter=2.2)), 429, "rate_limited"),
    "bug": (_failing(ZeroDivisionError("a secret of the house")), 500, "internal"),
    "database": (_failing(Unavailable()), 503, "unavailable"),
}


@pytest.mark.parametrize("name", CASES)
def test_every_error_has_the_same_shape(door: Door, admin: TestClient, name: str) -> None:
    case, status, code = CASES[name]
    answer = case(door, admin)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["type"] == f"urn:agent-console:problem:{code}"
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/")
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert isinstance(problem["errors"], list)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    if status == 422:
        assert {"field", "message"} == set(problem["errors"][0])
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST"}
    if status == 429:
        assert answer.headers["retry-after"] == "3"
    if status == 503:
        assert answer.headers["retry-after"] == "1"


def test_a_bug_is_logged_whole_and_answered_bare(
    door: Door, admin: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = _failing(ZeroDivisionError("a secret of the house"))(door, admin)
    assert answer.status_code == 500
    assert "a secret of the house" in caplog.text
