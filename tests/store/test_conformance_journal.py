from __future__ import annotations

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.clock import to_micros
from agent_console.domain.events import Event
from agent_console.domain.payload import loads
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.support.factories import enqueue

FORBIDDEN = [
    "UPDATE audit_logs SET actor_name = 'somebody else'",
    "UPDATE audit_logs SET seq = seq + 1",
    "DELETE FROM audit_logs",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_database_itself_refuses_to_change_the_journal(db: Database, sql: str) -> None:
    enqueue(db)
    with db.read() as reader:
        before = reader.rows("SELECT * FROM audit_logs ORDER BY seq")
    with pytest.raises(Exception, match="append-only"):
        db.write(lambda tx: tx.execute(sql))
    with db.read() as reader:
        assert reader.rows("SELECT * FROM audit_logs ORDER BY seq") == before


def test_it_cannot_be_emptied_in_one_go_either(db: Database) -> None:
    enqueue(db)
    # SQLite has no TRUNCATE; its DELETE without a condition is one, and is refused above.
    sql = "TRUNCATE audit_logs" if db.dialect == "postgresql" else "DELETE FROM audit_logs WHERE 1"
    with pytest.raises(Exception, match="append-only"):
        db.write(lambda tx: tx.execute(sql))
    with db.read() as reader:
        assert reader.rows("SELECT count(*) FROM audit_logs") == [(1,)]


@pytest.mark.rows_by_hand
def test_an_entry_says_who_what_when_and_with_which_verdict(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    actor = Actor(
        kind="token", id="usr_1", name="Ada 漢", role=Role.REVIEWER, session="ab12", ip="::1"
    )
    event = Event(
        action="checkpoint.approved",
        actor=actor,
        job_id="job_1",
        job_type="noop",
        checkpoint_id="chk_1",
        subject_id="x",
        before="PENDING",
        after="APPROVED",
        verdict="approve",
        data={"n": 2**100, "list": [None, True, "\u2028"]},
    )
    clocked_db.write(lambda tx: tx.record(event))
    with clocked_db.read() as reader:
        (entry,) = reader.dicts("SELECT * FROM audit_logs")
    assert entry["at"] == to_micros(fake_clock.now())
    assert loads(entry.pop("data")) == event.data
    del entry["seq"], entry["at"]
    assert entry == {
        "action": "checkpoint.approved",
        "actor_kind": "token",
        "actor_id": "usr_1",
        "actor_name": "Ada 漢",
        "actor_role": "reviewer",
        "session": "ab12",
        "ip": "::1",
        "job_id": "job_1",
        "job_type": "noop",
        "checkpoint_id": "chk_1",
        "subject_id": "x",
        "before": "PENDING",
        "after": "APPROVED",
        "verdict": "approve",
    }


def test_entries_of_a_commit_keep_their_order(db: Database) -> None:
    actions = [f"test.{n}" for n in range(50)]
    db.write(lambda tx: tx.record(*(Event(action=a) for a in actions)))
    with db.read() as reader:
        rows = reader.rows("SELECT seq, action FROM audit_logs ORDER BY seq")
    assert [action for _, action in rows] == actions


def test_a_number_is_never_given_twice(db: Database) -> None:
    enqueue(db)
    with db.read() as reader:
        first = reader.row("SELECT max(seq) FROM audit_logs")
    enqueue(db)
    with db.read() as reader:
        rows = reader.rows("SELECT seq FROM audit_logs ORDER BY seq")
    assert first is not None
    assert len(set(rows)) == 2
    assert rows[-1][0] > first[0]
