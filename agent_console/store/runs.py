"""What a run writes while it runs, each write fenced by its claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent_console.domain.automatic import Leave
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import LostClaim
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Progress
from agent_console.domain.payload import dumps
from agent_console.domain.search import index_text
from agent_console.store.claims import worker_actor
from agent_console.store.database import Database
from agent_console.store.engine_values import (
    NewArtifact,
    NewCheckpoint,
    NewLog,
    NewStep,
    RunKey,
)
from agent_console.store.ids import new_id
from agent_console.store.prepared import KEPT
from agent_console.store.review_policies import policy_facts
from agent_console.store.transactions import Tx

# FOR SHARE holds off whoever would take the job away until this transaction has ended.
OWNER = """
SELECT id FROM ai_jobs WHERE id = :job_id AND claim_token = :token AND status = 'RUNNING'
{for_share}
"""

STEP = """
INSERT INTO job_steps (job_id, position, kind, name, result, code_version, attempt, started_at,
  finished_at)
VALUES (:job_id, :position, :kind, :name, :result, :code_version, :attempt, :started_at,
  :finished_at)
"""

CHECKPOINT = """
INSERT INTO agent_checkpoints (id, job_id, position, checkpoint_type, status, message, payload,
  payload_digest, metadata, edit_schema, expires_at, round, rounds, previous_id, risk,
  answer_schema, answer_default, insists, rule_id, rule_shadow, created_at, updated_at)
VALUES (:id, :job_id, :position, :checkpoint_type, :status, :message, :payload, :payload_digest,
  :metadata, :edit_schema, {now} + CAST(:expires_in AS BIGINT), :round, :rounds, :previous_id,
  :risk, :answer_schema, :answer_default, :insists, :rule_id, :rule_shadow, {now}, {now})
"""

ARTIFACT = """
INSERT INTO work_artifacts (id, job_id, position, name, artifact_type, media_type, content, size,
  digest, metadata, created_at)
VALUES (:id, :job_id, :position, :name, :artifact_type, :media_type, :content, :size, :digest,
  :metadata, {now})
"""

ARTIFACT_WORDS = """
INSERT INTO artifact_texts (artifact_id, words) VALUES (:id, {words_value})
"""

WAIT = """
UPDATE ai_jobs SET status = 'WAITING', worker_id = NULL, resuming = 1, claims = 0,
  code_version = coalesce(:code_version, code_version), claim_token = claim_token + 1,
  updated_at = {now}
WHERE id = :job_id AND claim_token = :token AND status = 'RUNNING'
"""

PROGRESS = """
UPDATE ai_jobs SET progress = :progress, updated_at = {now}
WHERE id = :job_id AND claim_token = :token AND status = 'RUNNING'
"""

LOG_ROWS = 1000  # per statement
LOG_COLUMNS = ("job_id", "at", "level", "message", "attempt", "data")
LOGS = """
INSERT INTO agent_logs (job_id, at, level, message, attempt, data)
SELECT v.job_id, CAST(v.at AS BIGINT), v.level, v.message, CAST(v.attempt AS INTEGER), v.data
FROM v JOIN ai_jobs j ON j.id = v.job_id AND j.claim_token = v.token AND j.status = 'RUNNING'
ORDER BY v.n RETURNING id
"""


def hold(tx: Tx, key: RunKey) -> None:
    """Make sure, until the end of the transaction, that the run still owns its job."""
    if tx.row(KEPT + OWNER, {"job_id": key.job_id, "token": key.token}) is None:
        raise LostClaim


def insert_step(tx: Tx, key: RunKey, step: NewStep) -> None:
    """Insert a recorded call within ``tx``."""
    tx.execute(
        KEPT + STEP,
        {
            "job_id": key.job_id,
            "position": step.position,
            "kind": step.kind,
            "name": step.name,
            "result": step.result,
            "code_version": step.code_version,
            "attempt": step.attempt,
            "started_at": to_micros(step.started_at),
            "finished_at": to_micros(step.finished_at),
        },
    )


def record_step(db: Database, key: RunKey, step: NewStep) -> None:
    """Record a step's result, once.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        hold(tx, key)
        insert_step(tx, key, step)
        tx.touch(key.job_id)
        crashpoint("step.before_commit")

    db.write(work)
    crashpoint("step.committed")


