"""Where a checkpoint stands under its review policy, for who looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus, CheckpointVerb
from agent_console.domain.review_policies import (
    DEFAULT,
    ReviewPolicy,
    Tally,
    Vote,
    agreeing,
    counts,
    needed,
)
from agent_console.store import review_policies, votes
from agent_console.store.joint import already
from agent_console.store.transactions import Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The policy that holds, or was applied; the votes that count; why not to approve again."""

    policy: ReviewPolicy
    votes: list[Vote]
    approve_refusal: str


def of(reader: Queries, actor: Actor, checkpoint: Checkpoint) -> Standing:
    """Return where ``checkpoint`` stands."""
    policy = _policy(reader, checkpoint)
    given = votes.of(reader, [checkpoint.id])[checkpoint.id]
    valid = [one for one in given if counts(one, policy.terms)]
    return Standing(
        policy=policy, votes=valid, approve_refusal=_again(actor, checkpoint, policy, valid)
    )


def _policy(reader: Queries, checkpoint: Checkpoint) -> ReviewPolicy:
    if checkpoint.status is not CheckpointStatus.PENDING:
        applied = checkpoint.policy_id and review_policies.by_id(reader, checkpoint.policy_id)
        return applied or DEFAULT
    book = review_policies.book(reader, [checkpoint.job_type])
    return book.of(checkpoint.job_type, checkpoint.action)


def _again(actor: Actor, checkpoint: Checkpoint, policy: ReviewPolicy, given: list[Vote]) -> str:
    """Return why ``actor`` need not approve what was proposed: they have, and others have to."""
    verb = CheckpointVerb.APPROVE
    same = agreeing(given, policy.terms, verb, checkpoint.payload_digest)
    tally = Tally(verb=verb, given=len(same), needed=needed(policy.terms, verb))
    own = any(one.user_id == actor.who for one in same)
    return already(tally) if own and tally.given < tally.needed else ""
