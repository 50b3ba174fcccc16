"""The form of a review policy: what it begins with, and the terms that were typed; no Reflex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_console.domain.access import Role
from agent_console.domain.review_policies import (
    DECIDING_ROLES,
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    Reviewers,
    ReviewPolicy,
    Terms,
)

LABELS = {
    "action": "Action",
    "deciders": "Who may decide",
    "requiredApprovals": "Approvals needed",
    "selfApproval": "Self approval",
    "undoSeconds": "Undo",
    "deadline.seconds": "Minutes more",
    "deadline.times": "How often",
    "deadline.to": "Then asked",
    "deadline.last": "After that",
    "remindSeconds": "Reminders",
    "automatic.upTo": "Approved without a person",
    "note": "Note",
}
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Check:
    """A box to tick; ``name`` is its field in the form."""

    name: str
    label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class PolicyForm:
    """The form as it opens; times are minutes but for ``undo``. ``key`` differs for each form."""

    key: str = ""
    job_type: str = ""
    action: str = ""
    title: str = ""
    base: int = 0
    new: bool = False
    approvals: str = "1"
    veto: bool = True
    bulk: bool = True
    self_approval: str = ""
    undo: str = ""
    then: str = "fail"
    minutes: str = "60"
    times: str = "1"
    last: str = "fail"
    remind: str = ""
    automatic: str = ""
    shadow: bool = False
    note: str = ""
    deciders: list[Check] = field(default_factory=list)
    others: list[Check] = field(default_factory=list)


def form_of(
    policy: ReviewPolicy, people: Sequence[Person], title: str, groups: Sequence[Group] = ()
) -> PolicyForm:
    """Return the form that changes ``policy``; ``people`` and ``groups`` may be named."""
    terms, deadline = policy.terms, policy.terms.deadline
    return PolicyForm(
        key=f"{policy.job_type} {policy.action} {policy.version}",
        job_type=policy.job_type,
        action=policy.action,
        title=title,
        base=policy.version,
        approvals=str(terms.required_approvals),
        veto=terms.veto,
        bulk=terms.bulk_allowed,
        self_approval=terms.self_approval or "",
        undo="" if terms.undo_seconds is None else str(terms.undo_seconds),
        then=deadline.then.value,
        minutes=f"{deadline.seconds / MINUTE:g}" if deadline.seconds else "60",
        times=str(deadline.times),
        last=deadline.last.value,
        remind=", ".join(f"{one / MINUTE:g}" for one in terms.remind_seconds),
        automatic=terms.automatic.up_to or "",
        shadow=terms.automatic.shadow,
        note=terms.note,
        deciders=_checks("decide", terms.deciders, people, groups),
        others=_checks("to", deadline.to, people, groups),
    )


def _checks(
    prefix: str, chosen: Reviewers, people: Sequence[Person], groups: Sequence[Group]
) -> list[Check]:
    roles = [
        Check(f"{prefix}:role:{role.value}", f"Every {role.value}", role in chosen.roles)
        for role in DECIDING_ROLES
    ]
    asked = {one.id for one in chosen.groups}
    all_groups = {one.id: one for one in (*groups, *chosen.groups)}
    roles += [
        Check(f"{prefix}:group:{one.id}", f"Group {one.name or one.id}", one.id in asked)
        for one in all_groups.values()
    ]
    named = {one.id: one for one in (*people, *chosen.people)}
    ids = {one.id for one in chosen.people}
    return roles + [
        Check(f"{prefix}:person:{one.id}", one.name or one.id, one.id in ids)
        for one in named.values()
    ]


def terms_of(form: Mapping[str, Any]) -> Terms:
    """Return the terms that were typed; whether they make sense is the service's to say.

    Raises:
        ValueError: names the field that is no number, or a choice that there is not.
    """
    undo = _text(form, "undo")
    return Terms(
        deciders=_reviewers(form, "decide"),
        required_approvals=_count(form, "approvals", "requiredApprovals"),
        veto=_ticked(form, "veto"),
        self_approval=_text(form, "selfApproval") or None,  # type: ignore[arg-type]  # checked later
        bulk_allowed=_ticked(form, "bulk"),
        undo_seconds=_count(form, "undo", "undoSeconds") if undo else None,
        deadline=Deadline(
            then=_end(form, "then"),
            seconds=_seconds(_text(form, "minutes") or "0", "deadline.seconds"),
            times=_count(form, "times", "deadline.times"),
            to=_reviewers(form, "to"),
            last=_end(form, "last"),
        ),
        remind_seconds=tuple(
            _seconds(one, "remindSeconds")
            for one in _text(form, "remind").replace(",", " ").split()[:20]
        ),
        automatic=automatic_of(form),
        note=_text(form, "note")[:1000],
    )


def automatic_of(form: Mapping[str, Any]) -> Automatic:
    """Return the rule on automatic approval that was chosen."""
    return Automatic(up_to=_text(form, "automatic")[:20] or None, shadow=_ticked(form, "shadow"))


def _text(form: Mapping[str, Any], name: str) -> str:
    return str(form.get(name) or "").strip()


def _ticked(form: Mapping[str, Any], name: str) -> bool:
    return form.get(name) not in {None, "", False, "false"}


def _reviewers(form: Mapping[str, Any], prefix: str) -> Reviewers:
    people = tuple(Person(id=one) for one in _ids(form, f"{prefix}:person:"))
    groups = tuple(Group(id=one) for one in _ids(form, f"{prefix}:group:"))
    roles = tuple(role for role in Role if _ticked(form, f"{prefix}:role:{role.value}"))
    return Reviewers(roles=roles, people=people, groups=groups)


def _ids(form: Mapping[str, Any], prefix: str) -> list[str]:
    names = (name for name in sorted(map(str, form)) if name.startswith(prefix))
    return [name.removeprefix(prefix) for name in names if _ticked(form, name)]


def _end(form: Mapping[str, Any], name: str) -> AtDeadline:
    return AtDeadline(_text(form, name) or AtDeadline.FAIL)


def _count(form: Mapping[str, Any], name: str, label: str) -> int:
    typed = _text(form, name) or "0"
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 8):
        raise ValueError(f"{LABELS[label]}: enter a whole number.")
    return int(typed)


def _seconds(typed: str, label: str) -> int:
    try:
        minutes = float(typed)
    except ValueError:
        raise ValueError(f"{LABELS[label]}: enter minutes.") from None
    if not 0 <= minutes < 1_000_000:
        raise ValueError(f"{LABELS[label]}: enter minutes.")
    return round(minutes * MINUTE)