def record_note(db: Database, key: RunKey, note: NewCheckpoint) -> str:
    """Record an ``INFO`` or ``ERROR`` checkpoint with its step; return the checkpoint's id.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    checkpoint_id = new_id("chk")

    def work(tx: Tx) -> None:
        hold(tx, key)
        insert_step(tx, key, note.step)
        insert_checkpoint(tx, key, note, checkpoint_id, CheckpointStatus.APPROVED)

    db.write(work)
    crashpoint("note.committed")
    return checkpoint_id


def insert_checkpoint(
    tx: Tx,
    key: RunKey,
    new: NewCheckpoint,
    checkpoint_id: str,
    status: CheckpointStatus,
    *,
    rule: Leave | None = None,
) -> None:
    """Insert and journal a checkpoint, born in ``status``, within ``tx``.

    ``rule`` is what the policy that holds has to say of approving it by itself, if anything.
    """
    ruled = None if rule is None else rule.policy
    in_shadow = ruled is not None and ruled.terms.automatic.shadow
    blocking = new.checkpoint_type is CheckpointType.APPROVAL_REQUIRED
    expiry = new.expires_in if blocking else None
    place = _place_in_rounds(tx, key.job_id, new)
    tx.execute(
        KEPT + CHECKPOINT,
        {
            "id": checkpoint_id,
            "job_id": key.job_id,
            "position": new.step.position,
            "checkpoint_type": new.checkpoint_type.value,
            "status": status.value,
            "message": new.message,
            "payload": new.payload,
            "payload_digest": new.payload_digest,
            "metadata": new.metadata,
            "edit_schema": new.edit_schema,
            "answer_schema": new.answer_schema,
            "answer_default": new.answer_default,
            **place,
            "risk": new.risk if blocking else None,
            "insists": int(new.insists),
            "rule_id": None if ruled is None else ruled.id,
            "rule_shadow": int(in_shadow),
            "expires_in": None if expiry is None else int(expiry.total_seconds() * MICROSECONDS),
        },
    )
    tx.record(
        Event(
            action="checkpoint.created",
            actor=worker_actor(key.worker_id),
            job_id=key.job_id,
            job_type=new.job_type,
            checkpoint_id=checkpoint_id,
            after=status if blocking else None,  # a note waits for nobody and is not counted
            data={
                "type": new.checkpoint_type.value,
                "message": new.message,
                "digest": new.payload_digest,
                **({"round": place["round"], "rounds": new.rounds} if new.rounds else {}),
                **({"shadow": policy_facts(ruled)["policy"]} if ruled and in_shadow else {}),
            },
        )
    )


# The last proposal in rounds of this try; those of earlier tries have negative positions.
LAST_ROUND = """
SELECT id, round, status FROM agent_checkpoints
WHERE job_id = :job_id AND position >= 0 AND position < :position AND rounds IS NOT NULL
ORDER BY position DESC LIMIT 1
"""


def _place_in_rounds(tx: Tx, job_id: str, new: NewCheckpoint) -> dict[str, int | str | None]:
    """Return round, rounds and the checkpoint before, when that one was sent back."""
    alone: dict[str, int | str | None] = {"round": 1, "rounds": new.rounds, "previous_id": None}
    if new.rounds is None:
        return alone
    last = tx.row(LAST_ROUND, {"job_id": job_id, "position": new.step.position})
    if last is None or last[2] != CheckpointStatus.CHANGES_REQUESTED:
        return alone
    return {"round": last[1] + 1, "rounds": new.rounds, "previous_id": last[0]}


def suspend(db: Database, key: RunKey, new: NewCheckpoint, logs: Sequence[NewLog] = ()) -> str:
    """Open a blocking checkpoint for people and let the job wait, in one transaction.

    No policy is asked (``policy_approvals.put_up`` does that). Returns the checkpoint's id.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    checkpoint_id = new_id("chk")

    def work(tx: Tx) -> None:
        insert_logs(tx, logs)
        wait(tx, key, new.job_type, new.step.code_version)
        insert_step(tx, key, new.step)
        insert_checkpoint(tx, key, new, checkpoint_id, CheckpointStatus.PENDING)
        crashpoint("suspend.before_commit")

    db.write(work)
    crashpoint("suspend.committed")
    return checkpoint_id


