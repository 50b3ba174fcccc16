"""Conversations over a real socket: what is sent, in which order, and when it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from simple_websocket import Client, ConnectionClosed
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Receive, Scope, Send

from agent_console.api import conversation, sockets
from agent_console.domain.access import Role
from tests.api.conftest import ORIGIN, ROOT, Door
from tests.support.rest_server import free_port, served

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

SESSION = "/api/chat/session"
PATIENCE = 10.0  # seconds for a frame that has to come


class Socket:
    """A client of a conversation."""

    def __init__(self, wire: Client) -> None:
        self.wire = wire
        self._kept: list[dict[str, Any]] = []  # frames that nobody has asked for yet

    def send(self, **frame: Any) -> None:
        """Send a frame."""
        self.wire.send(json.dumps(frame))

    def frames(self) -> Iterator[dict[str, Any]]:
        """Yield what comes."""
        while True:
            text = self.wire.receive(timeout=PATIENCE)
            assert text is not None, "nothing came"
            yield json.loads(text)

    def got(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the next ``count`` frames of a kind; others are kept for who asks for them.

        What was said may be told to who said it before that is acknowledged.
        """
        coming = self.frames()
        while sum(frame["type"] == kind for frame in self._kept) < count:
            self._kept.append(next(coming))
        places = [n for n, frame in enumerate(self._kept) if frame["type"] == kind][:count]
        found = [self._kept[place] for place in places]
        self._kept = [frame for n, frame in enumerate(self._kept) if n not in places]
        return found

    def closed(self) -> int:
        """Wait for the end and return its code."""
        with pytest.raises(ConnectionClosed) as ended:
            for _ in self.frames():
                pass
        return int(ended.value.reason)


@dataclass
class House:
    """The REST application on a real server."""

    door: Door
    port: int

    @contextmanager
    def connected(self, client: TestClient, session: str, **headers: str) -> Iterator[Socket]:
        """Connect with the headers of ``client``."""
        known = {"authorization": client.headers.get("authorization", ""), **headers}
        sent = [(name, value) for name, value in known.items() if value]
        wire = Client(f"ws://127.0.0.1:{self.port}/api/chat/ws/{session}", headers=sent)
        try:
            socket = Socket(wire)
            text = wire.receive(timeout=1.0)
            if text is None:
                # What arrived together with the answer to the handshake lies in the client until
                # the next bytes come.
                socket.send(type="ping")
                text = wire.receive(timeout=PATIENCE)
                socket.got("pong")  # nobody may take it for the answer to a ping of their own
            welcome = json.loads(text)
            assert (welcome["type"], welcome["session"]["id"]) == ("welcome", session)
            yield socket
        finally:
            # Where the line was cut, the client may find that out between look and call.
            with suppress(OSError):
                if wire.connected:
                    wire.close()


@pytest.fixture
def house(door: Door) -> Iterator[House]:
    """Serve ``door``; its feed tells of commits, as in the console."""
    feed = door.services.feed

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if feed._loop is None:
            feed.bind()
        await door.app(scope, receive, send)

    door.db.watch(lambda _events: feed.publish())
    port = free_port()
    with served(app, port):
        yield House(door, port)


def opened(client: TestClient, **on: str) -> str:
    return str(client.post(SESSION, json=on).json()["session"]["id"])


def say(client: TestClient, session: str, content: str, **more: str) -> Any:
    return client.post(f"{SESSION}/{session}/messages", json={"content": content, **more})


def seqs(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["message"]["seq"] for frame in frames]


def test_two_people_hear_each_other_over_sockets(house: House) -> None:
    ada, bob = house.door.as_role(Role.OPERATOR, "ada"), house.door.as_role(Role.VIEWER, "bob")
    session = opened(ada)
    with house.connected(ada, session) as hers, house.connected(bob, session) as his:
        hers.send(type="resume", after=0)
        his.send(type="message", content="Hello Ada", clientId="b1")
        (ack,) = his.got("ack")
        assert ack == {"type": "ack", "clientId": "b1", "seq": 2, "replayed": False}
        heard_by_her: list[int] = []
        while heard_by_her[-1:] != [2]:  # what comes while she asks for it may come twice
            heard_by_her += seqs(hers.got("message", 1))
        assert sorted({*heard_by_her}) == [1, 2]
        hers.send(type="message", content="Hello Bob", clientId="a1")
        heard = his.got("message", 2)
        assert [one["message"]["content"] for one in heard] == ["Hello Ada", "Hello Bob"]
        assert heard[1]["message"]["authorName"] == "ada"
        his.send(type="read", seq=3)
        his.send(type="ping")
        his.got("pong")
        assert bob.get(f"{SESSION}/{session}").json()["session"]["unread"] == 0


def test_resume_sends_what_was_missed_in_order_and_a_retry_is_said_once(house: House) -> None:
    ada, bob = house.door.as_role(Role.OPERATOR, "ada"), house.door.as_role(Role.VIEWER, "bob")
    session = opened(ada)
    with house.connected(bob, session) as socket:
        socket.send(type="message", content="before", clientId="b1")
        assert socket.got("ack")[0]["seq"] == 2
    for number in range(30):
        say(ada, session, f"missed {number}")
    with house.connected(bob, session) as socket:
        socket.send(type="resume", after=2)
        assert seqs(socket.got("message", 30)) == list(range(3, 33))
        socket.send(type="message", content="before", clientId="b1")
        assert socket.got("ack")[0] == {
            "type": "ack", "clientId": "b1", "seq": 2, "replayed": True,
        }  # fmt: skip
        socket.send(type="resume", after=31)
        assert seqs(socket.got("message")) == [32]
        socket.send(type="resume", after=1_000_000)  # beyond the end: what comes
        socket.send(type="ping")
        socket.got("pong")
        say(ada, session, "new")
        assert seqs(socket.got("message")) == [33]


