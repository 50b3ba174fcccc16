"""Taking a checkpoint on, for ten minutes at a time, so that others look at something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Forbidden
from agent_console.domain.review_claims import ReviewClaim
from agent_console.services.job_requests import who
from agent_console.services.review_policy import asked_refusal
from agent_console.store import cases
from agent_console.store import review_claims as store
from agent_console.store.database import Database
from agent_console.store.transactions import Tx


class ReviewClaimService:
    """Use cases of claims. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def claim(self, actor: Actor, checkpoint_id: str, *, take_over: bool = False) -> ReviewClaim:
        """Claim the checkpoint, or renew the claim; ``take_over`` that of somebody else.

        Raises:
            Forbidden: the actor may not decide, or its review policy asks others.
            NotFound: there is no such checkpoint.
            Conflict: it needs no decision, or another has claimed it.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)

        def work(tx: Tx) -> ReviewClaim:
            found, _ = cases.read(tx, {checkpoint_id: Verdict(verb=CheckpointVerb.APPROVE)})
            for case in found.values():
                why_not = asked_refusal(tx, actor, case, case.policy, escalated=case.escalated)
                if why_not:
                    raise Forbidden(why_not, policyVersion=case.policy.version)
            return store.take(tx, checkpoint_id, who(actor), actor, take_over=take_over)

        return self._db.write(work)

    def release(self, actor: Actor, checkpoint_id: str) -> None:
        """Give the checkpoint back; one that the actor has not claimed stays as it is.

        Raises:
            Forbidden: the actor may not decide.
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        self._db.write(lambda tx: store.release(tx, checkpoint_id, who(actor), actor))

    def of(self, actor: Actor, checkpoint_ids: Sequence[str]) -> Mapping[str, ReviewClaim]:
        """Return the claims that hold now among ``checkpoint_ids``, by checkpoint."""
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            return store.live(reader, checkpoint_ids)
