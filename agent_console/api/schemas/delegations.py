"""Wire models of delegations of the right to decide."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, InstantIn, Out, Success, example

_Account = Annotated[StrictStr, StringConstraints(min_length=1, max_length=254)]


class DelegationOut(Out):
    """From when until when one account may decide in another's stead."""

    id: str
    from_id: str
    from_name: str
    to_id: str
    to_name: str
    starts_at: Instant
    ends_at: Instant
    created_by_name: str
    created_at: Instant
    revoked_at: Instant | None


class DelegationsAnswer(Success):
    """The delegations that hold or will, soonest first."""

    delegations: list[DelegationOut]


class DelegationAnswer(Success):
    """One delegation."""

    delegation: DelegationOut


class DelegationIn(In):
    """Accounts by id or e-mail address; ``from`` is your own unless you manage policies."""

    model_config = example(to="ray@example.com", endsAt="2026-12-24T12:00:00Z")

    to: _Account
    owner: _Account | None = Field(None, alias="from")
    starts_at: InstantIn | None = Field(None, description="By default now.")
    ends_at: InstantIn
