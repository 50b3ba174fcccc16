"""Claiming jobs, giving them back, and knowing when the next one is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.store import admission
from agent_console.store.database import Database
from agent_console.store.dialects import Dialect, first_of_levels
from agent_console.store.engine_values import Claimed, RunKey, StoredRecord
from agent_console.store.prepared import KEPT
from agent_console.store.rechecks import Stands, doubts, gone_on, questions, send_back
from agent_console.store.run_records import carried
from agent_console.store.tables import CLAIMABLE_SQL, READY_SQL
from agent_console.store.transactions import Row, Tx

NO_FACTS: Final[Mapping[str, Json]] = MappingProxyType({})

# By the ids that were found: see ``by_id``.
_STILL_CLAIMABLE: Final = CLAIMABLE_SQL.replace("status", "status{by_id}")
# READY_SQL is repeated as a literal so that the planner can prove the partial index. Its priorities
# are stepped through, highest first, and in each what is due: one look for all of them would go
# through everything that is due later. RETURNING has no order: the caller sorts.
_DUE_OF_LEVEL: Final = (
    f"{READY_SQL} AND priority = level AND run_at <= {{now}} AND {admission.UNGATED_SQL} /*others*/"
)
CLAIM = f"""
WITH RECURSIVE p(level) AS (
  SELECT * FROM (SELECT priority FROM ai_jobs {{ready_index}} WHERE {READY_SQL}
    ORDER BY priority DESC LIMIT 1) AS highest
  UNION ALL
  SELECT (SELECT priority FROM ai_jobs {{ready_index}} WHERE {READY_SQL} AND priority < level
    ORDER BY priority DESC LIMIT 1) FROM p WHERE level IS NOT NULL),
c AS {{materialized}} (
  SELECT id FROM /*first*/ LIMIT /*room*/)
UPDATE ai_jobs SET status = 'RUNNING', worker_id = :worker_id, claim_token = claim_token + 1,
  attempts = attempts + 1 - resuming, resuming = 0, claims = claims + 1, park_reason = NULL,
  park_code = NULL, park_detail = NULL, gate = CASE gate WHEN 2 THEN 1 ELSE gate END,
  started_at = coalesce(started_at, {{now}}), updated_at = {{now}}
WHERE id {{found}} AND {_STILL_CLAIMABLE}
RETURNING id, claim_token, job_type, input_data, attempts, max_attempts, claims, priority, run_at,
  user_id, user_name, project_id, task_description, task_configuration, context_document_id,
  approval_strategy, code_version, metadata, created_at, traceparent, forked_from,
  updated_at
"""

DUE = f"""
SELECT run_at - {{now}} FROM ai_jobs {{due_index}}
WHERE {READY_SQL} AND {admission.UNGATED_SQL} /*others*/
ORDER BY run_at LIMIT 1
"""

GIVE_BACK = """
UPDATE ai_jobs SET status = 'QUEUED', worker_id = NULL, resuming = 1, claims = 0,
  claim_token = claim_token + 1, updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.claim_token = v.token
  AND ai_jobs.status{by_id} = 'RUNNING'
RETURNING ai_jobs.id, ai_jobs.job_type
"""


@lru_cache(maxsize=64)
def worker_actor(worker_id: str) -> Actor:
    """Return the actor under which a worker's doings are journaled."""
    return Actor(kind="worker", id=worker_id, name=worker_id)


def _leaving(sql: str, others: Collection[str]) -> tuple[str, dict[str, object]]:
    """Return ``sql`` without the job types of ``others``, and the parameters that name them."""
    names: dict[str, object] = {f"other{n}": name for n, name in enumerate(sorted(others))}
    term = f"AND job_type NOT IN ({', '.join(f':{name}' for name in names)})" if names else ""
    return sql.replace("/*others*/", term), names


def claiming(room: int, dialect: Dialect) -> str:
    """Return the claim of up to ``room`` jobs: written out, for a plan depends on it."""
    first = first_of_levels(_DUE_OF_LEVEL, room, dialect)
    return CLAIM.replace("/*first*/", first).replace("/*room*/", str(room))


def claim(
    db: Database,
    worker_id: str,
    room: int,
    *,
    others: Collection[str] = (),
    stands: Stands | None = None,
    admit: int | None = None,
) -> list[Claimed]:
    """Claim up to ``room`` due jobs for ``worker_id``, highest priority first, then oldest.

    ``others`` are job types to leave to the workers that know them. At most ``admit`` (default:
    ``room``) jobs of limited types are let in first; 0 does not look for any.

    A job that resumes is checked in the same transaction (``rechecks``): what was approved must
    be what is stored, and the approval must stand under the policy that ``stands`` knows, or the
    job goes back to review.
    """
    if room < 1:
        return []
    sql, names = _leaving(KEPT + claiming(room, db.dialect), others)
    params: dict[str, object] = {"worker_id": worker_id, **names}
    most = room if admit is None else min(admit, room)

    def work(tx: Tx) -> list[Claimed]:
        opened = admission.admit(tx, most, others)
        kept, taken = _claim(tx, worker_id, sql, params, stands)
        admission.close(tx, opened, taken)
        if taken:
            crashpoint("claim.before_commit")
        return kept

    claimed = db.write(work)
    crashpoint("claim.committed")
    return claimed


