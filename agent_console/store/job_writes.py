"""Writing jobs from outside of a run: enqueue, and what people do to a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import CLAIMABLE, Job, JobStatus, JobVerb, Json, NewJob, after
from agent_console.domain.uniqueness import OnConflict, Unique
from agent_console.store import admission, idempotency, new_jobs, rows, uniques
from agent_console.store.claims import claimed_of, started
from agent_console.store.engine_values import Claimed, RunKey
from agent_console.store.job_retry import prepare_retry
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
    """The job of a request. ``replayed``: of the one it repeats; ``existing``: of its key.

    ``begun`` is the claim of a job that has begun with it.
    """

    job: Job
    replayed: bool = False
    existing: bool = False
    begun: Claimed | None = None


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
    worker_id: str | None = None,
) -> Made:
    """Insert the job, its key and its journal entry, unless there is one already.

    ``traceparent`` is the place in a trace to which the job belongs; ``asker`` is whose job it is,
    if not the actor's. ``worker_id`` is the worker that begins it, if its type is not limited.

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
    params = new_jobs.params_of(
        job_id,
        new,
        asker,
        None if key is None else key.key,
        max_attempts=max_attempts,
        traceparent=traceparent,
    )
    row, begun = _insert(tx, params, worker_id)
    made = rows.job(row)
    tx.record(created(made.id, made.job_type, made.status, actor, replaced))
    if begun is not None:
        tx.record(started(begun, made.status))
        crashpoint("begin.before_commit")
    return Made(job=made, begun=begun)


def _insert(
    tx: Tx, params: Params, worker_id: str | None
) -> tuple[Mapping[str, Any], Claimed | None]:
    """Return the row as it was made, and the claim of a job that has begun."""
    row = None if worker_id is None else new_jobs.insert_begun(tx, params, worker_id)
    if worker_id is None or row is None:
        return new_jobs.insert(tx, params), None
    key = RunKey(row["id"], row["claim_token"], worker_id)
    return new_jobs.as_made(row), claimed_of(row, key, resuming=False)


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
_GATE: Final = new_jobs.GATE.format("ai_jobs.job_type")
MOVES: Final = f"status = :after, updated_at = {{now}}, gate = {_GATE}"
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
