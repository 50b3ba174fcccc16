"""Conversations over REST, and who is let into their sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from agent_console.api import sockets
from agent_console.domain.access import Permission, Role
from tests.api.conftest import Door, enqueue

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

SESSION = "/api/chat/session"


def opened(client: TestClient, **on: str) -> str:
    return str(client.post(SESSION, json=on).json()["session"]["id"])


def say(client: TestClient, session: str, content: str, **more: str) -> Any:
    return client.post(f"{SESSION}/{session}/messages", json={"content": content, **more})


def refused(client: TestClient, session: str, **headers: str) -> tuple[int, str]:
    """Try to connect; return status and code of the problem."""
    with pytest.raises(WebSocketDenialResponse) as denied:
        client.websocket_connect(f"/api/chat/ws/{session}", headers=headers).__enter__()
    return denied.value.status_code, denied.value.json()["code"]


def test_a_conversation_is_opened_listed_and_read(door: Door) -> None:
    ada = door.as_role(Role.OPERATOR, "ada")
    bob = door.as_role(Role.VIEWER, "bob")
    job_id = enqueue(ada, taskDescription="Nightly export")
    first = ada.post(SESSION, json={"jobId": job_id})
    assert first.status_code == 201
    session = first.json()["session"]
    assert first.headers["location"] == f"{SESSION}/{session['id']}"
    assert (session["title"], session["jobId"]) == ("Nightly export", job_id)
    second = bob.post("/api/v1/chat/session", json={"jobId": job_id})
    assert second.status_code == 200
    assert [one["name"] for one in second.json()["session"]["participants"]] == ["ada", "bob"]
    posted = say(ada, session["id"], "Is it done?", clientId="c1")
    assert posted.status_code == 201
    assert posted.json()["message"]["seq"] == 2
    again = say(ada, session["id"], "Is it done?", clientId="c1")
    assert (again.json()["message"]["seq"], again.headers["idempotent-replayed"]) == (2, "true")
    assert say(ada, session["id"], "Other words", clientId="c1").status_code == 409
    messages = bob.get(f"{SESSION}/{session['id']}/messages").json()["messages"]
    assert [(one["seq"], one["role"], one["content"]) for one in messages] == [
        (1, "system", "bob joined."),
        (2, "user", "Is it done?"),
    ]
    (listed,) = bob.get(SESSION, params={"jobId": job_id}).json()["sessions"]
    assert (listed["unread"], listed["preview"]) == (2, "Is it done?")
    assert bob.post(f"{SESSION}/{session['id']}/read", json={"seq": 2}).status_code == 200
    assert bob.get(f"{SESSION}/{session['id']}").json()["session"]["unread"] == 0


def test_history_pages_by_cursor(door: Door) -> None:
    ada = door.as_role(Role.OPERATOR, "ada")
    session = opened(ada)
    for number in range(3):
        say(ada, session, f"/why {number}")
    url = f"{SESSION}/{session}/messages"
    last = ada.get(url, params={"limit": 4}).json()
    assert [one["seq"] for one in last["messages"]] == [3, 4, 5, 6]
    cursor = last["pagination"]["nextCursor"]
    before = ada.get(url, params={"limit": 4, "cursor": cursor}).json()
    assert [one["seq"] for one in before["messages"]] == [1, 2]
    assert before["pagination"]["hasMore"] is False
    after = ada.get(url, params={"after": 4}).json()["messages"]
    assert [one["seq"] for one in after] == [5, 6]
    assert ada.get(url, params={"cursor": "x"}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [{"jobId": "job_x", "checkpointId": "chk_x"}, {"jobId": 7}, {"title": "x" * 999}, {"x": 1}],
)
def test_what_cannot_be_opened_is_refused(door: Door, body: dict[str, Any]) -> None:
    assert door.as_role(Role.VIEWER).post(SESSION, json=body).status_code == 422


def test_commands_are_answered(door: Door) -> None:
    ada = door.as_role(Role.OPERATOR, "ada")
    session = opened(ada)
    say(ada, session, "/status")
    messages = ada.get(f"{SESSION}/{session}/messages").json()["messages"]
    assert [(one["role"], one["replyTo"]) for one in messages] == [("user", None), ("assistant", 1)]
    assert "Checkpoints: 0 pending" in messages[1]["content"]


def test_who_may_connect(door: Door) -> None:
    ada = door.as_role(Role.OPERATOR, "ada")
    session = opened(ada, jobId=enqueue(ada))
    assert refused(door.client(), session) == (401, "unauthenticated")
    wrong = {"Authorization": "Bearer ac_a_b"}
    assert refused(door.client(), session, **wrong) == (401, "unauthenticated")
    for scopes in (["jobs:read"], ["chat:use"]):
        token = door.token(Role.ADMIN, scopes=scopes)
        narrow = door.client(Authorization=f"Bearer {token}")
        assert refused(narrow, session) == (403, "forbidden")
    assert refused(ada, "cht_x") == (404, "not_found")


def test_a_cookie_needs_the_console_s_own_origin(door: Door) -> None:
    browser = door.signed_in(Role.VIEWER)
    session = opened(door.as_role(Role.OPERATOR, "ada"))
    cookie = {"Cookie": f"ac_session={browser.cookies['ac_session']}"}
    assert refused(door.client(), session, **cookie) == (403, "cross_origin")
    with pytest.raises(WebSocketDisconnect) as ended:  # the outermost layer, before any of this
        door.client().websocket_connect(
            f"/api/chat/ws/{session}", headers=cookie | {"Origin": "https://evil.example"}
        ).__enter__()
    assert ended.value.code == 1008


def test_the_socket_declares_its_permission(make_door: Callable[..., Door]) -> None:
    (found,) = [one for one in make_door().api.routes if isinstance(one, sockets.GuardedSocket)]
    assert found.declaration.permission is Permission.CHAT_USE
