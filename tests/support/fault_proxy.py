"""A TCP proxy in front of a PostgreSQL server that a test can cut, let hang, or rob of answers."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

Mode = Literal["pass", "cut", "hang", "mute"]
CHUNK = 65_536
COMMIT = b"COMMIT\x00"


@dataclass(eq=False)
class _Link:
    """One connection: both ends, whether its transaction only reads, whether its answer is lost."""

    client: socket.socket
    server: socket.socket
    reading: bool = False
    losing: bool = False
    pumps: int = 2


class FaultProxy:
    """Listens on loopback and forwards to a Unix socket.

    ``cut`` ends every connection and each new one at once; ``hang`` keeps them, and lets nothing
    through any more; ``mute`` lets questions through and no answer back; ``restore`` lets
    connections through again (those that hung are ended). ``lose_answers`` lets commits through
    and cuts the connection instead of passing on that they succeeded.
    """

    def __init__(self, target: str, rng: random.Random | None = None) -> None:
        self._target = target
        self._rng = rng or random.Random(0)
        self._mode: Mode = "pass"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._share, self._to_lose = 0.0, 0
        self.lost = 0  # answers to commits, so far
        self.all_lost = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.close()
        self._flowing.set()
        self._end_all()

    def cut(self) -> None:
        self._mode = "cut"
        self._end_all()

    def hang(self) -> None:
        self._mode = "hang"
        self._flowing.clear()

    def mute(self) -> None:
        self._mode = "mute"

    def restore(self) -> None:
        self._mode = "pass"
        self._end_all()
        self._flowing.set()

    def lose_answers(self, count: int, share: float) -> None:
        """Lose the answers to the next ``count`` commits of writers, a ``share`` of all."""
        with self._lock:
            self._to_lose, self._share = count, share
            self.all_lost.clear()

    def _end_all(self) -> None:
        with self._lock:
            ending, self._open = self._open, set()
        for one in ending:
            with suppress(OSError):  # the other side may have gone first
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self._mode == "cut":
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:  # the server itself is down
                client.close()
                server.close()
                continue
            link = _Link(client, server)
            with self._lock:
                self._open |= {client, server}
            for pump in (self._ask, self._answer):
                threading.Thread(target=self._until_closed, args=(pump, link), daemon=True).start()

    def _until_closed(self, pump: Callable[[_Link], None], link: _Link) -> None:
        with suppress(OSError):
            pump(link)
        for one in (link.client, link.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            link.pumps -= 1
            if link.pumps == 0:  # nobody reads from either any more
                self._open -= {link.client, link.server}
                link.client.close()
                link.server.close()

    def _ask(self, link: _Link) -> None:
        while data := link.client.recv(CHUNK):
            self._flowing.wait()
            if b"BEGIN" in data[:16]:
                link.reading = b"READ ONLY" in data
            if data.endswith(COMMIT) and not link.reading:
                link.losing = self._is_to_lose()
            link.server.sendall(data)

    def _answer(self, link: _Link) -> None:
        while data := link.server.recv(CHUNK):
            self._flowing.wait()
            if link.losing:
                self._count()
                return
            if self._mode != "mute":
                link.client.sendall(data)

    def _is_to_lose(self) -> bool:
        with self._lock:
            chosen = self._to_lose > 0 and self._rng.random() < self._share
            self._to_lose -= chosen
        return chosen

    def _count(self) -> None:
        with self._lock:
            self.lost += 1
            if not self._to_lose:
                self.all_lost.set()


@contextmanager
def proxied(url: str) -> Iterator[tuple[FaultProxy, str]]:
    """Yield a proxy before the database of ``url``, and the URL that leads through it."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query)["host"][0]
    with FaultProxy(f"{folder}/.s.PGSQL.5432") as made:
        user = parts.username or "postgres"
        yield made, f"postgresql://{user}@127.0.0.1:{made.port}{parts.path}"
