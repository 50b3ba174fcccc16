"""One connection to a conversation: what it may ask, what it is sent, and when it ends.

There is no queue per connection. Each remembers the number of the last message it was sent, and
reads what follows from the database: in order, without gaps, at most a page at a time, as fast as
the other end takes it.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket

from agent_console.api import strict_json
from agent_console.api.context import context_of
from agent_console.api.guard import Declaration
from agent_console.api.problems import field_path
from agent_console.api.schemas.chat import (
    ChatMessageOut,
    ChatSessionDetailOut,
    Frame,
    MessageFrame,
    ReadFrame,
    ResumeFrame,
)
from agent_console.api.sockets import BUSY, admitted, first_to_end, hub_of
from agent_console.domain.access import Actor, Permission
from agent_console.domain.chat import HistoryQuery
from agent_console.domain.errors import ConsoleError, FieldError, Invalid, RateLimited

MAX_FRAME = 32_768  # characters
BATCH = 100  # messages read at once
COALESCE = 0.05  # seconds between two looks
CHECK = 30.0  # seconds after which the session is looked at although nothing happened
START = 1.0  # seconds in which a client may say from where it wants to resume
SLOW = 20.0  # seconds one frame may take to be sent
BURST, PACE = 20, 5.0  # frames at once, and per second
STRIKES = 200  # refused frames after which the connection is closed
TOO_BIG, POLICY = 1009, 1008
UNAUTHENTICATED = 4401
_CLOSE = {401: UNAUTHENTICATED, 403: 4403, 404: 4404}
_GUARD = Declaration(permission=Permission.CHAT_USE)


class _Ended(Exception):
    """The connection is to be closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Bucket:
    """Lets ``BURST`` frames through at once, and ``PACE`` more each second."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()
        self._strikes = 0

    def take(self) -> None:
        """Count one frame.

        Raises:
            RateLimited: it is one too many; a client that goes on is disconnected.
        """
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PACE)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return
        self._strikes += 1
        if self._strikes > STRIKES:
            raise _Ended(POLICY, "too many frames")
        raise RateLimited("Too many frames; slow down.", retryAfter=1)


async def talk(socket: WebSocket, actor: Actor) -> None:
    """Serve the conversation in the address until either side ends it.

    Raises:
        NotFound, Forbidden: before the connection is accepted.
    """
    session_id = str(socket.path_params["sessionId"])
    chat = context_of(socket).services.chat
    detail = await run_in_threadpool(chat.join, actor, session_id)
    await socket.accept()
    connection = _Connection(socket, session_id, detail.session.last_seq)
    try:
        await connection.send("welcome", session=ChatSessionDetailOut.of(detail))
        await first_to_end(connection.listen(), connection.deliver())
    except _Ended as ended:
        await _close(socket, ended.code, ended.reason)
    except ConsoleError as error:
        await _close(socket, _CLOSE.get(error.status, BUSY), error.message)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        await asyncio.wait_for(socket.close(code, reason[:100]), SLOW)
    except (RuntimeError, OSError, TimeoutError):  # it went away first
        return


class _Connection:
    """The state of one connection."""

    def __init__(self, socket: WebSocket, session_id: str, last_seq: int) -> None:
        self._socket = socket
        self._session_id = session_id
        self._services = context_of(socket).services
        self._hub = hub_of(socket)
        self._sent = last_seq  # the number of the last message this client was sent
        self._turn = asyncio.Lock()  # one at a time moves `_sent`
        self._started = asyncio.Event()
        self._bucket = _Bucket()

    async def listen(self) -> None:
        """Take frames until the other end closes."""
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            text = received.get("text")
            if text is None or len(text) > MAX_FRAME:
                raise _Ended(TOO_BIG, f"send JSON text of at most {MAX_FRAME:,} characters")
            # Who is there is read anew for each frame: a session may have ended meanwhile.
            actor = await admitted(self._socket, _GUARD)
            await self._answer(actor, text)

    async def deliver(self) -> None:
        """Send what is said, from where the client wants it, for as long as it may read it."""
        try:
            await asyncio.wait_for(self._started.wait(), START)
        except TimeoutError:
            self._started.set()
        feed = self._hub.feed
        seen = -1
        while True:
            seen = feed.version if seen < 0 else await feed.wait(seen, CHECK)
            actor = await admitted(self._socket, _GUARD)
            async with self._turn:
                await self._catch_up(actor)
            await asyncio.sleep(COALESCE)

    async def send(self, kind: str, **members: object) -> None:
        """Send a frame.

        Raises:
            _Ended: the other end does not take it.
        """
        plain = {name: _plain(value) for name, value in members.items()}
        text = json.dumps({"type": kind, **plain}, ensure_ascii=False, separators=(",", ":"))
        try:
            await asyncio.wait_for(self._socket.send_text(text), SLOW)
        except TimeoutError:
            raise _Ended(BUSY, "this end does not read fast enough") from None

    async def _answer(self, actor: Actor, text: str) -> None:
        client_id = None
        try:
            self._bucket.take()
            frame = _read(text)
            client_id = frame.client_id if isinstance(frame, MessageFrame) else None
            await self._do(actor, frame)
        except ConsoleError as error:
            if error.status in _CLOSE:
                raise
            await self.send("error", **_problem(error), clientId=client_id)

    async def _do(self, actor: Actor, frame: BaseModel) -> None:
        chat, session_id = self._services.chat, self._session_id
        match frame:
            case ResumeFrame():
                last = await run_in_threadpool(chat.last_seq, actor, session_id)
                async with self._turn:
                    self._sent = min(frame.after, last)
                    self._started.set()
                    await self._catch_up(actor)
            case MessageFrame():
                self._started.set()
                posted = await run_in_threadpool(
                    chat.post, actor, session_id, frame.content, client_id=frame.client_id
                )
                await self.send(
                    "ack",
                    clientId=frame.client_id,
                    seq=posted.message.seq,
                    replayed=posted.replayed,
                )
            case ReadFrame():
                await run_in_threadpool(chat.mark_read, actor, session_id, frame.seq)
            case _:
                await self.send("pong")

    async def _catch_up(self, actor: Actor) -> None:
        """Send everything after the last message sent; needs the turn."""
        chat, session_id = self._services.chat, self._session_id
        key = (session_id, tuple(sorted(actor.permissions)))
        last = partial(chat.last_seq, actor, session_id)
        if await self._hub.snapshots.get(key, last) <= self._sent:
            return
        while True:
            query = HistoryQuery(after=self._sent, limit=BATCH)
            page = await run_in_threadpool(chat.history, actor, session_id, query)
            for message in page.items:
                await self.send("message", message=ChatMessageOut.model_validate(message))
                self._sent = message.seq
            if page.next_cursor is None:
                return


def _read(text: str) -> BaseModel:
    """Return the frame in ``text``.

    Raises:
        Invalid, MalformedJson: it is none.
    """
    try:
        return Frame.model_validate(strict_json.parse(text.encode(errors="replace"))).root
    except ValidationError as error:
        fields = [FieldError(_where(e["loc"]), str(e["msg"])) for e in error.errors()[:10]]
        raise Invalid(fields=fields) from None


def _where(location: tuple[int | str, ...]) -> str:
    """Return the path of a field; the first part only repeats the frame's type."""
    return field_path(location[1:])


def _problem(error: ConsoleError) -> dict[str, object]:
    fields = error.fields if isinstance(error, Invalid) else ()
    known = {"code": error.code, "detail": error.message}
    listed = [{"field": one.field, "message": one.message} for one in fields]
    return {**known, "errors": listed, **_retry(error)}


def _retry(error: ConsoleError) -> dict[str, object]:
    wait = error.context.get("retryAfter")
    return {} if wait is None else {"retryAfter": wait}


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
