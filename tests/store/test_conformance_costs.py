"""What the hot path costs, in statements: figures that no load of the machine changes."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2
import pytest

from agent_console.domain.events import Event
from agent_console.domain.jobs import JobVerb
from agent_console.domain.rulings import Fate
from agent_console.store import runs
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.policy_approvals import put_up
from agent_console.store.relations import relation
from agent_console.store.signals import Signals
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock
from tests.support.databases import PostgresServer
from tests.support.factories import enqueue_many
from tests.support.runs import checkpoint, claim_one, decide_many, end, step, waiting_many

# Round trips to PostgreSQL, all of them: BEGIN goes along with the first statement, and COMMIT with
# journal and tallies. For SQLite, in the same process, a statement is a function call.
CLAIM = FINISH = {"postgresql": 2, "sqlite": 4}
# Decisions, and what goes on upon them, add to one more table: the figures of reviews.
RESUME = {"postgresql": 4, "sqlite": 7}  # a claim that looks at approvals and brings records
STEP = {"postgresql": 3, "sqlite": 2}
SUSPEND = {"postgresql": 4, "sqlite": 6}
PUT_UP = {"postgresql": 5, "sqlite": 7}  # one of them reads the policies
DECIDE = {"postgresql": 6, "sqlite": 9}  # one of them reads the policies
LATE = {"postgresql": 8, "sqlite": 11}  # with those whose time was up


DAY = timedelta(days=1)


class Counting:
    """A cursor that counts what is sent through it; savepoints of the writer do not count."""

    def __init__(self, cursor: Any, sent: list[str]) -> None:
        self._cursor, self._sent = cursor, sent

    def execute(self, sql: str, *args: Any) -> Any:
        self._sent.append(sql)
        return self._cursor.execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        self._sent.append(sql)
        return self._cursor.executemany(sql, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the statements of write transactions from now on."""
    found: list[str] = []
    begin = Tx.__init__

    def counted(self: Tx, cursor: Any, *args: Any) -> None:
        begin(self, Counting(cursor, found), *args)

    monkeypatch.setattr(Tx, "__init__", counted)
    return found


@pytest.mark.parametrize("jobs", [1, 200])
def test_claiming_and_finishing_cost_the_same_statements_however_many_jobs(
    db: Database, sent: list[str], jobs: int
) -> None:
    enqueue_many(db, jobs)
    sent.clear()
    claimed = claim(db, "wrk_1", jobs, admit=0)  # as a worker that knows of no limited type
    assert len(claimed) == jobs
    assert len(sent) <= CLAIM[db.dialect], sent
    sent.clear()
    assert len(finish(db, [end(one.key, JobVerb.COMPLETE) for one in claimed])) == jobs
    assert len(sent) <= FINISH[db.dialect], sent


def test_a_step_and_an_approval_cost_few_statements(db: Database, sent: list[str]) -> None:
    enqueue_many(db, 1)
    key = claim_one(db).key
    sent.clear()
    runs.record_step(db, key, step(0))
    assert len(sent) <= STEP[db.dialect], sent
    sent.clear()
    runs.suspend(db, key, checkpoint(1))
    assert len(sent) <= SUSPEND[db.dialect], sent
    enqueue_many(db, 1)
    key = claim_one(db).key
    sent.clear()
    assert not put_up(db, key, checkpoint(1)).approved
    assert len(sent) <= PUT_UP[db.dialect], sent


@pytest.mark.parametrize("jobs", [1, 200])
def test_deciding_costs_the_same_statements_however_many_checkpoints(
    clocked_db: Database, fake_clock: FakeClock, sent: list[str], jobs: int
) -> None:
    db = clocked_db
    asked = [*waiting_many(db, jobs, timedelta(hours=1)), *waiting_many(db, jobs, DAY)]
    sent.clear()
    rulings = decide_many(db, asked[jobs:])
    assert [one.fate for one in rulings] == [Fate.DECIDED] * jobs
    assert len(sent) <= DECIDE[db.dialect], sent
    sent.clear()
    resumed = claim(db, "wrk_1", jobs, admit=0, stands=lambda _queries, _approval: "")
    assert len(resumed) == jobs
    assert len(sent) <= RESUME[db.dialect], sent
    fake_clock.advance(timedelta(hours=1))
    sent.clear()
    fates = Counter(one.fate for one in decide_many(db, ["chk_x", *asked]))
    assert fates == {Fate.NOT_FOUND: 1, Fate.EXPIRED: jobs, Fate.ALREADY_DECIDED: jobs}
    assert len(sent) <= LATE[db.dialect], sent


ROWS = [
    ("a", 1, None, 0.5, "same", None),
    ("b\x1f", 2**40, "x", 1.0, "same", None),
    ("漢'\\", -3, "", 2.5, "same", None),
]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_rows_arrive_as_they_are_whatever_they_hold(postgres: PostgresServer, count: int) -> None:
    text, params = relation(["a", "b", "c", "d", "e", "f"], ROWS[:count])
    with postgres.empty() as url, closing(psycopg2.connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(text, params)
        found = [(*row[:3], float(row[3]), *row[4:]) for row in cursor.fetchall()]
    assert found == ROWS[:count]


def test_equal_rows_are_not_folded_into_one() -> None:
    text, params = relation(["a", "b"], [("x", 1)] * 3)
    assert text.endswith("FROM generate_series(1, 3)")
    assert params == ["x", 1]


@pytest.mark.rows_by_hand
def test_word_for_other_processes_goes_along_with_a_commit(db: Database, sent: list[str]) -> None:
    Signals(db)  # not started, as in a command: it has no connection for its own word
    db.write(lambda tx: tx.record(Event(action="job.created", job_id="job_1", after="PENDING")))
    assert len(sent) == {"postgresql": 1, "sqlite": 2}[db.dialect], sent
    notified = [text for text in sent if "NOTIFY agent_console_work" in text]
    assert len(notified) == {"postgresql": 1, "sqlite": 0}[db.dialect]


def test_a_write_after_a_read_brings_no_settings_along(postgres: PostgresServer) -> None:
    """What the driver would send by itself to take back what the read had asked for."""
    with postgres.database() as url, closing(Database(url)) as db, closing(Database(url)) as other:
        with db.read() as reader:
            assert reader.row("SELECT 1") is not None
        (pid,) = db.write(lambda tx: tx.row("SELECT pg_backend_pid()")) or (None,)
        with other.read() as reader:
            last = reader.row("SELECT query FROM pg_stat_activity WHERE pid = :pid", {"pid": pid})
        assert last is not None
        assert "COMMIT" in last[0]
        assert "SET" not in last[0]
        with db.read() as reader:  # which is a snapshot still, and cannot write
            isolation = reader.row("SHOW transaction_isolation")
            read_only = reader.row("SHOW transaction_read_only")
        assert (isolation, read_only) == (("repeatable read",), ("on",))
