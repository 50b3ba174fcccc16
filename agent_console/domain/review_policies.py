"""Review policies: who may decide, how many have to agree, and what the deadline brings.

A policy is data: versions that are never edited. Nothing here reads or writes; the doors, the
store's compare-and-set and the sweep of deadlines all ask these functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission, Role
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.jobs import Json
from agent_console.domain.payload import loads
from agent_console.domain.risk import NO_RISK, Severity

ALL_TYPES = "*"  # the job type of the policy that holds where there is no more exact one
SelfApproval = Literal["auto", "never", "always"]
SELF_APPROVALS: tuple[SelfApproval, ...] = ("auto", "never", "always")
DECIDING_ROLES = tuple(
    role for role in Role if Permission.CHECKPOINTS_DECIDE in ROLE_PERMISSIONS[role]
)
# What somebody who types commands on the server does needs no leave: they own the database, and
# refusing would only hide the act.
UNBOUND = frozenset({"cli", "system"})
# What goes on when as many as the policy wants have said the same; the votes on it are counted.
AGREED = (CheckpointVerb.APPROVE, CheckpointVerb.ANSWER)
OVERDUE = "Nobody decided in time; the review policy rejects it then."


class AtDeadline(StrEnum):
    """What happens when nobody has decided in time."""

    FAIL = "fail"  # EXPIRED: the job hears of it, and fails unless it catches that
    REJECT = "reject"
    APPROVE = "approve"
    DEFAULT = "default"  # a question is answered by its default; what has none expires
    ESCALATE = "escalate"  # others are asked, until a new deadline
    EXTEND = "extend"  # the same are asked for longer


ENDS = (AtDeadline.FAIL, AtDeadline.REJECT, AtDeadline.APPROVE, AtDeadline.DEFAULT)
MOVES = (AtDeadline.ESCALATE, AtDeadline.EXTEND)


@dataclass(frozen=True, slots=True)
class Person:
    """An account by id, with its name for the reader."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of reviewers by id, with its name for the reader.

    ``members`` are account ids of this moment, told by who reads the policy; never stored with it.
    """

    id: str
    name: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewers:
    """Who may decide: whoever has one of ``roles``, ``people``, and members of ``groups``."""

    roles: tuple[Role, ...] = DECIDING_ROLES
    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Return the accounts that are asked whatever their role, each once."""
        members = (member for group in self.groups for member in group.members)
        return list(dict.fromkeys([*(one.id for one in self.people), *members]))

    def admits(self, role: Role | None, user_id: str | None) -> bool:
        """Say whether an account is among them."""
        return role in self.roles or user_id in self.ids

    @property
    def words(self) -> str:
        """Return them as a sentence's object: "admins, Ana or Ray"."""
        named = [f"{role.value}s" for role in self.roles] + [p.name or p.id for p in self.people]
        named += [f"group {one.name or one.id}" for one in self.groups]
        if len(named) < 2:
            return "".join(named) or "nobody"
        return f"{', '.join(named[:-1])} or {named[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """What the deadline brings.

    ``seconds`` is for how long ``escalate`` and ``extend`` go on, ``times`` how often ``extend``
    does, ``to`` whom ``escalate`` asks; ``last`` is what happens when that is over as well.
    """

    then: AtDeadline = AtDeadline.FAIL
    seconds: int = 0
    times: int = 1
    to: Reviewers = field(default_factory=lambda: Reviewers(roles=(Role.ADMIN,)))
    last: AtDeadline = AtDeadline.FAIL


# What has a critical finding is for people, whatever a policy would like.
LIMITS = (NO_RISK, Severity.LOW.value, Severity.MEDIUM.value, Severity.HIGH.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Automatic:
    """What is approved without a person: whatever has no finding above ``up_to``; None: nothing.

    ``shadow``: it decides nothing; what it would have approved is only recorded.
    """

    up_to: str | None = None
    shadow: bool = False

    @property
    def words(self) -> str:
        """Return it in words."""
        if self.up_to is None:
            return "nothing: people are asked"
        said = "no finding" if self.up_to == NO_RISK else f"no finding above {self.up_to}"
        shadow = " (shadow: only recorded, people are asked)" if self.shadow else ""
        return f"what has {said}{shadow}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a policy says. None leaves ``self_approval`` and ``undo_seconds`` to the settings.

    With ``veto`` one rejection ends it; without, as many have to reject as would have had to
    approve. ``remind_seconds`` are instants before the deadline, longest first.
    """

    deciders: Reviewers = field(default_factory=Reviewers)
    required_approvals: int = 1
    veto: bool = True
    self_approval: SelfApproval | None = None
    bulk_allowed: bool = True
    undo_seconds: int | None = None
    deadline: Deadline = field(default_factory=Deadline)
    remind_seconds: tuple[int, ...] = ()
    automatic: Automatic = field(default_factory=Automatic)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy:
    """A version of the policy of a job type, and of one action of it unless ``action`` is "".

    ``id`` is None for what holds without any policy. A version that says ``removed`` ends the
    policy: a more general one holds again.
    """

    id: str | None = None
    job_type: str = ALL_TYPES
    action: str = ""
    version: int = 0
    terms: Terms = field(default_factory=Terms)
    removed: bool = False
    saved_by_name: str = ""
    saved_at: datetime | None = None
    superseded_at: datetime | None = None

    def names(self, group_id: str) -> bool:
        """Say whether the policy asks the group, now or when its deadline has passed."""
        asked = (*self.terms.deciders.groups, *self.terms.deadline.to.groups)
        return any(one.id == group_id for one in asked)

    @property
    def title(self) -> str:
        """Return what it is for, in words."""
        kind = "all job types" if self.job_type == ALL_TYPES else self.job_type
        return f"{kind}, {self.action!r}" if self.action else kind


