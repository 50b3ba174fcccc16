"""Where Alembic gets its connection: the caller's, or one made from the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from agent_console.settings import load_settings
from agent_console.store import tables  # noqa: F401 - fills the metadata


def _ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
    # SQLite's full-text index is made of tables of its own, which no class describes.
    return kind != "table" or not (name or "").startswith("artifact_fts")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        # SQLite cannot alter most things in place: batch mode copies the table.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=_ours,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    engine = create_engine(load_settings().database, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            _run(connection)
    finally:
        engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations look at the database they change: run them online.")
_main()