def _claim(
    tx: Tx, worker_id: str, sql: str, params: dict[str, object], stands: Stands | None
) -> tuple[list[Claimed], frozenset[str]]:
    """Return the claims to run, and the ids of all jobs taken: some went back to review."""
    rows = tx.rows(sql, params)
    rows.sort(key=lambda r: (-r[7], r[8], r[0]))
    actor = worker_actor(worker_id)
    kept: list[Claimed] = []
    resuming = [row[0] for row in rows if row[1] > 1]
    approved, decided = questions(tx, resuming)
    doubtful = doubts(tx, approved, stands)
    stored = carried(tx, [one for one in resuming if one not in doubtful], decided)
    by_job: dict[str, list[Row]] = {}
    for one in approved:
        by_job.setdefault(one[13], []).append(one)
    for row in rows:
        key = RunKey(row[0], row[1], worker_id)
        before = _before(row)
        if row[0] in doubtful:
            send_back(tx, key, row[2], doubtful[row[0]], before=before, actor=actor)
            continue
        kept.append(_claimed(key, row, stored.get(key.job_id)))
        tx.record(started(kept[-1], before, _since_approval(row, by_job.get(row[0], ()))))
    return kept, frozenset(row[0] for row in rows)


def started(claimed: Claimed, before: JobStatus, facts: Mapping[str, Json] = NO_FACTS) -> Event:
    """Return the event of a claim, with ``facts`` beside the attempt."""
    return Event(
        action="job.started",
        actor=worker_actor(claimed.key.worker_id),
        job_id=claimed.key.job_id,
        job_type=claimed.job_type,
        before=before,
        after=JobStatus.RUNNING,
        data={"attempt": claimed.attempt, **facts},
    )


def _since_approval(row: tuple[Any, ...], approved: Sequence[Row]) -> dict[str, Json]:
    """Return how long after its approval the job of ``row`` goes on, if that is what lets it."""
    if row[6] > 1:  # claims since the last orderly end: a run before this one died
        return {}
    return gone_on(approved, row[8], row[21])


def _before(row: tuple[Any, ...]) -> JobStatus:
    """Return the status before the claim: everything but enqueue raises the token.

    A fork begins with a token of 1, as if it had been claimed: it has a record to load.
    """
    first = 1 if row[20] is None else 2
    return JobStatus.PENDING if row[1] == first else JobStatus.QUEUED


def _claimed(key: RunKey, row: tuple[Any, ...], stored: StoredRecord | None) -> Claimed:
    return Claimed(
        key=key,
        job_type=row[2],
        input_text=row[3],
        attempt=row[4],
        max_attempts=row[5],
        claims=row[6],
        resuming=row[1] > 1,
        fresh=row[1] == 1,
        priority=row[7],
        user_id=row[9],
        user_name=row[10],
        project_id=row[11],
        task_description=row[12],
        task_configuration=row[13],
        context_document_id=row[14],
        approval_strategy=row[15],
        code_version=row[16],
        metadata=row[17],
        created_micros=row[18],
        traceparent=row[19],
        stored=stored,
    )


def claimed_of(row: Mapping[str, Any], key: RunKey, *, resuming: bool) -> Claimed:
    """Return the job of a full ``ai_jobs`` row as a claim with ``key`` would."""
    same = (
        "job_type", "max_attempts", "claims", "priority", "user_id", "user_name", "project_id",
        "task_description", "task_configuration", "context_document_id", "approval_strategy",
        "code_version", "metadata", "traceparent",
    )  # fmt: skip
    return Claimed(
        **{name: row[name] for name in same},
        key=key,
        input_text=row["input_data"],
        attempt=row["attempts"],
        resuming=resuming,
        fresh=not resuming,
        created_micros=row["created_at"],
    )


def give_back(db: Database, keys: Sequence[RunKey]) -> int:
    """Put claimed jobs back into the queue, uncharged; return how many still were this worker's."""
    if not keys:
        return 0

    def work(tx: Tx) -> int:
        rows = tx.values("id, token", GIVE_BACK, [(k.job_id, k.token) for k in keys])
        tx.record(*(_released(keys[0].worker_id, job_id, kind) for job_id, kind in rows))
        crashpoint("release.before_commit")
        return len(rows)

    return db.write(work)


def _released(worker_id: str, job_id: str, job_type: str) -> Event:
    return Event(
        action="job.released",
        actor=worker_actor(worker_id),
        job_id=job_id,
        job_type=job_type,
        before=JobStatus.RUNNING,
        after=JobStatus.QUEUED,
    )


def next_due(db: Database, *, others: Collection[str] = (), gated: bool = True) -> float | None:
    """Return the seconds until a job is claimable: 0 means now, None that no time will do.

    ``others`` are job types that do not count; without ``gated``, limited types do not either.
    """
    sql, names = _leaving(DUE, others)
    with db.read() as reader:
        row = reader.row(sql, names)
        opening = admission.next_opening(reader, others) if gated else None
    waits = [wait for wait in (None if row is None else row[0], opening) if wait is not None]
    return max(0.0, min(waits) / MICROSECONDS) if waits else None