DEFAULT = ReviewPolicy()


class PolicyBook:
    """The policies that hold, looked up by the most exact one."""

    def __init__(self, policies: Iterable[ReviewPolicy] = ()) -> None:
        """Take the current version of each."""
        self._by = {(one.job_type, one.action): one for one in policies if not one.removed}

    def of(self, job_type: str, action: str) -> ReviewPolicy:
        """Return the policy of an action of a type, else of the type, of all, or the default."""
        for key in ((job_type, action), (job_type, ""), (ALL_TYPES, "")):
            if key in self._by:
                return self._by[key]
        return DEFAULT


def deciders(terms: Terms, *, escalated: bool) -> Reviewers:
    """Return who may decide now."""
    if escalated and terms.deadline.then is AtDeadline.ESCALATE:
        return terms.deadline.to
    return terms.deciders


def refusal(policy: ReviewPolicy, actor: Actor, *, escalated: bool) -> str:
    """Return why ``actor``, who has the permission to decide, is not asked here; "" if they are."""
    asked = deciders(policy.terms, escalated=escalated)
    if actor.kind in UNBOUND or asked.admits(actor.role, actor.id):
        return ""
    since = ", to whom it was escalated" if escalated else ""
    return f"The review policy of {policy.title} asks {asked.words}{since}; you are none of them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one person said while others have to agree; ``digest`` is of what would run.

    ``edited_text`` is the canonical text of the edit, or of the answer to a question.

    ``role`` is None for who has no account, ``disabled`` says that the account is. ``for_id`` is
    the account in whose stead it was said, None for their own; ``for_…`` are its facts.
    """

    user_id: str
    user_name: str
    verb: CheckpointVerb
    digest: str
    at: datetime
    said: str = ""
    edited_text: str | None = None
    role: Role | None = None
    disabled: bool = False
    for_id: str | None = None
    for_role: Role | None = None
    for_disabled: bool = False

    @property
    def given(self) -> Json:
        """Return the edit that would run, or the answer; None without either."""
        return None if self.edited_text is None else loads(self.edited_text)

    @property
    def right(self) -> str:
        """Return whose right it is that was used; it counts once."""
        return self.for_id or self.user_id


def counts(vote: Vote, terms: Terms) -> bool:
    """Say whether a vote counts now: who gave it, and in whose stead, could still decide.

    What was said before an escalation, or while a delegation held, stays said.
    """
    if vote.user_id.startswith(tuple(f"{kind}:" for kind in UNBOUND)):
        return True
    if vote.disabled or vote.role not in DECIDING_ROLES:
        return False
    right: tuple[Role | None, str] = vote.role, vote.user_id
    if vote.for_id is not None:
        right = vote.for_role, vote.for_id
        if vote.for_disabled or vote.for_role not in DECIDING_ROLES:
            return False
    sets = (deciders(terms, escalated=escalated) for escalated in (False, True))
    return any(one.admits(*right) for one in sets)


def agreeing(
    votes: Iterable[Vote], terms: Terms, verb: CheckpointVerb, digest: str
) -> Sequence[Vote]:
    """Return the votes that count for ``verb`` on exactly what has ``digest``, one a right."""
    same = (one for one in votes if one.verb is verb and one.digest == digest)
    rights = {one.right: one for one in same if counts(one, terms)}
    return list(rights.values())


def needed(terms: Terms, verb: CheckpointVerb) -> int:
    """Return how many people have to say ``verb`` for it to hold."""
    if verb in AGREED or (verb is CheckpointVerb.REJECT and not terms.veto):
        return terms.required_approvals
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many have said the same, of how many that have to."""

    verb: CheckpointVerb
    given: int
    needed: int

    @property
    def words(self) -> str:
        """Return it in words."""
        noun = _NOUNS.get(self.verb, "approvals")
        return f"{self.given} of {self.needed} {noun}"


