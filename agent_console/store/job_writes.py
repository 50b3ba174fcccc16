"""Writing jobs from outside of a run: enqueue, and what people do to a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import CLAIMABLE, Job, JobStatus, JobVerb, Json, NewJob, after
from agent_console.domain.payload import dumps
from agent_console.domain.uniqueness import OnConflict, Unique
from agent_console.store import admission, idempotency, rows, uniques
from agent_console.store.job_retry import prepare_retry
from agent_console.store.prepared import KEPT
from agent_console.store.record_cuts import close_open, cut
from agent_console.store.transactions import Params, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """An idempotency key as the store keeps it: who and what for, which, of which body."""

    scope: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The job of a request. ``replayed``: of the one it repeats; ``existing``: of its key."""

    job: Job
    replayed: bool = False
    existing: bool = False


def enqueue(
    tx: Tx,
    job_id: str,
    new: NewJob,
    *,
    max_attempts: int,
    actor: Actor,
    key: RequestKey | None,
    traceparent: str | None = None,
    asker: Actor | None = None,
) -> Made:
    """Insert the job, its key and its journal entry, unless there is one already.

    ``traceparent`` is the place in a trace to which the job belongs; ``asker`` is whose job it is,
    if not the actor's.

    Raises:
        Conflict: the key was used for a different request, or for a job that is deleted; or
            another job is in the way.
    """
    asker = asker or actor
    if key is not None:
        original = idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=job_id
        )
        if original is not None:
            return repeated(tx, original, asker, key)
    replaced: list[str] = []
    if new.unique is not None:
        holder, replaced = _make_room(tx, job_id, new, new.unique, actor)
        if holder is not None:
            if key is not None:
                idempotency.answer_with(tx, scope=key.scope, key=key.key, subject_id=holder)
            return Made(job=job(tx, holder), existing=True)
    params = params_of(job_id, new, asker, key, max_attempts=max_attempts, traceparent=traceparent)
    made = rows.job(tx.dicts(INSERT_ONE, params)[0])
    tx.record(created(made.id, made.job_type, made.status, actor, replaced))
    return Made(job=made)


def repeated(tx: Tx, job_id: str, asker: Actor, key: RequestKey) -> Made:
    """Return the answer to a repetition: the first one, found again.

    A job that another request made was the answer because it had the unique key then.
    """
    row = _made_before(tx, job_id)
    who = asker.id or asker.name
    own = row["idempotency_key"] == key.key and (row["user_id"] or row["user_name"] or "") == who
    return Made(job=rows.job(row), replayed=True, existing=not own)


def created(
    job_id: str, job_type: str, status: JobStatus, actor: Actor, replaced: Sequence[str] = ()
) -> Event:
    """Return the event of a new job."""
    return Event(
        action="job.created",
        actor=actor,
        job_id=job_id,
        job_type=job_type,
        after=status.value,
        data={"replaced": [*replaced]} if replaced else {},
    )


def _make_room(
    tx: Tx, job_id: str, new: NewJob, unique: Unique, actor: Actor
) -> tuple[str | None, list[str]]:
    """Return the job that answers instead of a new one, or those that were canceled for it.

    Raises:
        Conflict: one is in the way, and is to stay.
    """
    key = unique.settled()
    uniques.lock(tx, new.job_type, key, job_id)
    locking = unique.on_conflict is OnConflict.REPLACE
    holders = uniques.others(tx, new.job_type, key, job_id, unique.while_in, locking=locking)
    if not holders:
        return None, []
    if unique.on_conflict is OnConflict.REJECT:
        raise uniques.taken(new.job_type, key, holders[0])
    if unique.on_conflict is OnConflict.EXISTING:
        oldest = str(holders[0][0])
        uniques.lock(tx, new.job_type, key, oldest)
        return oldest, []
    for holder, _status in holders:
        control(tx, holder, JobVerb.CANCEL, actor, facts={"replacedBy": job_id})
    return None, [str(holder) for holder, _status in holders]


def _made_before(tx: Tx, job_id: str) -> dict[str, Any]:
    """Return the row of the job that a key has made; never a second one's, if it was deleted."""
    for row in tx.dicts(_ONE, {"id": job_id}):
        return row
    raise Conflict(
        f"This Idempotency-Key made job {job_id}, which was deleted since; use a new key.",
        subjectId=job_id,
    )


def job(tx: Tx, job_id: str) -> Job:
    """Return the job as this transaction sees it.

    Raises:
        NotFound: there is none.
    """
    found = tx.dicts(_ONE, {"id": job_id})
    if not found:
        raise NotFound(f"There is no job {job_id}.")
    return rows.job(found[0])


_ONE = "SELECT * FROM ai_jobs WHERE id = :id"
# A job of a limited type is held from the beginning; see ``admission``.
_GATE: Final = "coalesce((SELECT gated FROM job_types WHERE job_type = {0}), 0)"
# Every column a new job has a value in, with its SQL. One job or a thousand are inserted by this
# one table: what is a parameter here is named in ``params_of``.
COLUMNS: Final[Mapping[str, str]] = {
    **{
        name: f":{name}"
        for name in (
            "id", "job_type", "status", "task_description", "input_data", "priority", "user_id",
            "user_name", "project_id", "task_configuration", "context_document_id",
            "approval_strategy", "max_attempts", "metadata", "idempotency_key", "traceparent",
            "unique_key", "unique_while", "lane",
        )
    },
    **dict.fromkeys(("attempts", "claims", "resuming", "claim_token"), "0"),
    "gate": _GATE.format(":job_type"),
    "run_at": "coalesce(:run_at, {now} + CAST(:delay AS BIGINT))",
    "created_at": "{now}",
    "updated_at": "{now}",
}  # fmt: skip
INSERT_ONE: Final = (
    f"{KEPT} INSERT INTO ai_jobs ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(COLUMNS.values())}) RETURNING *"
)


