"""Every schema there was, filled: up to now, back and up again, and no row has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from agent_console.store import migrate
from tests.support import rows

REVISIONS = [script.revision for script in ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions()][
    ::-1
]
COUNTED = {"jobs_now", "checkpoints_now"}


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a database of each kind that holds no table."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with request.getfixturevalue("postgres").empty() as url:
            yield url


def read(
    url: str, like: rows.Rows | None = None, columns: set[tuple[str, str]] | None = None
) -> rows.Rows:
    made = rows.engine(url)
    with made.connect() as connection:
        found = rows.held(connection, lambda t, c: columns is None or (t, c) in columns)
    made.dispose()
    # What is counted again on the way up, from the rows of jobs and checkpoints.
    if "tallies" in found:
        found["tallies"] = [row for row in found["tallies"] if not COUNTED.intersection(row)]
    return found if like is None else {name: found[name] for name in like}


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_schema_survive_up_down_up(empty_url: str, revision: str) -> None:
    with migrate.transaction(empty_url) as connection:
        migrate.run(command.upgrade, connection, revision)
    made = rows.engine(empty_url)
    with made.begin() as connection:
        rows.fill(connection)
        columns = {(t.name, c.name) for t in rows.reflected(connection) for c in t.columns}
    made.dispose()
    before = read(empty_url)
    assert {name: len(found) for name, found in before.items()} == dict.fromkeys(before, 3)

    assert migrate.upgrade(empty_url).after == migrate.head()
    assert read(empty_url, before, columns) == before
    if revision != migrate.head():
        assert migrate.downgrade(empty_url, revision).after == revision
        assert read(empty_url) == before
        migrate.upgrade(empty_url)
        assert read(empty_url, before, columns) == before


def test_rows_in_every_table_survive_a_step_back_and_forth(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    made = rows.engine(empty_url)
    with made.begin() as connection:
        rows.fill(connection)
    made.dispose()
    full = read(empty_url)
    migrate.downgrade(empty_url, "-1")
    made = rows.engine(empty_url)
    with made.connect() as connection:
        left = {(t.name, c.name) for t in rows.reflected(connection) for c in t.columns}
    made.dispose()
    kept = read(empty_url)
    migrate.upgrade(empty_url)
    assert read(empty_url, kept, left) == kept
    # What the older schema has no place for is gone, and nothing else.
    again = read(empty_url, full)
    assert {name for name in full if again[name] == []} == set(full) - set(kept)
