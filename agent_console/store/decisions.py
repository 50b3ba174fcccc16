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
)
from agent_console.domain.checkpoints import after as checkpoint_after
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, ConsoleError, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import digest, dumps
from agent_console.domain.questions import told_of
from agent_console.domain.review_policies import (
    MOVES,
    AtDeadline,
    PolicyBook,
    Tally,
    deciders,
)
from agent_console.domain.rulings import Fate, Ruling, fate_of
from agent_console.store import cases, idempotency, joint, review_sums, rows
from agent_console.store.cases import Case
from agent_console.store.deadlines import lock_jobs, pass_deadline, wake
from agent_console.store.ids import new_id
from agent_console.store.job_writes import RequestKey
from agent_console.store.prepared import KEPT
from agent_console.store.review_policies import policy_facts
from agent_console.store.transactions import Row, Tx

_WHOLE = """
SELECT c.*, j.job_type, j.status AS job_status, j.user_id AS requested_by,
       j.user_name AS requested_by_name
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id WHERE c.id = :id
"""
COLUMNS: Final = (
    "id, status, by_id, by_name, decision_digest, reason, feedback, edited, response, policy_id,"
    " hold"
)
# The deadline is part of the compare-and-set: at its very instant the checkpoint is expired.
DECIDE: Final = """
UPDATE agent_checkpoints SET status = v.status, approved_by = v.by_id,
       approved_by_name = v.by_name, approved_at = {now}, decision_digest = v.decision_digest,
       rejection_reason = v.reason, feedback = v.feedback, edited_data = v.edited,
       response = v.response, policy_id = v.policy_id, updated_at = {now},
       undo_until = CASE WHEN v.hold > 0 THEN {now} + v.hold END
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status{by_id} = 'PENDING'
  AND (agent_checkpoints.expires_at IS NULL OR agent_checkpoints.expires_at > {now})
RETURNING agent_checkpoints.id, agent_checkpoints.approved_at, agent_checkpoints.created_at
"""
_MAY_BE_DECIDED = frozenset({JobStatus.WAITING, JobStatus.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the decision; ``too_late`` is to be raised once the transaction is through.

    Raising it inside would undo the expiry it tells of. ``replayed``: the request was a repetition.
    ``tally``: the verdict is kept, but more people have to agree, and nothing is decided yet.
    """

    checkpoint: Checkpoint
    replayed: bool = False
    too_late: Conflict | None = None
    tally: Tally | None = None


@dataclass(frozen=True, slots=True)
class _Settled:
    """A case as it stands now, and why the verdict was refused, if it was.

    ``late``: it was refused by the compare-and-set itself, which may have expired it.
    """

    case: Case | None
    refusal: ConsoleError | None = None
    late: bool = False
    tally: Tally | None = None
    undo_until: datetime | None = None


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
    return Outcome(checkpoint=checkpoint, tally=settled.tally)


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
    found, book = cases.read(tx, verdicts)
    for checkpoint_id in verdicts:
        case = found.get(checkpoint_id)
        try:
            if case is None:
                raise NotFound(f"There is no checkpoint {checkpoint_id}.")
            _refuse_if_over(case)
            ready[checkpoint_id] = case, check(tx, case)
        except ConsoleError as refusal:
            settled[checkpoint_id] = _Settled(case, refusal)
    late = _vote(tx, ready, settled, actor)
    rows_ = [_row(case, actor, hold) for case, _ in ready.values()]
    decided = {row[0]: row[1:] for row in tx.values(COLUMNS, DECIDE, rows_)}
    held = {ready[one][0].job_id: _hold(ready[one][0], hold) for one in decided}
    woken = wake(tx, held, actor)
    for checkpoint_id, (case, facts) in ready.items():
        if checkpoint_id in decided:
            at, since = decided[checkpoint_id]
            told = {**facts, **review_sums.stages(since, case.first_seen, at)}
            tx.record(_event(case, actor, waited=(at - since) / MICROSECONDS, facts=told))
            if case.job_id in woken:
                tx.record(woken[case.job_id])
            undo = from_micros(at + held[case.job_id]) if held[case.job_id] else None
            settled[checkpoint_id] = _Settled(_decided(case, actor, at), undo_until=undo)
    late += [case for case, _ in ready.values() if case.id not in decided]
    return settled | dict(_too_late(tx, late, book))


def _vote(
    tx: Tx,
    ready: dict[str, tuple[Case, dict[str, Json]]],
    settled: dict[str, _Settled],
    actor: Actor,
) -> list[Case]:
    """Move to ``settled`` what more people have to agree to; return what was not open any more."""
    stead = {one: str(facts["forId"]) for one, (_, facts) in ready.items() if "forId" in facts}
    weighed = joint.weigh(tx, [case for case, _ in ready.values()], actor, stead)
    for checkpoint_id, names in weighed.enough.items():
        ready[checkpoint_id][1]["agreed"] = [*names]
    for checkpoint_id, tally in weighed.cast.items():
        settled[checkpoint_id] = _Settled(ready.pop(checkpoint_id)[0], tally=tally)
    for checkpoint_id, refusal in weighed.refused.items():
        settled[checkpoint_id] = _Settled(ready.pop(checkpoint_id)[0], refusal)
    return [ready.pop(one)[0] for one in weighed.late]


def _hold(case: Case, hold: int) -> int:
    """Return for how many microseconds the job waits: the policy's word, else ``hold``."""
    own = case.policy.terms.undo_seconds
    return hold if own is None else own * MICROSECONDS


def _whole(tx: Tx, checkpoint_id: str) -> Checkpoint:
    return rows.checkpoint(tx.dicts(KEPT + _WHOLE, {"id": checkpoint_id})[0])


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


def _row(case: Case, actor: Actor, hold: int) -> Row:
    """Return what is written of a verdict, in the order of ``COLUMNS``."""
    verdict = case.verdict
    return (
        case.id,
        checkpoint_after(case.status, verdict.verb).value,
        actor.id,
        _name(actor),
        joint.bound_to(case.payload_digest, verdict),
        verdict.reason if verdict.verb is CheckpointVerb.REJECT else None,
        verdict.feedback,
        joint.edited_text(verdict),
        None if verdict.response is None else dumps(verdict.response),
        case.policy.id,
        _hold(case, hold),
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
        **policy_facts(case.policy),
        review_sums.RISK: case.risk,
        **facts,
        **{name: text for name, text in said.items() if text},
        **told_of(verdict),
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


def _too_late(tx: Tx, late: Sequence[Case], book: PolicyBook) -> Iterator[tuple[str, _Settled]]:
    """Let the deadline do to the checkpoints what it does, and refuse the verdicts."""
    if not late:
        return
    passed = pass_deadline(tx, [case.pending for case in late])
    found, _ = cases.read(tx, {case.id: case.verdict for case in late}, book)
    for before in late:
        case = found[before.id]
        refusal = _lost(case)
        if case.id in passed and before.expires_at is not None:
            refusal = _deadline_passed(case, passed[case.id], _zulu(before.expires_at))
        yield case.id, _Settled(case, refusal, late=True)


def _deadline_passed(case: Case, what: AtDeadline, at: str) -> Conflict:
    """Return what somebody is told whose verdict came when the time was up."""
    if what in MOVES:
        until = "" if case.expires_at is None else _zulu(case.expires_at)
        asked = deciders(case.policy.terms, escalated=case.escalated).words
        return Conflict(
            f"The deadline passed at {at}; nothing was decided. By its policy this is open until"
            f" {until}, and asks {asked}: look again.",
            currentStatus=case.status.value,
            deadlineMoved=until,
        )
    if what is AtDeadline.FAIL:
        return Conflict(
            f"The checkpoint expired at {at}; nothing was decided.",
            currentStatus=case.status.value,
            expiredAt=at,
        )
    return _lost(case)


def _ruling(checkpoint_id: str, settled: _Settled) -> Ruling:
    case, refusal = settled.case, settled.refusal
    if case is None:
        message = "" if refusal is None else refusal.message
        return Ruling(checkpoint_id=checkpoint_id, fate=Fate.NOT_FOUND, message=message)
    fate = Fate.DECIDED if settled.tally is None else Fate.VOTED
    message = "" if settled.tally is None else settled.tally.words
    return Ruling(
        checkpoint_id=checkpoint_id,
        fate=fate if refusal is None else fate_of(refusal, case.status),
        message=message if refusal is None else refusal.message,
        status=case.status,
        job_id=case.job_id,
        decided_by_name=case.decided_by_name,
        decided_at=case.decided_at,
        payload_digest=case.payload_digest,
        undo_until=settled.undo_until,
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
        None if one.undo_until is None else _zulu(one.undo_until),
    ]


def _from_plain(stored: Sequence[Any]) -> Ruling:
    # Answers of before undo had eight members.
    checkpoint_id, fate, status, job_id, message, decided_by_name, decided_at, digested, *more = (
        stored
    )
    undo_until = more[0] if more else None
    return Ruling(
        checkpoint_id=checkpoint_id,
        fate=Fate(fate),
        status=None if status is None else CheckpointStatus(status),
        job_id=job_id,
        message=message,
        decided_by_name=decided_by_name,
        decided_at=None if decided_at is None else datetime.fromisoformat(decided_at),
        payload_digest=digested,
        undo_until=None if undo_until is None else datetime.fromisoformat(undo_until),
    )


def _zulu(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
