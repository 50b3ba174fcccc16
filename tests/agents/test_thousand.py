"""A thousand sessions of the console's own agent wait for review; they cost rows and no more."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_console.agents.factory import agents
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.queries import SessionQuery
from agent_console.domain.sessions import NewSession, SessionStatus
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from tests.runtime.hosts import Changes, hosted
from tests.support.databases import SqliteFiles
from tests.support.factories import ADA, RAY, employ

WARM, BATCH, SESSIONS = 100, 50, 1_000
PROJECT = "rollout"
GROWTH = 40_000_000  # bytes for all: the database's page caches fill; sessions hold nothing
NEW = NewSession(
    agent_type="research",
    task_description="When does wave 2 start?",
    task_configuration={"maxFindings": 1},
    approval_strategy="final_only",
    auto_execute=True,
)


@dataclass
class Waiting:
    """Makes sessions and counts those that wait."""

    services: Services
    changes: Changes
    count: int = 0

    def more(self, until: int) -> None:
        """Start sessions, some at a time, until so many wait."""
        while self.count < until:
            for _ in range(BATCH):
                self.services.sessions.create(ADA, PROJECT, NEW)
            self.count += BATCH
            assert self.changes.until(lambda: self.total() == self.count)

    def total(self, status: str = "pending_review") -> int:
        found = self.services.sessions.page(ADA, PROJECT, SessionQuery(status=status, limit=1))
        assert found.total is not None
        return found.total


def alive() -> int:
    """Return how many objects Python keeps."""
    gc.collect()
    return len(gc.get_objects())


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_thousand_sessions_in_review_cost_no_thread_and_little_memory(
    sqlite_files: SqliteFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is logged while a test runs is kept by the test runner.
    monkeypatch.setattr(logging.getLogger("bm25s"), "disabled", True)
    made = [make() for _, make in agents()]
    with sqlite_files.database(tmp_path) as url:
        db = Database(url)
        employ(db, RAY)  # a decision stands only as long as its account may decide
        services = build_services(db, Registry(made), Settings(data_dir=tmp_path), ChangeFeed())
        with hosted(db, tmp_path, *made):
            waiting = Waiting(services, Changes(db))
            waiting.more(WARM)
            threads, objects, memory = threading.active_count(), alive(), resident()
            waiting.more(SESSIONS)
            assert threading.active_count() <= threads
            assert alive() - objects < SESSIONS - WARM  # not one object for each
            assert resident() - memory < GROWTH
            newest = services.sessions.page(ADA, PROJECT, SessionQuery(limit=1)).items[0]
            (asked,) = services.sessions.get(ADA, PROJECT, newest.id).checkpoints
            verdict = Verdict(verb=CheckpointVerb.APPROVE, payload_digest=asked.payload_digest)
            services.sessions.decide(RAY, PROJECT, newest.id, asked.id, verdict)
            done = SessionStatus.COMPLETED
            assert waiting.changes.until(lambda: waiting.total(done) == 1)
            assert waiting.total() == SESSIONS - 1
        db.close()
