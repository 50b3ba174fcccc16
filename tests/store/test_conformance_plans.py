"""Hot queries must keep using their indexes: the figures are for 20,000 finished jobs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from agent_console.domain.bulk import JobFilter
from agent_console.domain.jobs import LIVE
from agent_console.domain.queries import CheckpointQuery, SessionQuery
from agent_console.domain.search import index_text, wanted
from agent_console.domain.sessions import AGENT_TYPES
from agent_console.store import (
    cases,
    claims,
    deadlines,
    decisions,
    finishes,
    forks,
    liveness,
    metric_reads,
    parking,
    rechecks,
    reminders,
    review_policies,
    review_sums,
    runs,
    tally_mends,
    undo,
    uniques,
)
from agent_console.store.database import Database
from agent_console.store.dialects import (
    NOW_PARAM,
    compiled,
    ids_param,
    marks,
    match_text,
    with_values,
)
from agent_console.store.ids import new_id
from agent_console.store.prepared import _form
from agent_console.store.reads import (
    artifact_search,
    bulk,
    checkpoints,
    review_export,
    review_figures,
    rule_history,
    sessions,
)
from agent_console.store.relations import relation
from agent_console.store.transactions import Tx

pytestmark = pytest.mark.rows_by_hand

HISTORY, READY = 20_000, 500
JOBS = (
    "id", "job_type", "status", "task_description", "input_data", "priority", "max_attempts",
    "attempts", "claims", "resuming", "claim_token", "worker_id", "metadata", "run_at",
    "created_at", "updated_at",
)  # fmt: skip
CHECKPOINTS = (
    "id", "job_id", "position", "checkpoint_type", "status", "message", "payload",
    "payload_digest", "metadata", "expires_at", "created_at", "updated_at",
)  # fmt: skip


def job_row(number: int, status: str, worker: str | None = None) -> tuple[object, ...]:
    at = 1_000_000 + number
    return (
        new_id("job"), "noop", status, "", "{}", number % 10, 3, 1, 1, 0, 1, worker, "{}",
        at, at, at,
    )  # fmt: skip


def checkpoint_row(number: int, job_id: object, status: str) -> tuple[object, ...]:
    return (
        new_id("chk"), job_id, 0, "APPROVAL_REQUIRED", status, "", "{}", "", "{}",
        2 * 10**15 + number, number, number,
    )  # fmt: skip


@pytest.fixture
def full(db: Database) -> Database:
    """Return a database with a history, and statistics about it."""
    jobs = [job_row(n, "COMPLETED") for n in range(HISTORY)]
    jobs += [job_row(n, "PENDING") for n in range(READY)]
    jobs += [job_row(n, "RUNNING", "w1") for n in range(5)]
    decided = [checkpoint_row(n, row[0], "APPROVED") for n, row in enumerate(jobs[:HISTORY])]
    pending = [checkpoint_row(n, row[0], "PENDING") for n, row in enumerate(jobs[-READY:])]

    def fill(tx: Any) -> None:
        tx.insert("ai_jobs", JOBS, jobs)
        tx.insert("agent_checkpoints", CHECKPOINTS, decided + pending)
        if tx.dialect == "postgresql":  # a fresh SQLite file has no statistics, and must do without
            tx.execute("ANALYZE")

    db.write(fill)
    return db


def plan(db: Database, sql: str, params: dict[str, object]) -> str:
    explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
    rows = db.write(lambda tx: tx.rows(explain + sql, params))
    return "\n".join(str(row[-1]) for row in rows)


# What runs now is never more than all workers have slots: any index on it will do.
RUNNING = ("ix_ai_jobs_held", "ix_ai_jobs_status_id")
PRIMARY = ("ai_jobs_pkey", "sqlite_autoindex_ai_jobs_1")
CHECKPOINT_IDS = ("agent_checkpoints_pkey", "sqlite_autoindex_agent_checkpoints_1")
OPEN = ("ix_agent_checkpoints_deadline", "ix_agent_checkpoints_status")
HOT: dict[str, tuple[str, dict[str, object], tuple[str, ...]]] = {
    "next due": (claims.DUE, {}, ("ix_ai_jobs_due",)),
    "last round": (
        runs.LAST_ROUND,
        {"job_id": "job_1", "position": 7},
        ("uq_agent_checkpoints_position",),
    ),
    "owner": (runs.OWNER, {"job_id": "job_1", "token": 1}, (*PRIMARY, *RUNNING)),
    "held": (liveness.HELD, {"id": "w1"}, RUNNING),
    "orphans": (liveness.ORPHANS, {}, RUNNING),
    "overdue": (deadlines.OVERDUE, {"limit": 200}, ("ix_agent_checkpoints_deadline",)),
    "live jobs": (tally_mends.JOBS, {}, ("ix_ai_jobs_status_id",)),
    "oldest due job": (metric_reads.OLDEST_DUE, {}, ("ix_ai_jobs_due",)),
    "parked for want of a handler": (parking.TYPES, {}, ("ix_ai_jobs_status_id", *RUNNING)),
    "what a new worker knows": (
        parking.REQUEUE % ":type0",
        {"type0": "noop", "batch": 500},
        ("ix_ai_jobs_status_id", *RUNNING),
    ),
    "forks of a job": (forks.FORKS, {"id": "job_1", "limit": 50}, ("ix_ai_jobs_forked_from",)),
    "open checkpoints": (tally_mends.CHECKPOINTS, {}, OPEN),
    "open checkpoints by age": (review_figures.PENDING, {}, OPEN),
    "open checkpoints of a type": (
        review_figures.PENDING_OF,
        {"job_type": "noop", "most": 100},
        OPEN,
    ),
    "what people decided lately": (
        rule_history.DECIDED.replace("/*type*/", ""),
        {"span": 10**9},
        ("ix_agent_checkpoints_type", "ix_agent_checkpoints_created"),
    ),
    "reviews to export": (
        review_export.FOUND,
        {"until": 2**62, "at": 5_000, "id": "", "limit": 100},
        ("ix_agent_checkpoints_type", "ix_agent_checkpoints_created"),
    ),
    "unique key": (
        uniques.in_the_way(sorted(LIVE)),
        {"job_type": "noop", "key": "k", "job_id": "job_1"},
        ("ix_ai_jobs_unique",),
    ),
    "many to cancel": (
        bulk.chosen(JobFilter(job_type="noop"), "cancel"),
        {"job_type": "noop", "after": "", "before": "job_z", "room": 100},
        ("ix_ai_jobs_status_id",),
    ),
    "many to retry": (
        bulk.chosen(JobFilter(status="FAILED", user_id="usr_1"), "retry"),
        {"user_id": "usr_1", "after": "", "before": "job_z", "room": 100},
        ("ix_ai_jobs_status_id", "ix_ai_jobs_user_id"),
    ),
}


def test_hot_queries_use_their_indexes(full: Database) -> None:
    claim = (claims.claiming(3, full.dialect), {"worker_id": "w1"}, ("ix_ai_jobs_ready",))
    for name, (sql, params, indexes) in {"claim": claim, **HOT}.items():
        found = plan(full, sql, params)
        assert any(index in found for index in indexes), f"{name}:\n{found}"
        assert "Seq Scan on ai_jobs" not in found, f"{name}:\n{found}"
        assert "Seq Scan on agent_checkpoints" not in found, f"{name}:\n{found}"


def test_what_many_decisions_and_claims_look_up_is_found_by_index(full: Database) -> None:
    ids = ids_param(["x_1", "x_2", "x_3"], full.dialect)
    for sql, index in (
        (rechecks.APPROVALS, ("uq_agent_checkpoints_position",)),
        (rechecks.QUESTIONS, ("uq_agent_checkpoints_position",)),
        (cases.CASES, CHECKPOINT_IDS),
        (deadlines.LOCK_JOBS, PRIMARY),
    ):
        found = plan(full, sql, {"ids": ids})
        assert any(name in found for name in index), found
        assert "Seq Scan on ai_jobs" not in found, found
        assert "Seq Scan on agent_checkpoints" not in found, found


# What is done to many rows at once: name, columns, statement, and a row for an id.
AT_ONCE: tuple[tuple[str, str, str, tuple[object, ...]], ...] = (
    ("finish", finishes.COLUMNS, finishes.FINISH, (1, "COMPLETED", *6 * (None,), "1", 0, 1)),
    ("give back", "id, token", claims.GIVE_BACK, (1,)),
    ("rescue", "id, max_claims, reason", liveness.RESCUE, (3, "")),
    ("wake", "id, hold", deadlines.WAKE, (0,)),
    ("wait again", "id", undo.WAIT_AGAIN, ()),
    ("decide", decisions.COLUMNS, decisions.DECIDE, ("APPROVED", *8 * (None,), 0)),
    ("expire", deadlines.END_COLUMNS, deadlines.END, ("EXPIRED", *5 * (None,))),
    ("move", deadlines.MOVE_COLUMNS, deadlines.MOVE, (1, 0)),
    ("undo", "id, by_id", undo.UNDO, ("usr_1",)),
    ("remind", "id, seconds", reminders.REMIND, (60,)),
)


@pytest.mark.parametrize(
    ("name", "columns", "body", "rest"), AT_ONCE, ids=[each[0] for each in AT_ONCE]
)
def test_many_rows_are_changed_by_their_ids_even_before_there_are_statistics(
    db: Database, name: str, columns: str, body: str, rest: tuple[object, ...]
) -> None:
    jobs = [job_row(n, "RUNNING", "w1") for n in range(READY)]
    checkpoints = [checkpoint_row(n, row[0], "PENDING") for n, row in enumerate(jobs)]
    on_jobs = "UPDATE ai_jobs" in body
    ids = [row[0] for row in (jobs if on_jobs else checkpoints)]
    rest = (rest + len(columns.split(", ")) * (None,))[: len(columns.split(", ")) - 1]

    def explain(tx: Tx) -> list[tuple[object, ...]]:
        tx.insert("ai_jobs", JOBS, jobs)
        tx.insert("agent_checkpoints", CHECKPOINTS, checkpoints)
        rows = [(each, *rest) for each in ids]
        if tx.dialect == "sqlite":
            source = marks(len(rows), len(rows[0]))
            text = with_values(columns, source, body, tx.dialect, 1)
            tx._cursor.execute(f"EXPLAIN QUERY PLAN {text}", [v for row in rows for v in row])
        else:
            tx.execute("SET LOCAL enable_seqscan = off")  # as for every plan that is kept
            source, _ = relation(columns.split(", "), rows)
            text = _form(with_values(columns, source, body, tx.dialect, None)).text
            tx._cursor.execute(f"EXPLAIN (GENERIC_PLAN) {text}")
        return list(tx._cursor.fetchall())

    found = "\n".join(str(row[-1]) for row in db.write(explain))
    primary = PRIMARY if on_jobs else CHECKPOINT_IDS
    assert any(index in found for index in primary), f"{name}:\n{found}"
    others = re.findall(r"\bix_(?!agent_workers)\w+", found)
    assert not others, f"{name}:\n{found}"
    assert "Hash" not in found, f"{name}:\n{found}"


def test_a_claim_changes_rows_by_their_ids_even_before_there_are_statistics(db: Database) -> None:
    def explain(tx: Tx) -> list[tuple[object, ...]]:
        tx.insert("ai_jobs", JOBS, [job_row(n, "PENDING") for n in range(READY)])
        sql, _ = claims._leaving(claims.claiming(READY, tx.dialect), ())
        statement = compiled(sql, tx.dialect, clock_bound=tx.dialect == "sqlite")
        if tx.dialect == "sqlite":
            params = {"worker_id": "w1", NOW_PARAM: 1}
            tx._cursor.execute(f"EXPLAIN QUERY PLAN {statement.text}", params)
        else:
            tx.execute("SET LOCAL enable_seqscan = off")  # as for every plan that is kept
            tx._cursor.execute(f"EXPLAIN (GENERIC_PLAN) {_form(statement.text).text}")
        return list(tx._cursor.fetchall())

    found = "\n".join(str(row[-1]) for row in db.write(explain))
    assert any(index in found for index in PRIMARY), found
    # For the levels, and for what is ready in one; then what it found is changed.
    assert {*re.findall(r"\bix_ai_jobs\w+", found)} == {"ix_ai_jobs_ready"}, found
    assert "Hash Semi Join" not in found, found


def test_what_a_rule_did_is_found_by_its_versions(full: Database) -> None:
    asked: dict[str, object] = {"ids": ids_param(["pol_1", "pol_2"], full.dialect), "span": 10**17}
    for sql in (rule_history.FIGURES, rule_history.CONTRADICTIONS, rule_history.APPROVED):
        found = plan(full, sql, asked)
        assert "ix_agent_checkpoints_rule" in found, found


def test_figures_of_a_stretch_of_time_read_its_slots_alone(db: Database) -> None:
    rows = [
        (900, slot, "noop", "NONE", measure, shard, 1, 1.0)
        for slot in range(2_000)
        for measure in ("approved", "seen|60.0")
        for shard in range(2)
    ]

    def fill(tx: Any) -> None:
        tx.insert("review_slots", review_sums.COLUMNS, rows)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    params: dict[str, object] = {"width": 900, "first": 1_900, "end": 1_910}
    for sql in (review_figures.BY_KIND, review_figures.BY_SLOT):
        found = plan(db, sql, params)
        assert "review_slots_pkey" in found or "SEARCH review_slots USING" in found, found
        assert "Seq Scan" not in found, found
    with db.read() as reader:
        read = review_figures.read(reader, width=900, first=1_900, end=1_910, job_type=None)
    assert (len(read.by_slot), read.total.ended) == (10, 20)


def test_policies_that_hold_are_found_without_their_history(full: Database) -> None:
    ids = ids_param(["*", "noop"], full.dialect)
    if full.dialect == "sqlite":  # PostgreSQL reads a table of one page as a whole
        assert "uq_review_policies_current" in plan(full, review_policies.HOLDING, {"ids": ids})
    near = {"horizon": 1, "least": 1, "after": 0, "after_id": "", "limit": 3}
    assert "ix_agent_checkpoints_deadline" in plan(full, reminders.NEAR, {**near})


@pytest.mark.parametrize("status", [None, "PENDING", "APPROVED"])
def test_a_search_of_checkpoints_looks_at_the_newest_alone(
    full: Database, status: str | None
) -> None:
    dialect = sqlite.dialect() if full.dialect == "sqlite" else postgresql.dialect()
    statement = checkpoints.searched(CheckpointQuery(status=status, search="needle")).limit(7)
    literal = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    found = plan(full, str(literal), {})
    assert "Seq Scan on agent_checkpoints" not in found, found
    assert "Seq Scan on ai_jobs" not in found, found
    # Each match is looked up by its id; rows are gone through within the window only.
    assert any(f"using {one}" in found.replace("USING INDEX", "using") for one in CHECKPOINT_IDS)
    through = ("ix_agent_checkpoints_created", "ix_agent_checkpoints_status")
    assert sum(found.count(one) for one in through) == 1, found


def test_a_claim_needs_no_sorting(full: Database) -> None:
    found = plan(full, claims.claiming(3, full.dialect), {"worker_id": "w1"})
    assert "Sort" not in found
    assert "TEMP B-TREE FOR ORDER BY" not in found


def test_a_claim_does_not_look_at_what_is_due_later(full: Database) -> None:
    found = plan(full, claims.claiming(3, full.dialect), {"worker_id": "w1"})
    narrow = {
        "sqlite": r"\(priority=\? AND run_at<\?\)",
        "postgresql": r"Index Cond: \(\(priority = p_\d\.level\) AND \(run_at <= ",
    }
    assert re.search(narrow[full.dialect], found), found


def test_a_claim_reads_as_many_rows_as_it_takes(full: Database) -> None:
    taken = claims.claim(full, "w2", 3)
    assert [c.priority for c in taken] == [9, 9, 9]
    if full.dialect == "postgresql":
        rows = full.write(
            lambda tx: tx.rows(
                "EXPLAIN (ANALYZE) " + claims.claiming(3, tx.dialect), {"worker_id": "w"}
            )
        )
        scan = next(row[0] for row in rows if "Index Scan using ix_ai_jobs_ready" in row[0])
        assert "rows=3" in scan.split("actual", 1)[1]


PROJECTS, SESSIONS = 200, 8_000


def test_sessions_of_a_project_are_read_in_order_from_its_index(db: Database) -> None:
    rows = [
        (*job_row(n, "COMPLETED"), f"p{n % PROJECTS}", AGENT_TYPES[n % 3]) for n in range(SESSIONS)
    ]
    columns = (*(name if name != "job_type" else "code_version" for name in JOBS), "project_id")

    def fill(tx: Any) -> None:
        tx.insert("ai_jobs", (*columns, "job_type"), rows)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    dialect = sqlite.dialect() if db.dialect == "sqlite" else postgresql.dialect()
    for query in (SessionQuery(), SessionQuery(status="completed")):
        statement = sessions.listed("p7", query, AGENT_TYPES).limit(51)
        literal = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        found = plan(db, str(literal), {})
        assert "ix_ai_jobs_project_id" in found, found
        assert "Seq Scan on ai_jobs" not in found, found
        assert "SCAN ai_jobs\n" not in found, found
    found = plan(db, sessions.PROJECTS, {})
    assert "ix_ai_jobs_project_id" in found, found
    assert "Seq Scan on ai_jobs" not in found, found
    with db.read() as reader:
        found_names = [str(row[0]) for row in reader.rows(sessions.PROJECTS)]
        assert found_names == sorted(f"p{n}" for n in range(PROJECTS))
        (newest, *_) = sessions.projects(reader, AGENT_TYPES)
        assert sum(sessions.counts(reader, "p7", AGENT_TYPES).by_status.values()) == 40
    assert newest.latest_session_id == rows[-1][0]


ARTIFACTS = (
    "id", "job_id", "position", "name", "artifact_type", "media_type", "content", "size",
    "digest", "metadata", "created_at",
)  # fmt: skip


@pytest.mark.parametrize("search", ["everywhere", "needle", "nowhere", "everywhere 17"])
def test_a_search_reads_no_texts_but_those_it_finds(db: Database, search: str) -> None:
    job = job_row(0, "COMPLETED")
    made = [
        (new_id("art"), job[0], n, "", "file", "text/plain", "", 0, "", "{}", n)
        for n in range(3_000)
    ]

    def fill(tx: Any) -> None:
        tx.insert("ai_jobs", JOBS, [job])
        tx.insert("work_artifacts", ARTIFACTS, made)
        for n, row in enumerate(made):
            words = index_text({}, f"everywhere {n} {'needle' * (n == 7)}")
            tx.execute(runs.ARTIFACT_WORDS, {"id": row[0], "words": words})
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    asked = wanted(search, {})
    assert asked is not None
    text = match_text(asked, db.dialect)
    explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
    with db.read() as reader:
        reader.rows("{words_plan}")
        params: dict[str, object] = {"wanted": text, "before": 2**62, "most": 10_001}
        lines = reader.rows(explain + artifact_search.FOUND, params)
        plan_text = "\n".join(str(line[-1]) for line in lines)
    if db.dialect == "sqlite":
        assert plan_text.startswith("SCAN f VIRTUAL TABLE INDEX"), plan_text
        assert "TEMP B-TREE" not in plan_text
    else:
        assert "Bitmap Index Scan on ix_artifact_texts_words" in plan_text
