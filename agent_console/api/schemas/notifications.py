"""Wire models of notifications. A target is taken in, and never given out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr, StringConstraints

from agent_console.api.parameters import PageParams
from agent_console.api.schemas.base import (
    In,
    Instant,
    JsonOut,
    Out,
    Pagination,
    Success,
    example,
)
from agent_console.domain.notifications import (
    ASKING,
    MAX_DIGEST,
    DeliveryQuery,
    DeliveryStatus,
    NewSubscription,
    SubscriptionChange,
    Topic,
    Way,
)
from agent_console.gateways.apprise_targets import MAX_TARGET
from agent_console.services.notifications import MAX_REMINDERS, MAX_TYPES

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Target = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=MAX_TARGET),
    Field(
        description="A URL of the apprise library, or where a webhook is posted to. A secret: it"
        " is encrypted, and told by `shown` only.",
        examples=["https://hooks.example.com/agent-console"],
    ),
]
_Secret = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=200),
    Field(description="What a webhook is signed with: `whsec_` and 24 to 64 bytes in base64."),
]
_Topics = Annotated[list[Topic], Field(min_length=1, max_length=len(Topic))]
_JobTypes = Annotated[
    list[_Name], Field(max_length=MAX_TYPES, description="Of these job types; empty for all.")
]
_Decidable = Annotated[StrictBool, Field(description="Only what you may decide.")]
_Reminders = Annotated[
    list[Annotated[StrictInt, Field(ge=1, le=99)]],
    Field(max_length=MAX_REMINDERS, description="At which percents of the time left."),
]
_DigestMinutes = Annotated[
    StrictInt,
    Field(
        ge=0,
        le=MAX_DIGEST,
        description="What can wait is gathered, and sent as one message every so many minutes;"
        " 0: at once.",
    ),
]


class DeliveryParams(PageParams):
    """Which messages."""

    def to_query(self) -> DeliveryQuery:
        """Return the domain's value."""
        return DeliveryQuery(**self.model_dump())


class NewSubscriptionIn(In):
    """What to hear of, and where. Without `secret` one is made for a webhook."""

    model_config = example(
        name="Orders desk",
        way="webhook",
        target="https://hooks.example.com/agent-console",
        topics=["new", "reminder", "decided"],
    )

    name: _Name
    way: Way
    target: _Target
    secret: _Secret | None = None
    topics: _Topics = Field(default_factory=lambda: [*ASKING])
    job_types: _JobTypes = Field(default_factory=list)
    decidable: _Decidable = False
    reminders: _Reminders | None = None
    digest_minutes: _DigestMinutes = 0
    shared: Annotated[StrictBool, Field(description="The console's own, for who manages them.")] = (
        False
    )

    def to_new(self) -> NewSubscription:
        """Return the domain's value."""
        return NewSubscription(**{name: getattr(self, name) for name in type(self).model_fields})


class SubscriptionChangeIn(In):
    """What to change; what is left out stays."""

    model_config = example(enabled=True)

    name: _Name | None = None
    target: _Target | None = None
    secret: _Secret | None = None
    topics: _Topics | None = None
    job_types: _JobTypes | None = None
    decidable: _Decidable | None = None
    reminders: _Reminders | None = None
    digest_minutes: _DigestMinutes | None = None
    enabled: StrictBool | None = None

    def to_change(self) -> SubscriptionChange:
        """Return the domain's value."""
        return SubscriptionChange(**{name: getattr(self, name) for name in type(self).model_fields})


class SubscriptionOut(Out):
    """A subscription. `shown` is what is told of its target.

    `disabledReason` is why the console turned it off, `failingSince` the first failure after the
    last success.
    """

    id: str
    name: str
    way: Way
    shown: str
    shared: bool
    owner_id: str | None
    owner_name: str
    topics: list[str]
    job_types: list[str]
    decidable: bool
    reminders: list[int]
    digest_minutes: int
    enabled: bool
    disabled_reason: str
    active_since: Instant
    failing_since: Instant | None
    created_at: Instant
    updated_at: Instant


class SubscriptionAnswer(Success):
    """One subscription. `secret` is the one that was made for it, told this once."""

    subscription: SubscriptionOut
    secret: str | None = None


class SubscriptionsAnswer(Success):
    """Own subscriptions, and the shared ones for who manages them."""

    subscriptions: list[SubscriptionOut]


class AttemptOut(Out):
    """One try to send."""

    at: Instant
    milliseconds: int
    status_code: int | None = Field(description="Of the HTTP answer.")
    error: str = Field(description="Empty when it arrived.")


class DeliveryOut(Out):
    """A message. Its `id` is the `webhook-id`, the same in every try; `body` is what is sent.

    Of one that gathers (topic `digest`) it names what happened, which is put into words then.
    """

    id: str
    subscription_id: str
    topic: str
    job_id: str | None
    checkpoint_id: str | None
    status: DeliveryStatus
    attempts: list[AttemptOut]
    next_at: Instant | None
    created_at: Instant
    finished_at: Instant | None
    body: JsonOut


class DeliveryAnswer(Success):
    """One message."""

    delivery: DeliveryOut


class DeliveryPage(Success):
    """A page of messages, newest first."""

    deliveries: list[DeliveryOut]
    pagination: Pagination