def params_of(
    job_id: str,
    new: NewJob,
    asker: Actor,
    key: RequestKey | None,
    *,
    max_attempts: int,
    traceparent: str | None,
) -> Params:
    """Return the values of a new job's row by the names that ``COLUMNS`` uses."""
    configuration, unique = new.task_configuration, new.unique
    user_id, user_name = asker_of(asker)
    return {
        "id": job_id,
        "job_type": new.job_type,
        "status": (JobStatus.PENDING if new.auto_execute else JobStatus.INITIALIZED).value,
        "task_description": new.task_description,
        "input_data": dumps(new.input_data),
        "priority": new.priority,
        "user_id": user_id,
        "user_name": user_name,
        "project_id": new.project_id,
        "task_configuration": None if configuration is None else dumps(configuration),
        "context_document_id": new.context_document_id,
        "approval_strategy": new.approval_strategy,
        "max_attempts": max_attempts,
        "metadata": dumps(new.metadata) if new.metadata else "{}",
        "lane": new.lane,
        "idempotency_key": None if key is None else key.key,
        "traceparent": traceparent,
        "unique_key": None if unique is None else unique.settled(),
        "unique_while": None if unique is None else " ".join(unique.while_in),
        "run_at": None if new.run_at is None else to_micros(new.run_at),
        "delay": round((new.delay_seconds or 0) * MICROSECONDS),
    }


def asker_of(asker: Actor) -> tuple[str | None, str | None]:
    """Return the account and the name under which a job of ``asker`` is kept."""
    return asker.id, asker.name or None


_LETS_GO = frozenset({JobVerb.RESUME, JobVerb.EXECUTE})
PAST = {
    JobVerb.EXECUTE: "job.executed",
    JobVerb.CANCEL: "job.canceled",
    JobVerb.PAUSE: "job.paused",
    JobVerb.RESUME: "job.resumed",
    JobVerb.RESUME_WAITING: "job.resumed",
    JobVerb.RETRY: "job.retried",
    JobVerb.FAIL: "job.failed",
}
# What is read of a job before a verb is applied to it, and what each changes.
FOUND: Final = f"{uniques.RETAKEN}, status, error, gate, lane"
MOVES: Final = f"status = :after, updated_at = {{now}}, gate = {_GATE.format('ai_jobs.job_type')}"
_UNPARKED = "park_reason = NULL, park_code = NULL, park_detail = NULL"
# What a verb changes beside the status. On the right, columns have the values of before.
CHANGES = {
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
    column holds it; ``facts`` are journaled with it. Nothing is written before an error is raised.

    The claim token rises, so that a run that is under way can write no more; only the first
    release into the queue leaves it: a token of 1 is how a claim knows a job's first.

    Raises:
        NotFound: there is no such job.
        Conflict: its status does not allow the verb; ``currentStatus`` says which it is. Or it
            would be in the way of another job with its unique key.
    """
    found = tx.dicts(
        f"SELECT {FOUND} FROM ai_jobs WHERE id = :id {{for_update}}",
        {"id": job_id},
    )
    if not found:
        raise NotFound(f"There is no job {job_id}.")
    before = JobStatus(found[0]["status"])
    target = after(before, verb)  # before anything is changed; and the message names `verb`
    if before is JobStatus.PAUSED and verb in _LETS_GO and _has_open_checkpoint(tx, job_id):
        verb = JobVerb.RESUME_WAITING
        target = after(before, verb)
    uniques.retake(tx, found[0], before, target)
    changed = tx.execute(
        f"UPDATE ai_jobs SET {MOVES}, claim_token = claim_token + :fence{CHANGES[verb]}"
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
    leave_gate(tx, found[0], before)
    if verb is JobVerb.CANCEL:
        close_open(tx, job_id, found[0]["job_type"], actor)
    if cut_before is not None:
        close_open(tx, job_id, found[0]["job_type"], actor, cut_before)
        cut(tx, job_id, cut_before)
    elif verb is JobVerb.RETRY:
        prepare_retry(tx, job_id, before, found[0]["error"])
    changed_job = job(tx, job_id)
    tx.record(changed_event(PAST[verb], actor, changed_job, before, facts))
    return changed_job


def changed_event(
    action: str, actor: Actor, changed: Job, before: JobStatus, data: Mapping[str, Json] | None
) -> Event:
    """Return the event of what ``actor`` did to a job that was in ``before``."""
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
        data=dict(data or {}),
    )


def leave_gate(tx: Tx, found: Mapping[str, Any], before: JobStatus) -> None:
    """Let another of its lane take the place of a held job that was moved; ``found``: ``FOUND``."""
    if before in CLAIMABLE and found["gate"]:
        admission.leave(tx, found["job_type"], found["lane"])


def _has_open_checkpoint(tx: Tx, job_id: str) -> bool:
    found = tx.row(
        "SELECT 1 FROM agent_checkpoints WHERE job_id = :id AND status = 'PENDING'",
        {"id": job_id},
    )
    return found is not None
