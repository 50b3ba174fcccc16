"""Verdicts in which several people have to agree: kept as votes until the last one needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import (
    CheckpointStatus,
    CheckpointVerb,
    Verdict,
    decision_digest,
)
from agent_console.domain.errors import Conflict
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import digest, dumps
from agent_console.domain.questions import told_of
from agent_console.domain.review_policies import Tally, Vote, agreeing, needed
from agent_console.store import votes
from agent_console.store.cases import Case
from agent_console.store.review_policies import policy_facts
from agent_console.store.transactions import Row, Tx


@dataclass(frozen=True, slots=True)
class Weighed:
    """What became of verdicts that need more than one person, by checkpoint.

    ``enough`` are to be decided now; the names are of those who had said the same before.
    ``cast`` are recorded and more are needed; ``late`` were not open any more.
    """

    enough: dict[str, list[str]] = field(default_factory=dict)
    cast: dict[str, Tally] = field(default_factory=dict)
    refused: dict[str, Conflict] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)


def weigh(
    tx: Tx, cases: Iterable[Case], actor: Actor, stead: Mapping[str, str] | None = None
) -> Weighed:
    """Record the verdicts that more people have to give; their jobs are locked.

    ``stead`` has the accounts in whose stead ``actor`` decides, by checkpoint. Nothing is asked of
    the database where one person's word is enough.
    """
    joint = {case.id: case for case in cases if needed(case.policy.terms, case.verdict.verb) > 1}
    weighed = Weighed()
    if not joint:
        return weighed
    tallies: dict[str, Tally] = {}
    right = stead or {}
    for checkpoint_id, given in votes.of(tx, list(joint)).items():
        case = joint[checkpoint_id]
        _weigh(weighed, tallies, case, given, (actor.who, right.get(checkpoint_id) or actor.who))
    rows = [_row(joint[one], actor, right.get(one)) for one in tallies]
    open_still = votes.cast(tx, rows)
    for checkpoint_id, tally in tallies.items():
        if checkpoint_id in open_still:
            weighed.cast[checkpoint_id] = tally
            tx.record(_voted(joint[checkpoint_id], actor, tally, right.get(checkpoint_id)))
        else:
            weighed.late.append(checkpoint_id)
    return weighed


def _weigh(
    weighed: Weighed,
    tallies: dict[str, Tally],
    case: Case,
    given: list[Vote],
    own: tuple[str, str],
) -> None:
    """``own`` are who says it, and in whose right: neither says the same twice."""
    verb, terms = case.verdict.verb, case.policy.terms
    same = agreeing(given, terms, verb, bound_to(case.payload_digest, case.verdict))
    others = [one for one in same if one.user_id != own[0] and one.right != own[1]]
    tally = Tally(verb=verb, given=len(others) + 1, needed=needed(terms, verb))
    if tally.given >= tally.needed:
        weighed.enough[case.id] = [one.user_name for one in others]
    elif len(others) < len(same):
        weighed.refused[case.id] = Conflict(
            already(tally), currentStatus=case.status.value, votes=tally.given, needed=tally.needed
        )
    else:
        tallies[case.id] = tally


def already(tally: Tally) -> str:
    """Return what somebody is told who says the same again."""
    return f"You have said this already: {tally.words}. Somebody else has to say it as well."


def bound_to(payload_digest: str, verdict: Verdict) -> str:
    """Return the digest of exactly what ``verdict`` is on: the payload, and what it gives."""
    return decision_digest(payload_digest, given_text(verdict))


def given_text(verdict: Verdict) -> str | None:
    """Return the canonical text of the answer, or of the edit; None without either."""
    if verdict.verb is CheckpointVerb.ANSWER:
        return dumps(verdict.response)
    return edited_text(verdict)


def edited_text(verdict: Verdict) -> str | None:
    """Return the canonical text of the edit; None without one."""
    return None if verdict.edited_data is None else dumps(verdict.edited_data)


def _row(case: Case, actor: Actor, for_id: str | None) -> Row:
    verdict = case.verdict
    return (
        case.id,
        actor.who,
        actor.name or actor.kind,
        verdict.verb.value,
        bound_to(case.payload_digest, verdict),
        verdict.reason or verdict.feedback,
        given_text(verdict),
        for_id,
    )


def _voted(case: Case, actor: Actor, tally: Tally, for_id: str | None) -> Event:
    verdict = case.verdict
    data: dict[str, Json] = {
        "payloadDigest": case.payload_digest,
        "votes": tally.given,
        "needed": tally.needed,
        **policy_facts(case.policy),
    }
    if said := verdict.reason or verdict.feedback:
        data["said"] = said
    if for_id is not None:
        data["forId"] = for_id
    if edited := edited_text(verdict):
        data["editedDigest"] = digest(edited)
    data |= told_of(verdict)
    return Event(
        action="checkpoint.voted",
        actor=actor,
        job_id=case.job_id,
        job_type=case.job_type,
        checkpoint_id=case.id,
        before=CheckpointStatus.PENDING,
        verdict=verdict.verb.value,
        data=data,
    )
