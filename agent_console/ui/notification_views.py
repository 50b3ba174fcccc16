"""What the page of notifications shows, made from the domain's values: pure, no Reflex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_console.domain.errors import FieldError
from agent_console.domain.notifications import (
    ASKING,
    DIGEST,
    Attempt,
    Delivery,
    DeliveryStatus,
    NewSubscription,
    Subscription,
    SubscriptionChange,
    Topic,
    Way,
)
from agent_console.ui import when
from agent_console.ui.params import address
from agent_console.ui.views import iso, shown

PAGE = "/notifications"
DESK = "/admin/agent-checkpoints"
TOPICS: Mapping[Topic, str] = {
    Topic.NEW: "New",
    Topic.REMINDER: "Reminders",
    Topic.ESCALATION: "Escalations",
    Topic.DECIDED: "Decided",
}
DIGESTS: Mapping[int, str] = {
    0: "At once",
    15: "Every 15 minutes",
    60: "Every hour",
    1_440: "Every day, at midnight UTC",
}
WAYS: Mapping[Way, str] = {Way.WEBHOOK: "Webhook", Way.APPRISE: "Mail or chat"}
_MESSAGES: Mapping[str, str] = {DIGEST: "Gathered", **{str(one): TOPICS[one] for one in Topic}}


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription; ``state`` is On, Failing or Off, ``why`` the reason for the latter two."""

    id: str
    name: str
    way: str
    shown: str
    topics: str
    only: str
    shared: bool
    enabled: bool
    state: str
    why: str
    href: str
    edit_href: str
    current: bool


