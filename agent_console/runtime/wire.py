"""What a worker and the process of an isolated run say to each other: JSON, framed by its length.

Nothing that comes from such a process is executed or unpickled: its memory may be in ruins.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.errors import ConsoleError
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobError, JobVerb
from agent_console.domain.records import LogLevel
from agent_console.store.engine_values import Claimed, Finish, NewLog, RunKey

LARGEST = 256 * 2**20  # bytes of one message
_LENGTH = struct.Struct("!I")

Message = dict[str, Any]


class Garbled(ConsoleError):
    """The process of an isolated run said something that is no message."""

    code = "garbled"


class Channel:
    """One end of the connection; may be written to from any thread, is read from one.

    ``shield`` surrounds every write: half a message would make all that follows unreadable.
    """

    def __init__(
        self, end: socket.socket, shield: AbstractContextManager[object] | None = None
    ) -> None:
        """Speak through ``end``, which stays the caller's to close."""
        self.socket = end
        self._shield = nullcontext() if shield is None else shield
        self._lock = threading.Lock()
        self._buffer = bytearray()

    def send(self, kind: str, **facts: Any) -> None:
        """Send one message.

        Raises:
            OSError: nobody is there any more.
        """
        body = json.dumps({"kind": kind, **facts}).encode()
        with self._shield, self._lock:
            self.socket.sendall(_LENGTH.pack(len(body)) + body)

    def arrived(self) -> Iterator[Message]:
        """Yield the messages that are here, without waiting for more.

        Raises:
            Garbled: something else is here.
        """
        while True:
            try:
                part = self.socket.recv(65_536, socket.MSG_DONTWAIT)
            except (BlockingIOError, ConnectionResetError):
                part = b""
            self._buffer += part
            yield from self._complete()
            if not part:
                return

    def wait(self) -> Message | None:
        """Return the next message, or None when the other side has gone."""
        while True:
            for message in self._complete():
                return message
            part = self.socket.recv(65_536)
            if not part:
                return None
            self._buffer += part

    def _complete(self) -> Iterator[Message]:
        while len(self._buffer) >= _LENGTH.size:
            size = _LENGTH.unpack_from(self._buffer)[0]
            if size > LARGEST:
                raise Garbled
            if len(self._buffer) < _LENGTH.size + size:
                return
            body = bytes(self._buffer[_LENGTH.size : _LENGTH.size + size])
            del self._buffer[: _LENGTH.size + size]
            try:
                message = json.loads(body)
            except ValueError:
                raise Garbled from None
            if not isinstance(message, dict):
                raise Garbled
            yield message


def claimed_out(claimed: Claimed) -> Message:
    """Return ``claimed`` as JSON; what is stored of its job the other side reads for itself."""
    return {**claimed._asdict(), "stored": None}


def claimed_in(data: Message) -> Claimed:
    """Return what ``claimed_out`` was given."""
    return Claimed(**{**data, "key": RunKey(*data["key"])})


def line_out(line: NewLog) -> Message:
    """Return a log line as JSON."""
    return {**asdict(line), "at": to_micros(line.at)}


def line_in(data: Message) -> NewLog:
    """Return what ``line_out`` was given."""
    return NewLog(
        **{
            **data,
            "key": RunKey(*data["key"]),
            "level": LogLevel(data["level"]),
            "at": from_micros(data["at"]),
        }
    )


def finish_out(end: Finish) -> Message:
    """Return ``end`` as JSON."""
    return {
        **end._asdict(),
        "error": None if end.error is None else asdict(end.error),
        "park_detail": None if end.park_detail is None else dict(end.park_detail),
        "data": dict(end.data),
        "logs": [line_out(line) for line in end.logs],
    }


def finish_in(data: Message) -> Finish:
    """Return what ``finish_out`` was given."""
    error = data["error"]
    return Finish(
        **{
            **data,
            "key": RunKey(*data["key"]),
            "verb": JobVerb(data["verb"]),
            "error": None if error is None else JobError(**error),
            "logs": [line_in(line) for line in data["logs"]],
        }
    )


def event_out(event: Event) -> Message:
    """Return ``event`` as JSON."""
    actor = {**asdict(event.actor), "permissions": sorted(event.actor.permissions)}
    return {**event._asdict(), "actor": actor, "data": dict(event.data)}


def event_in(data: Message) -> Event:
    """Return what ``event_out`` was given."""
    said = data["actor"]
    actor = Actor(
        **{
            **said,
            "role": None if said["role"] is None else Role(said["role"]),
            "permissions": frozenset(Permission(one) for one in said["permissions"]),
        }
    )
    return Event(**{**data, "actor": actor})
