"""Approval without a person: by a review policy's rule, or by the strategy of a job."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.review_policies import ReviewPolicy
from agent_console.domain.risk import Severity, within

AUTO_APPROVE_LOW_RISK = "auto_approve_low_risk"
CHECKPOINT_REQUIRED = "checkpoint_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """By whose leave a checkpoint needs nobody: a policy's rule, or a job's ``strategy``.

    ``policy`` is the version whose rule would approve it, None: there is no such rule. With a
    rule in shadow people are asked all the same.
    """

    policy: ReviewPolicy | None = None
    strategy: str = ""

    @property
    def shadow(self) -> bool:
        """Say whether the rule only says what it would have done."""
        return self.policy is not None and self.policy.terms.automatic.shadow

    @property
    def approves(self) -> bool:
        """Say whether nobody is asked."""
        return bool(self.strategy) or (self.policy is not None and not self.shadow)


def leave(policy: ReviewPolicy, risk: str, strategy: str | None) -> Leave:
    """Return by whose leave a checkpoint whose gravest finding is ``risk`` needs nobody.

    ``policy`` is the one that holds for it, ``strategy`` the job's. The policy is named first: it
    is what can be stopped.
    """
    rule = policy.terms.automatic
    ruled = policy if within(risk, rule.up_to) else None
    if ruled is not None and not rule.shadow:
        return Leave(policy=ruled)
    if strategy == AUTO_APPROVE_LOW_RISK and within(risk, Severity.LOW):
        return Leave(strategy=strategy)
    return Leave(policy=ruled)


def insists(strategy: str | None, *, auto: bool | None, sent_back: bool) -> bool:
    """Say whether a person is wanted whatever a policy says.

    By the handler (``auto`` False), by whoever made the job, or because somebody asked for
    changes and wants to see them.
    """
    return auto is False or sent_back or strategy == CHECKPOINT_REQUIRED