@dataclass(frozen=True, slots=True)
class SubscriptionDraft:
    """What the fields of the form hold when it appears; ``id`` is empty for a new subscription.

    ``shown`` tells of the target that is kept; ``digest_words`` is the choice of minutes that the
    form does not offer of itself, empty when it does.
    """

    id: str = ""
    name: str = ""
    way: str = Way.WEBHOOK.value
    shown: str = ""
    topics: Sequence[str] = tuple(one.value for one in ASKING)
    job_types: str = ""
    decidable: bool = False
    shared: bool = False
    reminders: str = ""
    digest: str = "0"
    digest_words: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message and its last attempt; instants are ISO 8601, empty where there is none."""

    id: str
    topic: str
    status: str
    said: str
    href: str
    attempts: str
    last: str
    failed: bool
    next_at: str
    created_at: str
    refusal: str


def subscription_row(one: Subscription, current: str) -> SubscriptionRow:
    """Return the row of ``one``; ``current`` is the one whose messages are on the screen."""
    state, why = "On", ""
    if not one.enabled:
        state, why = "Off", one.disabled_reason
    elif one.failing_since is not None:
        state, why = "Failing", "Nothing has arrived since its last failure."
    only = [shown(name, 100) for name in one.job_types]
    if one.decidable:
        only.append("what you may decide")
    told = [
        TOPICS[Topic(topic)]
        + (f" at {', '.join(f'{n} %' for n in one.reminders)}" if topic == Topic.REMINDER else "")
        for topic in one.topics
    ]
    when_told = _gathered(one.digest_minutes) if one.digest_minutes else ""
    return SubscriptionRow(
        id=one.id,
        name=shown(one.name, 200),
        way=WAYS[one.way],
        shown=shown(one.shown, 200),
        topics=", ".join(told) + when_told,
        only=f"Only {', '.join(only)}" if only else "",
        shared=one.shared,
        enabled=one.enabled,
        state=state,
        why=shown(why, 300),
        href=address(PAGE, {"subscription": one.id}),
        edit_href=address(PAGE, {"edit": one.id}),
        current=one.id == current,
    )


def message_row(one: Delivery, *, enabled: bool) -> MessageRow:
    """Return the row of a message; ``enabled``: its subscription is on."""
    data = one.body.get("data")
    said = data.get("message", "") if isinstance(data, dict) else ""
    notices = data.get("notices") if isinstance(data, dict) else None
    href = f"{DESK}/{one.checkpoint_id}" if one.checkpoint_id else ""
    if isinstance(notices, list):
        said, href = f"{len(notices)} notice{'s' * (len(notices) != 1)}", DESK
    refusal = "" if enabled else "This subscription is off."
    if one.status is DeliveryStatus.PENDING:
        refusal = "It is on its way already."
    count = len(one.attempts)
    return MessageRow(
        id=one.id,
        topic=_MESSAGES.get(one.topic, "Test"),
        status=one.status.value,
        said=shown(str(said), 200),
        href=href,
        attempts="" if count == 0 else f"{count} attempt{'s' if count > 1 else ''}",
        last=shown(_attempt(one.attempts[-1]), 400) if one.attempts else "",
        failed=bool(one.attempts and one.attempts[-1].error),
        next_at=iso(one.next_at),
        created_at=iso(one.created_at),
        refusal=refusal,
    )


def draft(one: Subscription) -> SubscriptionDraft:
    """Return what the form holds to change ``one``."""
    return SubscriptionDraft(
        id=one.id,
        name=one.name,
        way=one.way.value,
        shown=shown(one.shown, 200),
        topics=one.topics,
        job_types=", ".join(one.job_types),
        decidable=one.decidable,
        shared=one.shared,
        reminders=percents(one.reminders),
        digest=str(one.digest_minutes),
        digest_words="" if one.digest_minutes in DIGESTS else _every(one.digest_minutes),
    )


def percents(reminders: Sequence[int]) -> str:
    """Return percents as they are typed."""
    return ", ".join(map(str, reminders))


def _every(minutes: int) -> str:
    return DIGESTS.get(minutes, f"Every {minutes} minutes")


def _gathered(minutes: int) -> str:
    said = _every(minutes)
    return f" · gathered {said[0].lower()}{said[1:]}"


def _attempt(one: Attempt) -> str:
    if one.error:
        return one.error
    answer = f"{one.status_code} " if one.status_code else ""
    return f"{answer}in {one.milliseconds:,} ms"


def new_subscription(form: Mapping[str, Any], wrong: list[FieldError]) -> NewSubscription:
    """Return what the form asks for; what cannot be read goes to ``wrong``."""
    target, secret = when.text(form, "target"), when.text(form, "secret")
    for name, given in (("name", when.text(form, "name")), ("target", target)):
        if not given:
            wrong.append(FieldError(name, "is required."))
    return NewSubscription(
        name=when.text(form, "name"),
        way=when.text(form, "way"),
        target=target,
        secret=secret or None,
        topics=_topics(form),
        job_types=_job_types(when.text(form, "jobTypes")),
        decidable=bool(form.get(when.own("decidable"))),
        reminders=_percents(when.text(form, "reminders"), wrong),
        digest_minutes=_minutes(when.text(form, "digestMinutes"), wrong),
        shared=bool(form.get(when.own("shared"))),
    )


def subscription_change(
    form: Mapping[str, Any], before: SubscriptionDraft, wrong: list[FieldError]
) -> SubscriptionChange:
    """Return what differs from ``before``, as the form was filled; unreadable goes to ``wrong``.

    What is as it was is no change: somebody else may have changed it meanwhile. An empty target or
    secret stays what it is.
    """
    typed = {name: when.text(form, name) for name in ("name", "jobTypes", "reminders")}
    digest = when.text(form, "digestMinutes")
    if not typed["name"]:
        wrong.append(FieldError("name", "is required."))
    topics = _topics(form)
    decidable = bool(form.get(when.own("decidable")))
    reminders = _percents(typed["reminders"], wrong)
    minutes = _minutes(digest, wrong)
    return SubscriptionChange(
        name=typed["name"] if typed["name"] != before.name else None,
        target=when.text(form, "target") or None,
        secret=when.text(form, "secret") or None,
        topics=topics if set(topics) != set(before.topics) else None,
        job_types=_job_types(typed["jobTypes"]) if typed["jobTypes"] != before.job_types else None,
        decidable=decidable if decidable != before.decidable else None,
        reminders=reminders if typed["reminders"] != before.reminders else None,
        digest_minutes=minutes if digest != before.digest else None,
    )


def _topics(form: Mapping[str, Any]) -> list[str]:
    return [topic.value for topic in Topic if form.get(when.own(topic.value))]


def _job_types(typed: str) -> list[str]:
    return typed.replace(",", " ").split()


def _minutes(text: str, wrong: list[FieldError]) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 5):
        wrong.append(FieldError("digestMinutes", "use minutes such as 60."))
        return 0
    return int(text or 0)


def _percents(text: str, wrong: list[FieldError]) -> list[int]:
    parts = text.replace("%", " ").replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        wrong.append(FieldError("reminders", "use percents such as 50, 10."))
        return []
    return [int(part) for part in parts]