def test_more_than_one_batch_is_sent_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "BATCH", 3)
    ada, bob = house.door.as_role(Role.OPERATOR, "ada"), house.door.as_role(Role.VIEWER, "bob")
    session = opened(ada)
    opened_too = bob.post(f"{SESSION}/{session}/messages", json={"content": "hi"})
    assert opened_too.status_code == 201
    for number in range(10):
        say(ada, session, f"line {number}")
    with house.connected(bob, session) as socket:
        socket.send(type="resume", after=0)
        assert seqs(socket.got("message", 12)) == list(range(1, 13))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "malformed_json"),
        ('{"type": "dance"}', "invalid"),
        ('{"type": "message", "content": " "}', "invalid"),
        ('{"type": "message", "content": "x", "extra": 1}', "invalid"),
        ('{"type": "resume", "after": -1}', "invalid"),
        ('{"type": "resume", "after": "1"}', "invalid"),
        ('{"type": "message", "content": "\\u0000x"}', "invalid"),
        ("[]", "invalid"),
    ],
)
def test_a_frame_that_is_none_is_answered_and_the_socket_lives(
    house: House, frame: str, code: str
) -> None:
    ada = house.door.as_role(Role.OPERATOR, "ada")
    with house.connected(ada, opened(ada)) as socket:
        socket.wire.send(frame)
        (error,) = socket.got("error")
        assert error["code"] == code
        socket.send(type="ping")
        socket.got("pong")


def test_too_many_frames_are_refused_and_then_end_the_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "STRIKES", 3)
    ada = house.door.as_role(Role.OPERATOR, "ada")
    with house.connected(ada, opened(ada)) as socket:
        for _ in range(conversation.BURST + 20):
            socket.send(type="ping")
        assert socket.got("error")[0]["code"] == "rate_limited"
        assert socket.closed() == conversation.POLICY


def test_a_frame_that_is_too_large_ends_the_connection(house: House) -> None:
    ada = house.door.as_role(Role.OPERATOR, "ada")
    session = opened(ada)
    for send in ("text", "bytes"):
        with house.connected(ada, session) as socket:
            if send == "text":
                socket.wire.send("x" * (conversation.MAX_FRAME + 1))
            else:
                socket.wire.send(b"{}")
            assert socket.closed() == conversation.TOO_BIG


@pytest.mark.parametrize("speaks", [True, False])
def test_a_revoked_token_ends_the_connection(house: House, speaks: bool) -> None:
    email = house.door.account(Role.VIEWER, "bob")
    grant = house.door.services.access.create_token(ROOT, email, name="t", days=1)
    bob = house.door.client(Authorization=f"Bearer {grant.token}")
    session = opened(bob)
    with house.connected(bob, session) as socket:
        house.door.services.access.revoke_token(ROOT, grant.id)
        if speaks:
            socket.send(type="message", content="still here?")
        assert socket.closed() == conversation.UNAUTHENTICATED


def test_an_account_holds_so_many_sockets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MAX_OWN_SOCKETS", 1)
    ada, bob = house.door.as_role(Role.OPERATOR, "ada"), house.door.as_role(Role.VIEWER, "bob")
    session = opened(ada)
    address = f"/api/chat/ws/{session}"
    with house.connected(ada, session), house.connected(bob, session):
        with pytest.raises(WebSocketDenialResponse) as denied:
            ada.websocket_connect(address).__enter__()
        assert denied.value.status_code == 429
    with house.connected(ada, session) as again:
        again.send(type="ping")
        assert again.got("pong") == [{"type": "pong"}]


def test_a_signed_in_page_connects_with_its_cookie(house: House) -> None:
    browser = house.door.signed_in(Role.VIEWER)
    session = opened(house.door.as_role(Role.OPERATOR, "ada"))
    cookie = f"ac_session={browser.cookies['ac_session']}"
    with house.connected(house.door.client(), session, Cookie=cookie, Origin=ORIGIN) as socket:
        socket.send(type="message", content="/help")
        assert [one["message"]["role"] for one in socket.got("message", 2)] == ["user", "assistant"]


def test_a_lost_connection_gets_what_it_missed_and_says_once_what_it_repeats(house: House) -> None:
    """The line is cut without a word while others go on talking; nothing is lost or doubled."""
    ada, bob = house.door.as_role(Role.OPERATOR, "ada"), house.door.as_role(Role.VIEWER, "bob")
    session = opened(ada)
    seen: list[int] = []
    for turn in range(5):
        with house.connected(bob, session) as socket:
            socket.send(type="resume", after=seen[-1] if seen else 0)
            for again in (turn - 1, turn):
                if again >= 0:
                    socket.send(type="message", content=f"mine {again}", clientId=f"b{again}")
            said, wanted = 0, 1 if turn == 0 else 2
            for frame in socket.frames():
                wanted -= frame["type"] == "ack"
                said = frame["seq"] if frame["type"] == "ack" else said
                seen += seqs([frame]) if frame["type"] == "message" else []
                if not wanted and seen and seen[-1] >= said:
                    break
            socket.wire.sock.shutdown(2)  # no closing handshake: as if somebody pulled the plug
        for number in range(3):
            say(ada, session, f"others {turn} {number}")
    with house.connected(bob, session) as socket:
        socket.send(type="resume", after=seen[-1])
        seen += seqs(socket.got("message", 3))
    assert seen == list(range(1, 22))  # joined, 5 of mine, 15 of others
    kept = ada.get(f"{SESSION}/{session}/messages", params={"after": 0}).json()["messages"]
    mine = [one["content"] for one in kept if one["content"].startswith("mine")]
    assert mine == [f"mine {turn}" for turn in range(5)]
