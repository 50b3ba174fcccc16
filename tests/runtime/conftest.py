"""What the runtime's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.runtime.desk import Desk
from tests.runtime.hosts import Changes


@pytest.fixture
def desk(clocked_db: Database, fake_clock: FakeClock, tmp_path: Path) -> Desk:
    """Return an engine on a clock that stands still: enqueue, run, decide, look."""
    return Desk(clocked_db, fake_clock, tmp_path / "workspace")


@pytest.fixture
def changes(db: Database) -> Changes:
    """Return what wakes a test whenever anything is committed."""
    return Changes(db)
