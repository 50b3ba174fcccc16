"""Plans that are kept: what is planned once, and what becomes of plans that are gone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from agent_console.domain.jobs import JobVerb
from agent_console.store import prepared
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from tests.support.databases import PostgresServer
from tests.support.factories import enqueue_many
from tests.support.runs import end

PLANS = "SELECT name, statement, generic_plans, custom_plans FROM pg_prepared_statements"


@pytest.fixture
def db(postgres: PostgresServer) -> Any:
    with postgres.database() as url, closing(Database(url)) as one:
        yield one


def run_one(db: Database) -> None:
    enqueue_many(db, 1)
    (claimed,) = claim(db, "wrk_1", 4)
    assert finish(db, [end(claimed.key, JobVerb.COMPLETE)])


def plans(db: Database) -> dict[str, tuple[str, int, int]]:
    return {row[0]: row[1:] for row in db.write(lambda tx: tx.rows(PLANS))}


def test_what_a_job_sends_is_planned_once(db: Database) -> None:
    run_one(db)
    first = set(plans(db))
    for _ in range(5):
        run_one(db)
    after = plans(db)
    assert set(after) == first
    assert {custom for _, _, custom in after.values()} == {0}
    (claims,) = [times for text, times, _ in after.values() if "claim_token + 1" in text]
    assert claims == 6


def test_a_plan_made_for_an_empty_table_goes_by_its_index(db: Database) -> None:
    run_one(db)
    claiming = next(n for n, (text, *_) in plans(db).items() if "ORDER BY priority" in text)
    shown = db.write(lambda tx: tx.rows(f"EXPLAIN EXECUTE {claiming}('wrk_1')"))
    found = "\n".join(row[0] for row in shown)
    assert "ix_ai_jobs_ready" in found
    assert "Seq Scan on ai_jobs" not in found


def test_plans_are_made_anew_after_their_time(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_one(db)
    first = set(plans(db))
    monkeypatch.setattr(prepared, "LIFE", 0.0)
    run_one(db)
    assert not first & set(plans(db))


def test_a_connection_keeps_no_more_plans_than_it_may(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "MOST", 3)
    for _ in range(3):
        run_one(db)
    assert len(plans(db)) <= 3 + 3  # and those of the last round trip


def test_where_plans_do_not_stay_the_work_is_done_without(db: Database) -> None:
    run_one(db)
    with closing(Database(db.url.render_as_string(hide_password=False))) as pooled:

        def another_server(connection: Any, *_: Any) -> None:
            """What a pooler does between two transactions."""
            with connection.cursor() as cursor:
                cursor.execute("DEALLOCATE ALL")
            connection.commit()

        event.listen(pooled._engine, "checkout", another_server)
        for _ in range(3):
            run_one(pooled)
        assert plans(pooled) == {}


def test_an_error_amid_a_transaction_leaves_plans_that_work(db: Database) -> None:
    run_one(db)
    with pytest.raises(ZeroDivisionError):
        db.write(lambda tx: tx.rows("SELECT 1") and 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        db.write(lambda tx: tx.rows(f"{prepared.KEPT} SELECT 1 / :n", {"n": 0}))
    run_one(db)
    assert db._preparing.on


def test_a_table_that_changed_is_planned_again(db: Database) -> None:
    run_one(db)
    db.write(lambda tx: tx.execute("ALTER TABLE ai_jobs ADD COLUMN more integer"))
    run_one(db)
    assert db._preparing.on
