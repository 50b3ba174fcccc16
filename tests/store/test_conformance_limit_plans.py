"""A long queue of held jobs costs a claim nothing, whoever claims."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from agent_console.domain.limits import Caps
from agent_console.store import admission, claims
from agent_console.store.database import Database
from agent_console.store.reads import job_types
from tests.store.test_conformance_plans import JOBS, job_row, plan
from tests.support.factories import enqueue_many
from tests.support.limits import complete, declare, taken

pytestmark = pytest.mark.rows_by_hand

HELD = 20_000


@pytest.fixture
def crowded(db: Database) -> Database:
    """Return a database in which 20,000 jobs of one key are held, before 20 of others."""
    declare(db, "noop", Caps(running=3, per_key=2, starts=100_000, per=1.0))
    rows = [(*job_row(n, "PENDING"), 1, "a") for n in range(HELD)]

    def fill(tx: Any) -> None:
        tx.insert("ai_jobs", (*JOBS, "gate", "lane"), rows)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    for n in range(20):
        enqueue_many(db, 1, lane=f"b{n}", priority=0)
    return db


def test_the_statements_of_admission_use_their_indexes(crowded: Database) -> None:
    params: dict[str, object] = {"job_type": "noop", "room": 3, "count": 3, "lane": "a"}
    # Few are ready or run here: other partial indexes find these few alone as well.
    hot = {
        "claim": (claims.claiming(3, crowded.dialect), "ix_ai_jobs_ready", "ix_ai_jobs_due"),
        "openings": (admission.OPENINGS, "ix_ai_jobs_gated_due"),
        "running": (admission.RUNNING, "ix_ai_jobs_taken", "ix_ai_jobs_status_id"),
        "open": (admission.OPEN, "ix_ai_jobs_gated"),
        "scan": (admission.SCAN, "ix_ai_jobs_gated"),
        "step up": (admission.STEP_UP, "ix_ai_jobs_behind"),
        "free": (admission.FREE, "ix_ai_jobs_gated"),
        "held, per type": (job_types.HELD, "ix_ai_jobs_gated_due"),
    }
    for name, (sql, *indexes) in hot.items():
        found = plan(crowded, sql, {**params, "worker_id": "w1"})
        assert any(index in found for index in indexes), f"{name}:\n{found}"
        assert "Seq Scan on ai_jobs" not in found, f"{name}:\n{found}"


def test_a_claim_over_a_long_lane_is_as_fast_as_over_a_short_one(crowded: Database) -> None:
    # The first claims move the lane out of the way, a part each; that happens once.
    for _ in range(HELD // admission.BATCH + 4):
        complete(crowded, *taken(crowded, 3))
    spent = []
    for _ in range(10):
        began = perf_counter()
        claimed = taken(crowded, 3)
        spent.append(perf_counter() - began)
        complete(crowded, *claimed)
    assert sorted(spent)[len(spent) // 2] < 0.05  # seconds; a walk over the lane takes more
