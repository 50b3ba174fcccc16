"""A TCP proxy in front of a PostgreSQL server that a test can cut, or let hang."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Literal, Self

Mode = Literal["pass", "cut", "hang"]
CHUNK = 65_536


class FaultProxy:
    """Listens on loopback and forwards to a Unix socket.

    ``cut`` ends every connection and each new one at once; ``hang`` keeps them, and lets nothing
    through any more; ``restore`` lets connections through again (those that hung are ended).
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._mode: Mode = "pass"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
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

    def restore(self) -> None:
        self._mode = "pass"
        self._end_all()
        self._flowing.set()

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
            server.connect(self._target)
            with self._lock:
                self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._flowing.wait()
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
