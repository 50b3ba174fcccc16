"""Forks: a new job that begins with a copy of another's record.

What is copied is as it was, results and digests to the letter: the handler is answered from it and
must ask exactly what was asked then. Checkpoints and artifacts get ids of their own and name their
originals. What models cost stays on the original's books: it was spent once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict, Invalid
from agent_console.domain.events import Event
from agent_console.domain.forks import ForkLine, ForkPlan, RecordedDecision
from agent_console.domain.jobs import Job, JobStatus, Json
from agent_console.domain.search import index_text
from agent_console.store import comments, job_writes, votes
from agent_console.store.database import Reader
from agent_console.store.fork_plans import Limit, first_limit
from agent_console.store.ids import new_id
from agent_console.store.rechecks import Stands
from agent_console.store.record_cuts import decisions_of, steps_of
from agent_console.store.runs import ARTIFACT_WORDS
from agent_console.store.transactions import Queries, Tx

MAX_FORKS = 50  # listed on the original's page
RUNNING = "The job is RUNNING; its record still grows. Pause it, or wait for its end."
AFTER = "It comes after the point."

_STEPS = """
INSERT INTO job_steps (job_id, position, kind, name, result, code_version, attempt, started_at,
  finished_at)
SELECT :to, position, kind, name, result, code_version, attempt, started_at, finished_at
FROM job_steps WHERE job_id = :id AND position < :position
"""

# Nobody can present a token of which this would be the digest: what was answered is answered.
_CALLBACKS = """
INSERT INTO job_callbacks (token_hash, job_id, position, body, created_at, received_at)
SELECT 'fork ' || :to || ' ' || position, :to, position, body, created_at, received_at
FROM job_callbacks WHERE job_id = :id AND position < :position AND received_at IS NOT NULL
"""

_ROWS = """
SELECT * FROM {table} WHERE job_id = :id AND position >= 0 AND position < :position
ORDER BY position
"""

_MARK = """
UPDATE ai_jobs SET forked_from = :id, forked_position = :position, code_version = :version,
  claim_token = 1 WHERE id = :to
