"""Fixtures for every test: both databases, a clock that stands still, a clean environment."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agent_console.store.database import Database
    from agent_console.testing import FakeClock
    from tests.support.databases import PostgresServer, SqliteFiles

PREFIX = "AGENT_CONSOLE_"
CONVENTIONAL = ("DATABASE_URL", "PORT", "HOST", "PUBLIC_URL", "REDIS_URL", "SENTRY_DSN")
# Sizes of the campaigns (``make chaos``, ``make bench``); no setting of the product.
SIZES = (
    "CAMPAIGN DECISIONS DECIDERS KILLS LOST_ANSWERS OUTAGE POINTS RESTARTS SEED SEQUENCES"
    " SIGTERMS TAMPERED ZOMBIES"
)
CAMPAIGN = frozenset(PREFIX + name for name in SIZES.split())

# Before anything of the product is imported: a developer's own settings must not leak in. The
# fixtures import what they need: a test of the domain alone should not pay for an engine.
for _name in [n for n in os.environ if n.startswith(PREFIX) or n in CONVENTIONAL]:
    if _name not in CAMPAIGN:
        del os.environ[_name]

# Each test makes databases of a thousand files; memory makes them ten times faster than a disk.
# Nothing that is tested outlives the machine. A TMPDIR of one's own is left alone.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 << 30  # bytes
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_configure(config: pytest.Config) -> None:
    """Turn every warning into an error, wherever pytest is started from."""
    config.addinivalue_line("filterwarnings", "error")


def pytest_collection_finish() -> None:
    """Spare the garbage collector the half million objects of modules and tests, which stay."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _workspace_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep whatever a test writes by default out of the checkout."""
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _secrets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a test conceals, made up words among it, be no secret in the next test."""
    from agent_console.domain import redaction

    monkeypatch.setattr(redaction, "_known", dict(redaction._known))
    monkeypatch.setattr(redaction, "_longest_first", redaction._longest_first)


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Hand out migrated SQLite files."""
    from tests.support.databases import SqliteFiles

    return SqliteFiles(tmp_path_factory.mktemp("sqlite-template"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run a real PostgreSQL server, started when the first test needs it."""
    from tests.support.databases import PostgresServer

    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(tmp_path_factory.getbasetemp()))
    server = PostgresServer(run_id)
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Run the test once per kind of database."""
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a fresh, migrated database of each kind in turn."""
    with ExitStack() as stack:
        if dialect == "sqlite":
            files: SqliteFiles = request.getfixturevalue("sqlite_files")
            yield stack.enter_context(files.database(tmp_path))
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            yield stack.enter_context(server.database())


@pytest.fixture
def fake_clock() -> FakeClock:
    """Return a clock that moves only when told to."""
    from agent_console.testing import FakeClock

    return FakeClock()


@pytest.fixture
def db(database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Return an open, migrated database on its own clock."""
    from agent_console.store.database import Database, StoreOptions

    database = Database(database_url, StoreOptions())
    yield database
    _count(database, request)
    database.close()


@pytest.fixture
def clocked_db(
    database_url: str, fake_clock: FakeClock, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """Return an open, migrated database whose clock is ``fake_clock``."""
    from agent_console.store.database import Database, StoreOptions

    database = Database(database_url, StoreOptions(), clock=fake_clock)
    yield database
    _count(database, request)
    database.close()


def _count(database: Database, request: pytest.FixtureRequest) -> None:
    """Whatever a test has done: the sums are the rows, unless it wrote rows by hand."""
    from tests.support.sums import differences

    if request.node.get_closest_marker("rows_by_hand") is None:
        assert not differences(database)
