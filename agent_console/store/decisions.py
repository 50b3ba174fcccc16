"""The one transaction in which checkpoints are decided: one, or many with as many statements.

Locks are taken job first, then checkpoint, as everywhere: a decision and a cancellation that meet
wait for each other instead of deadlocking, and the loser sees what the winner committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointVerb,
    Verdict,
    decision_digest,
)
from agent_console.domain.checkpoints import after as checkpoint_after
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, ConsoleError, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import digest, dumps
from agent_console.domain.review_claims import ReviewClaim
from agent_console.domain.rulings import Fate, Ruling, fate_of
from agent_console.store import idempotency, review_sums, rows
from agent_console.store.deadlines import expire, lock_jobs, wake
from agent_console.store.dialects import ids_param
from agent_console.store.ids import new_id
from agent_console.store.job_writes import RequestKey
from agent_console.store.transactions import Row, Tx

_WHOLE = """
SELECT c.*, j.job_type, j.status AS job_status, j.user_id AS requested_by,
       j.user_name AS requested_by_name
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id WHERE c.id = :id
"""
CASES: Final = """
SELECT c.id, c.job_id, c.status, c.payload_digest, c.edit_schema, c.approved_by,
       c.approved_by_name, c.approved_at, c.expires_at, c.round, c.rounds, j.job_type,
       j.status AS job_status, j.user_id AS requested_by, j.user_name AS requested_by_name,
       k.checkpoint_id, k.user_id, k.user_name, k.claimed_at, k.until, c.risk,
       (SELECT min(first_seen) FROM checkpoint_views w WHERE w.checkpoint_id = c.id) AS first_seen
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
LEFT JOIN checkpoint_claims k ON k.checkpoint_id = c.id AND k.until > {now}
WHERE c.id {among_ids}
"""
COLUMNS: Final = (
    "id, status, by_id, by_name, decision_digest, reason, feedback, edited, response, hold"
)
# The deadline is part of the compare-and-set: at its very instant the checkpoint is expired.
DECIDE: Final = """
UPDATE agent_checkpoints SET status = v.status, approved_by = v.by_id,
       approved_by_name = v.by_name, approved_at = {now}, decision_digest = v.decision_digest,
       rejection_reason = v.reason, feedback = v.feedback, edited_data = v.edited,
       response = v.response, updated_at = {now},
       undo_until = CASE WHEN v.hold > 0 THEN {now} + v.hold END
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status = 'PENDING'
  AND (agent_checkpoints.expires_at IS NULL OR agent_checkpoints.expires_at > {now})
