"""Journals for tests: filled, sealed, and tampered with as somebody who owns the database could."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from agent_console.domain.events import Event
from agent_console.gateways.keystore import EnvironmentKeystore, SecretInfo
from agent_console.services.seal_keys import SealKeys
from agent_console.services.sealing import Sealer
from agent_console.store.database import Database
from tests.support import rows


class MemoryKeys:
    """A keystore that forgets when the test ends."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.held.get(name)

    def versions(self, name: str) -> tuple[str, ...]:
        return (self.held[name],) if name in self.held else ()

    def put(self, name: str, value: str, *, keep_previous: bool = False) -> SecretInfo:
        assert keep_previous
        self.held[name] = value
        return SecretInfo(name=name, version=1, created_at=None, previous=False)  # type: ignore[arg-type]

    def delete(self, name: str) -> bool:
        return self.held.pop(name, None) is not None

    def names(self) -> list[SecretInfo]:
        return []


def keys_of(store: MemoryKeys | None = None) -> SealKeys:
    held = store or MemoryKeys()
    return SealKeys(held, lambda: held)


def without_store() -> SealKeys:
    """Return keys of an empty environment, of which nothing can be written."""
    from agent_console.gateways.keystore import open_store
    from agent_console.settings import Settings

    settings = Settings(keystore="environment")
    return SealKeys(EnvironmentKeystore({}), lambda: open_store(settings))


def write(db: Database, count: int, *, start: int = 0, job_id: str | None = None) -> None:
    """Journal ``count`` events in one transaction."""
    events = [
        Event(action="test.done", job_id=job_id, data={"n": n}) for n in range(start, start + count)
    ]
    db.write(lambda tx: tx.record(*events))


def seal(db: Database, keys: SealKeys, *, batch: int = 10_000) -> int:
    """Seal everything that is there, however young."""
    return Sealer(db, keys, batch=batch, patience=-1).seal()


def tamper(db: Database, *statements: str | tuple[str, dict[str, Any]]) -> None:
    """Do what only the owner of the database can: change rows behind the triggers' back."""
    made = rows.engine(str(db.url.render_as_string(hide_password=False)))
    sqlite = made.dialect.name == "sqlite"
    with made.begin() as connection:
        triggers: Sequence[Any] = []
        if sqlite:
            triggers = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for one in statements:
            sql, params = one if isinstance(one, tuple) else (one, {})
            connection.execute(text(sql), params)
        if sqlite:
            for _, sql in triggers:
                connection.exec_driver_sql(sql)
        else:
            connection.execute(text("SET session_replication_role = origin"))
    made.dispose()
