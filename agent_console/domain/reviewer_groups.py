"""Groups of reviewers: accounts under one name, that review policies ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.review_policies import Person

MAX_NAME = 80  # characters
MAX_NOTE = 500
MAX_MEMBERS = 200
MAX_GROUPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerGroup:
    """A group as it is now; being a member lends no permission, which an account has itself."""

    id: str
    name: str
    note: str
    members: tuple[Person, ...]
    created_by_name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What to change; None leaves it. Members by account id or e-mail address."""

    name: str | None = None
    note: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
