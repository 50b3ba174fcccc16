"""Claims of checkpoints: who has taken one on, so that two people do not read the same diff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_console.domain.errors import Conflict

LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewClaim:
    """A lease on a checkpoint. ``user_id`` is the account, or what stands for one.

    It keeps others from deciding until ``until``; anybody who may decide can take it over.
    """

    checkpoint_id: str
    user_id: str
    user_name: str
    claimed_at: datetime
    until: datetime

    def refusal(self, who: str) -> str:
        """Return why ``who`` may not decide now; "" when the claim is theirs."""
        if who == self.user_id:
            return ""
        until = self.until.strftime("%H:%M UTC")
        return f"{self.user_name} has claimed this until {until}; take it over to decide."

    def conflict(self, who: str) -> Conflict:
        """Return what ``who`` is told while the claim is somebody else's."""
        return Conflict(
            self.refusal(who), claimedBy=self.user_name, claimedUntil=self.until.isoformat()
        )
