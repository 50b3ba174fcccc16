"""Notifications: who wants to hear of checkpoints, by which way, and what became of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.jobs import Json
from agent_console.domain.queries import Paging

TEST = "test"  # the topic of a message that somebody asked for, to see it arrive
DIGEST = "digest"  # the topic of a message that gathers what can wait
MAX_DIGEST = 1_440  # minutes
JITTER = 0.2  # of a wait, either way: what failed together is not tried again together
DISABLED = "notification.disabled"  # the event: by a person, or because nothing arrived


class Way(StrEnum):
    """How a message travels."""

    APPRISE = "apprise"  # mail and chat, by the library of that name
    WEBHOOK = "webhook"  # an HTTP request, signed as Standard Webhooks says


class Topic(StrEnum):
    """What a message is about."""

    NEW = "new"  # a checkpoint asks for a decision
    REMINDER = "reminder"  # it still does, and its time runs out
    ESCALATION = "escalation"
    DECIDED = "decided"  # nobody has to decide it any more


class DeliveryStatus(StrEnum):
    """Where a message is."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # every try did
    DROPPED = "dropped"  # its subscription was turned off first, or nobody has to act any more


GATHERED = (Topic.NEW, Topic.DECIDED)  # the others are urgent
ASKING = (Topic.NEW, Topic.REMINDER, Topic.ESCALATION)
_DECIDED = frozenset(CheckpointStatus) - {CheckpointStatus.PENDING}
# A copy, and who is on it, is no news; nor is what was undone, for its decision was not told yet.
_SILENT = frozenset(f"checkpoint.{what}" for what in ("reused", "claimed", "released", "undone"))


def topic_of(action: str, after: str | None) -> Topic | None:
    """Return what an event of the journal is news of; None: of nothing that is told.

    ``after`` is the checkpoint's status. Names are read by their words, so that an event of a kind
    that is added later (``checkpoint.escalated_again``) is understood.
    """
    if not action.startswith("checkpoint.") or action in _SILENT:
        return None
    if "escalat" in action:
        return Topic.ESCALATION
    if "remind" in action:
        return Topic.REMINDER
    if after == CheckpointStatus.PENDING:
        return Topic.NEW
    # Born decided: a note, or an approval by policy, whose own event tells of it.
    return Topic.DECIDED if after in _DECIDED and action != "checkpoint.created" else None


def wait_before(tries: int, waits: Sequence[float], rng: random.Random) -> float | None:
    """Return the seconds after the failed try number ``tries`` (from 1); None: it was the last."""
    if tries > len(waits):
        return None
    return waits[tries - 1] * rng.uniform(1 - JITTER, 1 + JITTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """What somebody wants to hear of, and where.

    ``target`` is a secret: a URL of the apprise library, or the address of a webhook, whose
    ``secret`` signs (None: one is made). ``job_types``: empty for all. ``decidable``: only what
    its owner may decide. ``reminders`` are percents of the time left; None: as the settings say.
    ``digest_minutes``: what can wait is gathered for so long, 0: told at once. ``shared``: not
    somebody's own, but the console's.
    """

    name: str
    way: str
    target: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    topics: Sequence[str] = ASKING
    job_types: Sequence[str] = ()
    decidable: bool = False
    reminders: Sequence[int] | None = None
    digest_minutes: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChange:
    """What to change; None stays as it is."""

    name: str | None = None
    target: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    topics: Sequence[str] | None = None
    job_types: Sequence[str] | None = None
    decidable: bool | None = None
    reminders: Sequence[int] | None = None
    digest_minutes: int | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription as it stands; its target is told by ``shown`` only, such as ``slack://…``.

    ``disabled_reason`` says why the console turned it off, empty when somebody did.
    ``failing_since`` is the first failure after the last success. What happened before
    ``active_since`` is not told.
    """

    id: str
    name: str
    way: Way
    shown: str
    shared: bool
    owner_id: str | None
    owner_name: str
    topics: tuple[str, ...]
    job_types: tuple[str, ...]
    decidable: bool
    reminders: tuple[int, ...]
    digest_minutes: int
    enabled: bool
    disabled_reason: str
    active_since: datetime
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime

    def wants(self, topic: Topic, job_type: str) -> bool:
        """Say whether its filters let this through."""
        return topic in self.topics and (not self.job_types or job_type in self.job_types)

    def gathers_until(self, topic: Topic, at: int, deadline: int | None) -> int | None:
        """Return when a notice that is due ``at`` is told with others; None: at once, alone.

        Every full multiple of the minutes, by UTC: so all processes agree. What has to be decided
        before then (``deadline``) does not wait. Instants are microseconds.
        """
        if not self.digest_minutes or topic not in GATHERED:
            return None
        window = self.digest_minutes * 60 * MICROSECONDS
        until = (at // window + 1) * window
        in_vain = topic is Topic.NEW and deadline is not None and deadline <= until
        return None if in_vain else until


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to send: ``status_code`` of the HTTP answer, ``error`` empty when it arrived."""

    at: datetime
    milliseconds: int
    status_code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one subscription. Its id is the ``webhook-id``: the same in every try.

    ``next_at`` is when it is tried (again), None when it is not.
    """

    id: str
    subscription_id: str
    topic: str
    job_id: str | None
    checkpoint_id: str | None
    body: dict[str, Json]
    status: DeliveryStatus
    attempts: tuple[Attempt, ...]
    next_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message that this process, and no other, sends now; ``number`` is its fence."""

    id: str
    subscription_id: str
    topic: str
    checkpoint_id: str | None
    body: str  # canonical JSON
    number: int  # of the attempt, over all times
    tries: int  # since it was made, or sent again by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt. ``gone``: the other side never wants to be asked again."""

    milliseconds: int
    status_code: int | None = None
    error: str = ""
    gone: bool = False

    @property
    def ok(self) -> bool:
        """Whether it arrived."""
        return not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery(Paging):
    """The messages of a subscription, newest first."""
