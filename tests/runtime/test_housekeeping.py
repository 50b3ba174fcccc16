"""A process that runs seals the journal and deletes what is due, without being told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_console.domain.jobs import JobStatus
from agent_console.domain.verification import Verdict
from agent_console.services.seal_keys import seal_keys
from agent_console.services.verification import Verifier
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.runtime.hosts import Changes, hosted
from tests.support.factories import enqueue_many
from tests.support.finished import counted, make
from tests.support.sums import differences_in


def test_sweeps_seal_the_journal_and_delete_old_jobs(clocked_db: Database, tmp_path: Path) -> None:
    clock = clocked_db._clock
    assert isinstance(clock, FakeClock)
    make(clocked_db, clock, [(JobStatus.COMPLETED, 91, 1), (JobStatus.COMPLETED, 89, 1)])
    clock.advance(60)  # the rows are no longer young
    changes = Changes(clocked_db)
    with hosted(clocked_db, tmp_path, desired=False):
        assert changes.until(lambda: counted(clocked_db, "ai_jobs") == 1)
        assert changes.until(lambda: counted(clocked_db, "audit_seals") > 0)
    found = Verifier(clocked_db, seal_keys(Settings(data_dir=tmp_path))).verify()
    assert found.verdict is Verdict.INTACT
    assert found.rows >= 2


@pytest.mark.rows_by_hand
def test_sums_that_differ_from_the_rows_are_mended_and_said(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue_many(db, 3, "unknown")
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET status = 'PAUSED'"))

    def said() -> list[str]:
        told = [one.getMessage() for one in caplog.records]
        return [one.rpartition("mended: ")[2] for one in told if "mended: " in one]

    changes = Changes(db)
    with hosted(db, tmp_path, desired=False):
        assert changes.until(lambda: bool(said()))
    with db.read() as reader:
        assert differences_in(reader) == []
    assert said() == ["jobs_now PAUSED +3, jobs_now PENDING -3"]
