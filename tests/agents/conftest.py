"""What the tests of agents share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_console.agents.factory import agents
from agent_console.testing import Bench
from tests.support.databases import SqliteFiles
from tests.support.models import Serve, serving


@pytest.fixture
def bench(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Bench]:
    """Return a console in miniature with the agents that come with it."""
    made = [make() for _, make in agents()]
    with sqlite_files.database(tmp_path) as url, Bench(*made, url=url) as ready:
        yield ready


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts a model server with the given answers."""
    with serving(tmp_path) as start:
        yield start
