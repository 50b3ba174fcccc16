"""Wire models of review policies and of votes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, JsonOut, Out, Success, example
from agent_console.domain.access import Role
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.review_policies import (
    DECIDING_ROLES,
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    Reviewers,
    ReviewPolicy,
    SelfApproval,
    Terms,
    deadline_words,
)

_Name = Annotated[StrictStr, StringConstraints(max_length=254)]
_Count = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class PersonOut(Out):
    """An account."""

    id: str
    name: str


class GroupRefOut(Out):
    """A group of reviewers."""

    id: str
    name: str


class ReviewersOut(Out):
    """Who has one of ``roles``, ``people``, and members of ``groups``; ``words`` says it."""

    roles: list[Role]
    people: list[PersonOut]
    groups: list[GroupRefOut]
    words: str


class DeadlineOut(Out):
    """What happens when nobody decides in time."""

    then: AtDeadline
    seconds: int = Field(description="By which escalate and extend move the deadline.")
    times: int = Field(description="How often extend does.")
    to: ReviewersOut = Field(description="Whom escalate asks.")
    last: AtDeadline = Field(description="What happens when that is over as well.")


class AutomaticOut(Out):
    """What is approved without a person; ``words`` says it."""

    up_to: str | None = Field(
        description="Nothing with a finding above it asks a person; null: everything does."
    )
    shadow: bool = Field(description="It only records what it would have approved.")
    words: str


class ReviewPolicyOut(Out):
    """A version of a policy; ``version`` 0 and no ``id``: nothing has been saved, this holds.

    ``action`` is empty where it is for all actions of the type; ``*`` is all types.
    """

    id: str | None
    job_type: str
    action: str
    version: int
    deciders: ReviewersOut
    required_approvals: int
    veto: bool
    self_approval: SelfApproval | None = Field(description="null: as the setting says.")
    bulk_allowed: bool
    undo_seconds: int | None = Field(description="null: as the setting says.")
    deadline: DeadlineOut
    deadline_words: str
    remind_seconds: list[int]
    automatic: AutomaticOut
    note: str
    removed: bool = Field(description="This version ends the policy.")
    saved_by_name: str
    saved_at: Instant | None
    superseded_at: Instant | None

    @classmethod
    def of(cls, policy: ReviewPolicy) -> ReviewPolicyOut:
        """Return the wire form of ``policy``."""
        terms = policy.terms
        return cls(
            id=policy.id,
            job_type=policy.job_type,
            action=policy.action,
            version=policy.version,
            deciders=_reviewers(terms.deciders),
            required_approvals=terms.required_approvals,
            veto=terms.veto,
            self_approval=terms.self_approval,
            bulk_allowed=terms.bulk_allowed,
            undo_seconds=terms.undo_seconds,
            deadline=DeadlineOut.model_validate(
                {**asdict(terms.deadline), "to": _reviewers(terms.deadline.to)}
            ),
            deadline_words=deadline_words(terms),
            remind_seconds=list(terms.remind_seconds),
            automatic=AutomaticOut.model_validate(terms.automatic),
            note=terms.note,
            removed=policy.removed,
            saved_by_name=policy.saved_by_name,
            saved_at=policy.saved_at,
            superseded_at=policy.superseded_at,
        )


def _reviewers(reviewers: Reviewers) -> ReviewersOut:
    return ReviewersOut.model_validate(reviewers)


class ReviewPoliciesAnswer(Success):
    """The policies that hold, that of all job types first."""

    policies: list[ReviewPolicyOut]


class ReviewPolicyAnswer(Success):
    """One policy."""

    policy: ReviewPolicyOut


class VersionsAnswer(Success):
    """The versions of one policy, newest first."""

    versions: list[ReviewPolicyOut]


class ReviewersIn(In):
    """Roles that may decide, people by account id or e-mail address, groups by id or name."""

    roles: list[Role] = Field(default=[*DECIDING_ROLES], max_length=len(Role))
    people: list[_Name] = Field(default=[], max_length=50)
    groups: list[_Name] = Field(default=[], max_length=20)

    def to_reviewers(self) -> Reviewers:
        """Return the domain's value."""
        people = tuple(Person(id=one) for one in self.people)
        groups = tuple(Group(id=one) for one in self.groups)
        return Reviewers(roles=tuple(self.roles), people=people, groups=groups)


class DeadlineIn(In):
    """What happens when nobody decides in time; members that do not belong to it are ignored."""

    then: AtDeadline = AtDeadline.FAIL
    seconds: _Count = 0
    times: _Count = 1
    to: ReviewersIn = ReviewersIn(roles=[Role.ADMIN])
    last: AtDeadline = AtDeadline.FAIL


class AutomaticIn(In):
    """What is approved without a person: `NONE`, `LOW`, `MEDIUM` or `HIGH`; null: nothing."""

    up_to: Annotated[StrictStr, StringConstraints(max_length=20)] | None = None
    shadow: StrictBool = False

    def to_automatic(self) -> Automatic:
        """Return the domain's value."""
        return Automatic(up_to=self.up_to, shadow=self.shadow)


class ReviewPolicyIn(In):
    """What is to hold; it replaces the version before as a whole.

    ``baseVersion`` is the version it was made from, 0 for none: another one now is a 409.
    """

    model_config = example(
        deciders={"roles": ["admin"], "people": ["ana@example.com"]},
        requiredApprovals=2,
        deadline={"then": "escalate", "seconds": 3600, "to": {"roles": ["admin"]}},
        baseVersion=0,
    )

    action: Annotated[StrictStr, StringConstraints(max_length=200)] = ""
    base_version: _Count | None = None
    deciders: ReviewersIn = ReviewersIn()
    required_approvals: _Count = 1
    veto: StrictBool = True
    self_approval: SelfApproval | None = None
    bulk_allowed: StrictBool = True
    undo_seconds: _Count | None = None
    deadline: DeadlineIn = DeadlineIn()
    remind_seconds: list[_Count] = Field(default=[], max_length=20)
    automatic: AutomaticIn = AutomaticIn()
    note: Annotated[StrictStr, StringConstraints(max_length=500)] = ""

    def to_terms(self) -> Terms:
        """Return the domain's value."""
        deadline = self.deadline
        return Terms(
            deciders=self.deciders.to_reviewers(),
            required_approvals=self.required_approvals,
            veto=self.veto,
            self_approval=self.self_approval,
            bulk_allowed=self.bulk_allowed,
            undo_seconds=self.undo_seconds,
            deadline=Deadline(
                then=deadline.then,
                seconds=deadline.seconds,
                times=deadline.times,
                to=deadline.to.to_reviewers(),
                last=deadline.last,
            ),
            remind_seconds=tuple(self.remind_seconds),
            automatic=self.automatic.to_automatic(),
            note=self.note,
        )


class ActionParams(In):
    """Which policy of the type: that of one action, else the one of all actions."""

    action: Annotated[str, StringConstraints(max_length=200)] = ""


class RemoveParams(ActionParams):
    """Which policy to end, and which version of it was looked at."""

    base_version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TallyOut(Out):
    """How many have said the same, of how many that have to."""

    verb: CheckpointVerb
    given: int
    needed: int


class VoteOut(Out):
    """What one person said of a checkpoint; ``digest`` is of exactly what they agreed to."""

    user_id: str
    user_name: str
    verb: CheckpointVerb
    digest: str
    said: str
    given: JsonOut = Field(None, description="The edit they would let run, or their answer.")
    at: Instant