_NOUNS = {CheckpointVerb.REJECT: "rejections", CheckpointVerb.ANSWER: "like answers"}


def at_deadline(terms: Terms, *, extensions: int, escalated: bool) -> AtDeadline:
    """Return what the policy wants of a checkpoint whose time is up; see ``fate``."""
    then = terms.deadline.then
    if then is AtDeadline.EXTEND:
        return then if extensions < terms.deadline.times else terms.deadline.last
    if then is AtDeadline.ESCALATE:
        return terms.deadline.last if escalated else then
    return then


def fate(
    policy: ReviewPolicy,
    *,
    extensions: int = 0,
    escalated: bool = False,
    asks: bool = False,
    has_default: bool = False,
) -> AtDeadline:
    """Return what happens to a checkpoint whose time is up; ``asks``: it is a question.

    Nobody can say yes to a question: where a policy would approve it, its default answers it. What
    has no default expires. Without any policy, a question that has one goes on with it.
    """
    what = at_deadline(policy.terms, extensions=extensions, escalated=escalated)
    if asks and policy.id is None:
        what = AtDeadline.DEFAULT
    return _possible(what, asks=asks, has_default=has_default)


def _possible(what: AtDeadline, *, asks: bool, has_default: bool) -> AtDeadline:
    if asks and what is AtDeadline.APPROVE:
        what = AtDeadline.DEFAULT
    return AtDeadline.FAIL if what is AtDeadline.DEFAULT and not has_default else what


def due_reminder(terms: Terms, seconds_left: float, reminded: int | None) -> int | None:
    """Return the latest reminder that is due and not given, None: there is none.

    ``reminded`` is the last one given, in seconds before the deadline like the answer.
    """
    due = [one for one in terms.remind_seconds if seconds_left <= one]
    latest = min(due, default=None)
    if latest is None or (reminded is not None and reminded <= latest):
        return None
    return latest


_END_WORDS = {
    AtDeadline.FAIL: "it expires, and its job fails unless it knows better",
    AtDeadline.REJECT: "it is rejected",
    AtDeadline.APPROVE: "it is approved",
    AtDeadline.DEFAULT: "a question is answered by its default, anything else expires",
}


def deadline_words(terms: Terms) -> str:
    """Return what happens to checkpoints when nobody decides in time, in words."""
    then = terms.deadline.then
    return _words(terms, then, _END_WORDS, terms.deadline.last, extensions=0)


def fate_words(
    policy: ReviewPolicy,
    *,
    extensions: int = 0,
    escalated: bool = False,
    asks: bool = False,
    has_default: bool = False,
) -> str:
    """Return what happens to one checkpoint when nobody decides in time; arguments as ``fate``."""
    now = fate(
        policy, extensions=extensions, escalated=escalated, asks=asks, has_default=has_default
    )
    last = _possible(policy.terms.deadline.last, asks=asks, has_default=has_default)
    ends = {
        **_END_WORDS,
        AtDeadline.DEFAULT: "the default answer is given, and the job goes on with it",
    }
    return _words(policy.terms, now, ends, last, extensions=extensions)


def _words(
    terms: Terms,
    now: AtDeadline,
    ends: Mapping[AtDeadline, str],
    last: AtDeadline,
    *,
    extensions: int,
) -> str:
    rule = terms.deadline
    if now in ends:
        return ends[now]
    after = f"after that {ends[last]}"
    if now is AtDeadline.ESCALATE:
        return f"{rule.to.words} are asked for {span_words(rule.seconds)}; {after}"
    left = rule.times - extensions
    often = "" if left == 1 else f", {left} times at most"
    return f"it waits {span_words(rule.seconds)} longer{often}; {after}"


def span_words(seconds: int) -> str:
    """Return a time span in the largest unit that is whole."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "no time"