RETURNING agent_checkpoints.id, agent_checkpoints.approved_at, agent_checkpoints.created_at
"""
_MAY_BE_DECIDED = frozenset({JobStatus.WAITING, JobStatus.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A checkpoint under decision, without its payload, and what is said of it.

    ``edit_schema`` is read only where the verdict has edits; ``claim`` holds now.
    """

    id: str
    job_id: str
    job_type: str
    job_status: JobStatus
    status: CheckpointStatus
    payload_digest: str
    requested_by: str | None
    requested_by_name: str | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    expires_at: datetime | None
    round: int
    rounds: int | None
    edit_schema: dict[str, Any] | None
    claim: ReviewClaim | None
    risk: str | None
    first_seen: int | None  # µs
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the decision; ``too_late`` is to be raised once the transaction is through.

    Raising it inside would undo the expiry it tells of. ``replayed``: the request was a repetition.
    """

    checkpoint: Checkpoint
    replayed: bool = False
    too_late: Conflict | None = None


@dataclass(frozen=True, slots=True)
class _Settled:
    """A case as it stands now, and why the verdict was refused, if it was.

    ``late``: it was refused by the compare-and-set itself, which may have expired it.
    """

    case: Case | None
    refusal: ConsoleError | None = None
    late: bool = False


# Checks a verdict against policy and payload; returns facts for the journal, or raises.
Check = Callable[[Tx, Case], dict[str, Json]]


def decide(
    tx: Tx,
    checkpoint_id: str,
    verdict: Verdict,
    *,
    actor: Actor,
    key: RequestKey | None,
    check: Check,
    hold: int = 0,
) -> Outcome:
    """Record ``verdict`` and let the job go on, or say who was faster.

    For ``hold`` microseconds the job waits, and the decision can be taken back.

    Raises:
        NotFound: there is no such checkpoint.
        Conflict: it is decided (names winner, verdict and time), its job cannot go on, or the
            idempotency key was used otherwise.
    """
    lock_jobs(tx, [checkpoint_id])
    if key is not None and _is_repetition(tx, key):
        return Outcome(checkpoint=_whole(tx, checkpoint_id), replayed=True)
    settled = _settle(tx, {checkpoint_id: verdict}, actor, check, hold)[checkpoint_id]
    if settled.refusal is not None and not settled.late:
        raise settled.refusal
    checkpoint = _whole(tx, checkpoint_id)
    if isinstance(settled.refusal, Conflict):
        return Outcome(checkpoint=checkpoint, too_late=settled.refusal)
    if key is not None:
        idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=checkpoint_id
        )
    crashpoint("decide.before_commit")
    return Outcome(checkpoint=checkpoint)


def decide_many(
    tx: Tx,
    verdicts: Mapping[str, Verdict],
    *,
    actor: Actor,
    key: RequestKey | None,
    check: Check,
    hold: int = 0,
) -> tuple[list[Ruling], bool]:
    """Record a verdict on each checkpoint, in one transaction; return what became of each.

    What it does to one is what ``decide`` does, ``hold`` included; what is refused keeps nobody
    else back. The flag says that the request was a repetition: the answer is the first one.

    Raises:
        Conflict: the idempotency key was used otherwise.
    """
    if key is not None:
        batch_id = new_id("bat")
        earlier = idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=batch_id
        )
        if earlier is not None:
            return [_from_plain(one) for one in idempotency.remembered(tx, earlier)], True
    lock_jobs(tx, list(verdicts))
    settled = _settle(tx, verdicts, actor, check, hold)
    rulings = [_ruling(one, settled[one]) for one in verdicts]
    if key is not None:
        idempotency.remember(tx, batch_id, [_plain(one) for one in rulings])
    crashpoint("decide.before_commit")
    return rulings, False


def _settle(
    tx: Tx, verdicts: Mapping[str, Verdict], actor: Actor, check: Check, hold: int
) -> dict[str, _Settled]:
    """Decide what can be, its jobs being locked; as many statements for many as for one."""
    settled: dict[str, _Settled] = {}
    ready: dict[str, tuple[Case, dict[str, Json]]] = {}
    cases = _cases(tx, verdicts)
    for checkpoint_id in verdicts:
        case = cases.get(checkpoint_id)
        try:
            if case is None:
                raise NotFound(f"There is no checkpoint {checkpoint_id}.")
            _refuse_if_over(case)
            ready[checkpoint_id] = case, check(tx, case)
        except ConsoleError as refusal:
            settled[checkpoint_id] = _Settled(case, refusal)
    rows_ = [(*_row(case, actor), hold) for case, _ in ready.values()]
    decided = {row[0]: row[1:] for row in tx.values(COLUMNS, DECIDE, rows_)}
    woken = wake(tx, [ready[one][0].job_id for one in decided], actor, hold=hold)
    for checkpoint_id, (case, facts) in ready.items():
        if checkpoint_id in decided:
            at, since = decided[checkpoint_id]
            told = {**facts, **review_sums.stages(since, case.first_seen, at)}
            tx.record(_event(case, actor, waited=(at - since) / MICROSECONDS, facts=told))
            if case.job_id in woken:
                tx.record(woken[case.job_id])
            settled[checkpoint_id] = _Settled(_decided(case, actor, at))
    late = [case for case, _ in ready.values() if case.id not in decided]
    return settled | dict(_too_late(tx, late))


def _cases(tx: Tx, verdicts: Mapping[str, Verdict]) -> dict[str, Case]:
    found = tx.dicts(CASES, {"ids": ids_param(list(verdicts), tx.dialect)})
    return {row["id"]: _case(row, verdicts[row["id"]]) for row in found}


def _case(row: Mapping[str, Any], verdict: Verdict) -> Case:
    schema = row["edit_schema"] if verdict.edited_data is not None else None
    same = (
        "id", "job_id", "job_type", "payload_digest", "requested_by", "requested_by_name",
        "round", "rounds", "risk", "first_seen",
    )  # fmt: skip
    return Case(
        **{name: row[name] for name in same},
        job_status=JobStatus(row["job_status"]),
        status=CheckpointStatus(row["status"]),
        decided_by=row["approved_by"],
        decided_by_name=row["approved_by_name"],
        decided_at=rows.instant(row["approved_at"]),
        expires_at=rows.instant(row["expires_at"]),
        edit_schema=None if schema is None else rows.json_object(schema),
        claim=None if row["until"] is None else rows.review_claim(row),
        verdict=verdict,
    )


def _whole(tx: Tx, checkpoint_id: str) -> Checkpoint:
    return rows.checkpoint(tx.dicts(_WHOLE, {"id": checkpoint_id})[0])


def _is_repetition(tx: Tx, key: RequestKey) -> bool:
    return idempotency.find(tx, scope=key.scope, key=key.key, digest=key.digest) is not None


def _refuse_if_over(case: Case) -> None:
    """Raise what the loser of a race, or a late comer, is told."""
    if case.status is not CheckpointStatus.PENDING:
        raise _lost(case)
    if case.job_status not in _MAY_BE_DECIDED:
        raise Conflict(
            f"The job is {case.job_status}; its checkpoint cannot be decided.",
            currentStatus=case.status.value,
            jobStatus=case.job_status.value,
        )


def _lost(case: Case) -> Conflict:
    if case.decided_at is None:
        return Conflict(
            f"The checkpoint is {case.status}; it can no longer be decided ({case.verdict.verb}).",
            currentStatus=case.status.value,
        )
    who = case.decided_by_name or case.decided_by or "somebody else"
    at = _zulu(case.decided_at)
    return Conflict(
        f"{who} was faster: the checkpoint is {case.status} since {at}.",
        currentStatus=case.status.value,
        decidedBy=who,
        decidedAt=at,
    )


def _row(case: Case, actor: Actor) -> Row:
    """Return what is written of a verdict, in the order of ``COLUMNS``, without the last."""
    verdict = case.verdict
    edited = None if verdict.edited_data is None else dumps(verdict.edited_data)
    return (
        case.id,
        checkpoint_after(case.status, verdict.verb).value,
        actor.id,
        _name(actor),
        decision_digest(case.payload_digest, edited),
        verdict.reason if verdict.verb is CheckpointVerb.REJECT else None,
        verdict.feedback,
        edited,
        None if verdict.response is None else dumps(verdict.response),
    )


def _name(actor: Actor) -> str:
    return actor.name or actor.kind


def _decided(case: Case, actor: Actor, at: int) -> Case:
    return replace(
        case,
        status=checkpoint_after(case.status, case.verdict.verb),
        decided_by=actor.id,
        decided_by_name=_name(actor),
        decided_at=from_micros(at),
    )


def _event(case: Case, actor: Actor, *, waited: float, facts: dict[str, Json]) -> Event:
    verdict = case.verdict
    status = checkpoint_after(case.status, verdict.verb)
    said: dict[str, Json] = {"reason": verdict.reason, "feedback": verdict.feedback}
    data: dict[str, Json] = {
        "payloadDigest": case.payload_digest,
        "waitedSeconds": waited,
        review_sums.RISK: case.risk,
        **facts,
        **{name: text for name, text in said.items() if text},
    }
    if verdict.edited_data is not None:
        data["editedDigest"] = digest(dumps(verdict.edited_data))
    return Event(
        action=f"checkpoint.{status.value.lower()}",
        actor=actor,
        job_id=case.job_id,
        job_type=case.job_type,
        checkpoint_id=case.id,
        before=case.status.value,
        after=status.value,
        verdict=verdict.verb.value,
        seconds=waited,
        data=data,
    )


def _too_late(tx: Tx, cases: Sequence[Case]) -> Iterator[tuple[str, _Settled]]:
    """Expire the checkpoints, which wakes their jobs to hear of it, and refuse the verdicts."""
    if not cases:
        return
    expired = expire(tx, [case.id for case in cases])
    for case in _cases(tx, {case.id: case.verdict for case in cases}).values():
        refusal = _lost(case)
        if case.id in expired and case.expires_at is not None:
            at = _zulu(case.expires_at)
            refusal = Conflict(
                f"The checkpoint expired at {at}; nothing was decided.",
                currentStatus=case.status.value,
                expiredAt=at,
            )
        yield case.id, _Settled(case, refusal, late=True)


def _ruling(checkpoint_id: str, settled: _Settled) -> Ruling:
    case, refusal = settled.case, settled.refusal
    if case is None:
        message = "" if refusal is None else refusal.message
        return Ruling(checkpoint_id=checkpoint_id, fate=Fate.NOT_FOUND, message=message)
    return Ruling(
        checkpoint_id=checkpoint_id,
        fate=Fate.DECIDED if refusal is None else fate_of(refusal, case.status),
        message="" if refusal is None else refusal.message,
        status=case.status,
        job_id=case.job_id,
        decided_by_name=case.decided_by_name,
        decided_at=case.decided_at,
        payload_digest=case.payload_digest,
    )


def _plain(one: Ruling) -> list[Json]:
    return [
        one.checkpoint_id,
        one.fate.value,
        one.status and one.status.value,
        one.job_id,
        one.message,
        one.decided_by_name,
        None if one.decided_at is None else _zulu(one.decided_at),
        one.payload_digest,
    ]


def _from_plain(stored: Sequence[Any]) -> Ruling:
    checkpoint_id, fate, status, job_id, message, decided_by_name, decided_at, digested = stored
    return Ruling(
        checkpoint_id=checkpoint_id,
        fate=Fate(fate),
        status=None if status is None else CheckpointStatus(status),
        job_id=job_id,
        message=message,
        decided_by_name=decided_by_name,
        decided_at=None if decided_at is None else datetime.fromisoformat(decided_at),
        payload_digest=digested,
    )


def _zulu(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
