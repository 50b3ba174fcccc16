"""What the tests of handlers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_console.handlers.code_generation import code_generation
from agent_console.handlers.data_processing import data_processing
from agent_console.handlers.question import question
from agent_console.handlers.simple_task import simple_task
from agent_console.testing import Bench
from tests.support.databases import SqliteFiles


@pytest.fixture
def bench(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Bench]:
    """Return a console in miniature with the built-in handlers."""
    with (
        sqlite_files.database(tmp_path) as url,
        Bench(code_generation, data_processing, question, simple_task, url=url) as ready,
    ):
        yield ready