def wait_again(db: Database, key: RunKey, job_type: str, logs: Sequence[NewLog] = ()) -> None:
    """Let the job wait at a checkpoint that is recorded and still open.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        insert_logs(tx, logs)
        wait(tx, key, job_type, None)

    db.write(work)


def wait(tx: Tx, key: RunKey, job_type: str, code_version: str | None) -> None:
    """Let the job of a run wait for somebody, within ``tx``; the run is over.

    Raises:
        LostClaim: the run no longer owns its job.
    """
    changed = tx.execute(
        KEPT + WAIT, {"job_id": key.job_id, "token": key.token, "code_version": code_version}
    )
    if not changed:
        raise LostClaim
    tx.record(
        Event(
            action="job.waiting",
            actor=worker_actor(key.worker_id),
            job_id=key.job_id,
            job_type=job_type,
            before=JobStatus.RUNNING,
            after=JobStatus.WAITING,
        )
    )


def save_artifact(db: Database, key: RunKey, new: NewArtifact) -> str:
    """Save an artifact with its step, once; return its id.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    artifact_id = new_id("art")
    facts = {
        "artifact_id": artifact_id,
        "job_id": key.job_id,
        "artifact_type": new.artifact_type.value,
    }
    words = index_text(facts, new.name, new.content)

    def work(tx: Tx) -> None:
        hold(tx, key)
        # The id is the call's result: on replay the handler gets the same one.
        insert_step(tx, key, replace(new.step, result=dumps(artifact_id)))
        tx.execute(
            KEPT + ARTIFACT,
            {
                "id": artifact_id,
                "job_id": key.job_id,
                "position": new.step.position,
                "name": new.name,
                "artifact_type": new.artifact_type.value,
                "media_type": new.media_type,
                "content": new.content,
                "size": len(new.content.encode()),
                "digest": new.digest,
                "metadata": new.metadata,
            },
        )
        tx.execute(ARTIFACT_WORDS, {"id": artifact_id, "words": words})
        tx.record(
            Event(
                action="artifact.saved",
                actor=worker_actor(key.worker_id),
                job_id=key.job_id,
                subject_id=artifact_id,
                data={"name": new.name, "digest": new.digest},
            )
        )

    db.write(work)
    crashpoint("artifact.committed")
    return artifact_id


def append_logs(db: Database, lines: Sequence[NewLog]) -> None:
    """Append log lines of any number of runs; those of runs that lost their job are dropped."""

    def work(tx: Tx) -> None:
        insert_logs(tx, lines)
        for job_id in {line.key.job_id for line in lines}:
            tx.touch(job_id)

    if lines:
        db.write(work)


def insert_logs(tx: Tx, lines: Sequence[NewLog]) -> None:
    """Insert ``lines`` within ``tx``, fenced, in their order."""
    rows = [
        (n, x.key.job_id, x.key.token, to_micros(x.at), x.level.value, x.message, x.attempt, x.data)
        for n, x in enumerate(lines)
    ]
    # In parts: a statement takes only so many parameters, and an outage piles up many lines.
    for start in range(0, len(rows), LOG_ROWS):
        part = rows[start : start + LOG_ROWS]
        tx.values("n, job_id, token, at, level, message, attempt, data", LOGS, part)


def set_progress(db: Database, key: RunKey, progress: Progress) -> None:
    """Say how far the run is.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    text = dumps({"fraction": progress.fraction, "message": progress.message})

    def work(tx: Tx) -> None:
        params: dict[str, object] = {"job_id": key.job_id, "token": key.token, "progress": text}
        if not tx.execute(KEPT + PROGRESS, params):
            raise LostClaim
        tx.touch(key.job_id)

    db.write(work)
