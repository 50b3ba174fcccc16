"""Delegations: somebody else may decide in one's stead, for a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_console.domain.access import Role
from agent_console.domain.review_policies import DECIDING_ROLES, ReviewPolicy, deciders

LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """An account's right to decide, lent to another one from ``starts_at`` until ``ends_at``.

    It is over as well once ``revoked_at`` is set.
    """

    id: str
    from_id: str
    from_name: str
    to_id: str
    to_name: str
    starts_at: datetime
    ends_at: datetime
    created_by_name: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegator:
    """Whose right somebody has now; ``role`` and ``disabled`` are the account's of this moment."""

    id: str
    name: str
    role: Role
    disabled: bool


def in_whose_stead(
    policy: ReviewPolicy,
    delegators: Iterable[Delegator],
    *,
    escalated: bool,
    requested_by: str | None,
) -> Delegator | None:
    """Return for whom somebody may decide who is not asked themselves; None: for nobody.

    Who could not decide it themselves, the requester included, has nothing to lend.
    """
    asked = deciders(policy.terms, escalated=escalated)
    for one in delegators:
        able = not one.disabled and one.role in DECIDING_ROLES and one.id != requested_by
        if able and asked.admits(one.role, one.id):
            return one
    return None
