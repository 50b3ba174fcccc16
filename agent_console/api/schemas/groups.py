"""Wire models of groups of reviewers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Success, example
from agent_console.api.schemas.review_policies import PersonOut
from agent_console.domain.reviewer_groups import MAX_MEMBERS, MAX_NAME, MAX_NOTE, GroupChange

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_NAME)]
_Note = Annotated[StrictStr, StringConstraints(max_length=MAX_NOTE)]
_Account = Annotated[StrictStr, StringConstraints(min_length=1, max_length=254)]


class GroupOut(Out):
    """A group of reviewers and who is in it."""

    id: str
    name: str
    note: str
    members: list[PersonOut]
    created_by_name: str
    created_at: Instant
    updated_at: Instant


class GroupsAnswer(Success):
    """All groups, by name."""

    groups: list[GroupOut]


class GroupAnswer(Success):
    """One group."""

    group: GroupOut


class GroupIn(In):
    """A new group; members by account id or e-mail address."""

    model_config = example(name="Security", members=["ana@example.com"])

    name: _Name
    note: _Note = ""
    members: list[_Account] = Field(default=[], max_length=MAX_MEMBERS)


class GroupChangeIn(In):
    """What to change; what is left out stays."""

    model_config = example(add=["ray@example.com"], remove=["ana@example.com"])

    name: _Name | None = None
    note: _Note | None = None
    add: list[_Account] = Field(default=[], max_length=MAX_MEMBERS)
    remove: list[_Account] = Field(default=[], max_length=MAX_MEMBERS)

    def to_change(self) -> GroupChange:
        """Return the domain's value."""
        return GroupChange(
            name=self.name, note=self.note, add=tuple(self.add), remove=tuple(self.remove)
        )