"""

FORKS = """
SELECT id, status, forked_position, user_name, created_at FROM ai_jobs
WHERE forked_from = :id ORDER BY id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a fork begins; ``edited``: the handler would see another input.

    ``stands`` is the policy under which its approvals must hold; None: it is not asked.
    """

    position: int
    edited: bool
    stands: Stands | None


def plan(queries: Queries, original: Job, point: Point) -> ForkPlan:
    """Return what a fork of ``original`` takes over.

    Raises:
        Conflict: the original is running.
        Invalid: its record has no such point.
    """
    if original.status is JobStatus.RUNNING:
        raise Conflict(RUNNING, currentStatus=original.status.value)
    steps = steps_of(queries, original.id)
    if not 0 <= point.position <= len(steps):
        raise Invalid.field("fromPosition", f"must be from 0 to {len(steps)}.")
    limit = first_limit(
        queries, original.id, point.position, edited=point.edited, stands=point.stands
    )
    position = point.position if limit is None else limit.position
    decisions = decisions_of(queries, original.id)
    return ForkPlan(
        requested=point.position,
        position=position,
        reason="" if limit is None else limit.reason,
        edited=point.edited,
        reused_steps=[one for one in steps if one.position < position],
        reused_decisions=[one for one in decisions if one.position < position],
        asked_again=[_again(one, point, limit) for one in decisions if one.position >= position],
    )


def _again(one: RecordedDecision, point: Point, limit: Limit | None) -> RecordedDecision:
    reason = AFTER if limit is None or one.position >= point.position else limit.follows
    if limit is not None and one.position == limit.position:
        reason = limit.reason
    return RecordedDecision(
        checkpoint_id=one.checkpoint_id,
        position=one.position,
        message=one.message,
        status=one.status,
        decided_by_name=one.decided_by_name,
        reason=reason,
    )


def copy_record(tx: Tx, original: Job, made: Job, planned: ForkPlan, actor: Actor) -> Job:
    """Give the new job ``made`` its record, and journal on both what was taken over."""
    params: dict[str, object] = {
        "id": original.id,
        "to": made.id,
        "position": planned.position,
        "version": original.code_version,
    }
    tx.execute(_MARK, params)
    tx.execute(_STEPS, params)
    tx.execute(_CALLBACKS, params)
    reused = _copy_checkpoints(tx, params)
    _copy_artifacts(tx, params)
    facts: dict[str, Json] = {
        "requestedPosition": planned.requested,
        "fromPosition": planned.position,
        "edited": planned.edited,
        "reusedSteps": len(planned.reused_steps),
    }
    tx.record(
        Event(
            action="job.copied",
            actor=actor,
            job_id=made.id,
            job_type=made.job_type,
            subject_id=original.id,
            data={**facts, "forkedFrom": original.id},
        ),
        *(_reused(row, made, actor) for row in reused),
        Event(
            action="job.forked",
            actor=actor,
            job_id=original.id,
            job_type=original.job_type,
            subject_id=made.id,
            data={**facts, "fork": made.id},
        ),
    )
    return job_writes.job(tx, made.id)


def _copy_checkpoints(tx: Tx, params: dict[str, object]) -> list[dict[str, Any]]:
    """Copy notes and decisions with what was said of them; return the rows of the decisions."""
    rows = tx.dicts(_ROWS.format(table="agent_checkpoints"), params)
    ids = {row["id"]: new_id("chk") for row in rows}
    for row in rows:
        original = row["id"]
        row.update(
            id=ids[original],
            job_id=params["to"],
            forked_from=original,
            rule_id=None,  # no rule was asked of it
            rule_shadow=0,
            previous_id=ids.get(row["previous_id"], row["previous_id"]),
        )
    _insert(tx, "agent_checkpoints", rows)
    if any(row["policy_id"] for row in rows):
        votes.copy(tx, ids)
    threads = comments.rows_of(tx, list(ids))
    for row in threads:
        row.update(id=new_id("cmt"), checkpoint_id=ids[row["checkpoint_id"]])
    _insert(tx, "checkpoint_comments", threads)
    return [row for row in rows if row["checkpoint_type"] == "APPROVAL_REQUIRED"]


def _copy_artifacts(tx: Tx, params: dict[str, object]) -> None:
    """Copy artifacts and make them findable; the handler goes on knowing them by the old ids."""
    rows = tx.dicts(_ROWS.format(table="work_artifacts"), params)
    for row in rows:
        row.update(id=new_id("art"), job_id=params["to"], forked_from=row["id"])
    _insert(tx, "work_artifacts", rows)
    for row in rows:
        facts = {
            "artifact_id": row["id"],
            "job_id": row["job_id"],
            "artifact_type": row["artifact_type"],
        }
        words = index_text(facts, row["name"], row["content"])
        tx.execute(ARTIFACT_WORDS, {"id": row["id"], "words": words})


def _insert(tx: Tx, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        columns = list(rows[0])
        tx.insert(table, columns, [tuple(row[name] for name in columns) for row in rows])


def _reused(row: dict[str, Any], made: Job, actor: Actor) -> Event:
    return Event(
        action="checkpoint.reused",
        actor=actor,
        job_id=made.id,
        job_type=made.job_type,
        checkpoint_id=row["id"],
        verdict=row["status"].lower(),
        data={
            "forkedFrom": row["forked_from"],
            "payloadDigest": row["payload_digest"],
            "decidedBy": row["approved_by_name"],
        },
    )


def of_job(reader: Reader, job_id: str) -> list[ForkLine]:
    """Return the newest forks of the job, newest first."""
    return [
        ForkLine(
            id=row[0],
            status=JobStatus(row[1]),
            position=row[2],
            user_name=row[3],
            created_at=from_micros(row[4]),
        )
        for row in reader.rows(FORKS, {"id": job_id, "limit": MAX_FORKS})
    ]
