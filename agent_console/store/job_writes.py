"""Writing jobs from outside of a run: enqueue, and what people do to a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import CLAIMABLE, Job, JobStatus, JobVerb, Json, NewJob, after
from agent_console.domain.payload import dumps
from agent_console.store import admission, idempotency, rows
from agent_console.store.job_retry import prepare_retry
from agent_console.store.record_cuts import close_open, cut
from agent_console.store.transactions import Params, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """An idempotency key as the store keeps it: who and what for, which, of which body."""

    scope: str
    key: str
    digest: str


def enqueue(
    tx: Tx,
    job_id: str,
    new: NewJob,
    *,
    max_attempts: int,
    actor: Actor,
    key: RequestKey | None,
    traceparent: str | None = None,
) -> tuple[Job, bool]:
    """Insert the job, its key and its journal entry; the flag says that ``key`` was a repetition.

    ``traceparent`` is the place in a trace to which the job belongs.

    Raises:
        Conflict: the key was used for a different request, or for a job that is deleted.
    """
    if key is not None:
        original = idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=job_id
        )
        if original is not None:
            return _made_before(tx, original), True
    params = _params(job_id, new, actor, key)
    more = {"max_attempts": max_attempts, "traceparent": traceparent}
    made = rows.job(tx.dicts(_INSERT, {**params, **more})[0])
    event = Event(
        action="job.created",
        actor=actor,
        job_id=job_id,
        job_type=new.job_type,
        after=made.status.value,
    )
    tx.record(event)
    return made, False


def _made_before(tx: Tx, job_id: str) -> Job:
    """Return the job that a key has made; never a second one, though the first be deleted."""
    try:
        return job(tx, job_id)
    except NotFound:
        raise Conflict(
            f"This Idempotency-Key made job {job_id}, which was deleted since; use a new key.",
            subjectId=job_id,
        ) from None


def job(tx: Tx, job_id: str) -> Job:
    """Return the job as this transaction sees it.

    Raises:
        NotFound: there is none.
    """
    found = tx.dicts("SELECT * FROM ai_jobs WHERE id = :id", {"id": job_id})
    if not found:
        raise NotFound(f"There is no job {job_id}.")
    return rows.job(found[0])


_COLUMNS = (
    "id", "job_type", "status", "task_description", "input_data", "priority", "user_id",
    "user_name", "project_id", "task_configuration", "context_document_id", "approval_strategy",
    "max_attempts", "metadata", "idempotency_key", "traceparent", "lane",
)  # fmt: skip
_ZEROS = ("attempts", "claims", "resuming", "claim_token")
# A job of a limited type is held from the beginning; see ``admission``.
_GATE = "coalesce((SELECT gated FROM job_types WHERE job_type = {0}), 0)"
_INSERT = (
    f"INSERT INTO ai_jobs ({', '.join((*_COLUMNS, *_ZEROS))}, gate, run_at, created_at, updated_at)"
    f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)}, 0, 0, 0, 0,"
    f" {_GATE.format(':job_type')}, coalesce(:run_at, {{now}} + :delay), {{now}}, {{now}})"
    " RETURNING *"
)


def _params(job_id: str, new: NewJob, actor: Actor, key: RequestKey | None) -> Params:
    configuration = new.task_configuration
    return {
        "id": job_id,
        "job_type": new.job_type,
        "status": (JobStatus.PENDING if new.auto_execute else JobStatus.INITIALIZED).value,
        "task_description": new.task_description,
        "input_data": dumps(new.input_data),
        "priority": new.priority,
        "user_id": actor.id,
        "user_name": actor.name or None,
        "project_id": new.project_id,
        "task_configuration": None if configuration is None else dumps(configuration),
        "context_document_id": new.context_document_id,
        "approval_strategy": new.approval_strategy,
        "metadata": dumps(new.metadata),
        "lane": new.lane,
        "idempotency_key": None if key is None else key.key,
        "run_at": None if new.run_at is None else to_micros(new.run_at),
        "delay": round((new.delay_seconds or 0) * MICROSECONDS),
    }


_LETS_GO = frozenset({JobVerb.RESUME, JobVerb.EXECUTE})
_PAST = {
    JobVerb.EXECUTE: "job.executed",
    JobVerb.CANCEL: "job.canceled",
    JobVerb.PAUSE: "job.paused",
    JobVerb.RESUME: "job.resumed",
    JobVerb.RESUME_WAITING: "job.resumed",
    JobVerb.RETRY: "job.retried",
    JobVerb.FAIL: "job.failed",
}
_UNPARKED = "park_reason = NULL, park_code = NULL, park_detail = NULL"
# What a verb changes beside the status. On the right, columns have the values of before.
_CHANGES = {
    JobVerb.EXECUTE: "",
    JobVerb.CANCEL: ", completed_at = {now}, worker_id = NULL",
    # A held run goes on with the attempt it has already been charged.
    JobVerb.PAUSE: ", claims = 0, worker_id = NULL,"
    " resuming = CASE WHEN status IN ('RUNNING', 'WAITING') THEN 1 ELSE resuming END",
    JobVerb.RESUME: f", claims = 0, {_UNPARKED},"
    " resuming = CASE WHEN status = 'PARKED' THEN 1 ELSE resuming END",
    JobVerb.RESUME_WAITING: "",
    JobVerb.FAIL: f", {_UNPARKED}, completed_at = {{now}}, worker_id = NULL, error = :error",
    # Attempt numbers go on: logs of different tries must not share one.
    JobVerb.RETRY: f", claims = 0, resuming = 0, {_UNPARKED}, error = NULL, progress = NULL,"
    " output_data = NULL, completed_at = NULL, run_at = {now},"
    " max_attempts = CASE WHEN attempts < max_attempts THEN max_attempts ELSE attempts + 1 END",
}


def control(
    tx: Tx,
    job_id: str,
    verb: JobVerb,
    actor: Actor,
    *,
    cut_before: int | None = None,
    error: str | None = None,
    facts: Mapping[str, Json] | None = None,
) -> Job:
    """Apply ``verb`` to the job, and to its open checkpoint when it is canceled.

    ``cut_before`` is a position before which its record is cut, ``error`` why it fails as the
    column holds it; ``facts`` go into the journal.

    The claim token rises, so that a run that is under way can write no more; only the first
    release into the queue leaves it: a token of 1 is how a claim knows a job's first.

    Raises:
        NotFound: there is no such job.
        Conflict: its status does not allow the verb; ``currentStatus`` says which it is.
    """
    found = tx.dicts(
        "SELECT job_type, status, error, gate, lane FROM ai_jobs WHERE id = :id {for_update}",
        {"id": job_id},
    )
    if not found:
        raise NotFound(f"There is no job {job_id}.")
    before = JobStatus(found[0]["status"])
    target = after(before, verb)  # before anything is changed; and the message names `verb`
    if before is JobStatus.PAUSED and verb in _LETS_GO and _has_open_checkpoint(tx, job_id):
        verb = JobVerb.RESUME_WAITING
        target = after(before, verb)
    changed = tx.execute(
        "UPDATE ai_jobs SET status = :after, claim_token = claim_token + :fence,"
        f" updated_at = {{now}}, gate = {_GATE.format('ai_jobs.job_type')}{_CHANGES[verb]}"
        " WHERE id = :id AND status = :before",
        {
            "id": job_id,
            "before": before.value,
            "after": target.value,
            "error": error,
            "fence": 0 if before is JobStatus.INITIALIZED and verb is JobVerb.EXECUTE else 1,
        },
    )
    if not changed:
        raise Conflict(f"The job was {before} a moment ago and is not any more.")
    if before in CLAIMABLE and found[0]["gate"]:
        admission.leave(tx, found[0]["job_type"], found[0]["lane"])
    if verb is JobVerb.CANCEL:
        close_open(tx, job_id, found[0]["job_type"], actor)
    if cut_before is not None:
        close_open(tx, job_id, found[0]["job_type"], actor, cut_before)
        cut(tx, job_id, cut_before)
    elif verb is JobVerb.RETRY:
        prepare_retry(tx, job_id, before, found[0]["error"])
    changed_job = job(tx, job_id)
    tx.record(_event(_PAST[verb], actor, changed_job, before, facts))
    return changed_job


def _event(
    action: str,
    actor: Actor,
    changed: Job,
    before: JobStatus,
    facts: Mapping[str, Json] | None,
) -> Event:
    seconds = None
    if changed.started_at is not None and changed.completed_at is not None:
        seconds = (changed.completed_at - changed.started_at).total_seconds()
    return Event(
        action=action,
        actor=actor,
        job_id=changed.id,
        job_type=changed.job_type,
        before=before.value,
        after=changed.status.value,
        seconds=seconds,
        data=dict(facts or {}),
    )


def _has_open_checkpoint(tx: Tx, job_id: str) -> bool:
    found = tx.row(
        "SELECT 1 FROM agent_checkpoints WHERE job_id = :id AND status = 'PENDING'",
        {"id": job_id},
    )
    return found is not None
