"""``/api/notifications``: who hears of checkpoints, where, and what became of the messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination, Success
from agent_console.api.schemas.notifications import (
    DeliveryAnswer,
    DeliveryOut,
    DeliveryPage,
    DeliveryParams,
    NewSubscriptionIn,
    SubscriptionAnswer,
    SubscriptionChangeIn,
    SubscriptionOut,
    SubscriptionsAnswer,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Notifications")

Owner = Annotated[Actor, requires(Permission.NOTIFICATIONS_OWN)]
_ALL = "/api/notifications/subscriptions"
_ONE = f"{_ALL}/{{subscriptionId}}"


@router.get(
    _ALL,
    response_model=SubscriptionsAnswer,
    summary="List your subscriptions",
    responses=problems(*READING),
)
def list_subscriptions(actor: Owner, services: ServicesDep) -> SubscriptionsAnswer:
    """Return your own, and the shared ones if you manage them."""
    found = services.notifications.page(actor)
    return SubscriptionsAnswer(subscriptions=[SubscriptionOut.model_validate(one) for one in found])


@router.post(
    _ALL,
    status_code=201,
    response_model=SubscriptionAnswer,
    summary="Subscribe",
    responses=problems(*WRITING),
)
def create(
    actor: Owner, services: ServicesDep, body: NewSubscriptionIn, response: Response
) -> SubscriptionAnswer:
    """Hear of what happens from now on. A secret that was made for a webhook is in this answer."""
    made = services.notifications.create(actor, body.to_new())
    note_made(response, f"{_ALL}/{made.subscription.id}")
    return SubscriptionAnswer(
        subscription=SubscriptionOut.model_validate(made.subscription), secret=made.secret
    )


@router.get(
    _ONE,
    response_model=SubscriptionAnswer,
    summary="Show a subscription",
    responses=problems(*READING_ONE),
)
def show(actor: Owner, services: ServicesDep, subscriptionId: str) -> SubscriptionAnswer:  # noqa: N803
    """Return it; of its target what may be shown."""
    found = services.notifications.get(actor, subscriptionId)
    return SubscriptionAnswer(subscription=SubscriptionOut.model_validate(found))


@router.patch(
    _ONE,
    response_model=SubscriptionAnswer,
    summary="Change a subscription, turn it off or on",
    responses=problems(*WRITING),
)
def change(
    actor: Owner,
    services: ServicesDep,
    subscriptionId: str,  # noqa: N803
    body: SubscriptionChangeIn,
) -> SubscriptionAnswer:
    """Change what is given. Turned on again, it hears of what happens from then on."""
    made = services.notifications.change(actor, subscriptionId, body.to_change())
    return SubscriptionAnswer(
        subscription=SubscriptionOut.model_validate(made.subscription), secret=made.secret
    )


@router.delete(
    _ONE,
    response_model=Success,
    summary="Unsubscribe",
    responses=problems(*READING_ONE),
)
def delete(actor: Owner, services: ServicesDep, subscriptionId: str) -> Success:  # noqa: N803
    """Delete the subscription with its messages."""
    services.notifications.delete(actor, subscriptionId)
    return Success()


@router.post(
    f"{_ONE}/test",
    response_model=DeliveryAnswer,
    summary="Send a test",
    responses=problems(*ACTING),
)
def test(actor: Owner, services: ServicesDep, subscriptionId: str) -> DeliveryAnswer:  # noqa: N803
    """Send a message now, once, and say what became of it."""
    sent = services.notifications.test(actor, subscriptionId)
    return DeliveryAnswer(delivery=DeliveryOut.model_validate(sent))


@router.get(
    f"{_ONE}/deliveries",
    response_model=DeliveryPage,
    summary="List a subscription's messages",
    responses=problems(*READING_ONE),
)
def list_deliveries(
    actor: Owner,
    services: ServicesDep,
    subscriptionId: str,  # noqa: N803
    query: Annotated[DeliveryParams, Query()],
) -> DeliveryPage:
    """Return one page, newest first, each with its attempts."""
    page = services.notifications.deliveries(actor, subscriptionId, query.to_query())
    return DeliveryPage(
        deliveries=[DeliveryOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.post(
    f"{_ONE}/deliveries/{{deliveryId}}/redeliver",
    response_model=DeliveryAnswer,
    summary="Send a message again",
    responses=problems(*ACTING),
)
def redeliver(
    actor: Owner,
    services: ServicesDep,
    subscriptionId: str,  # noqa: N803
    deliveryId: str,  # noqa: N803
) -> DeliveryAnswer:
    """Send it once more, under its id, tried as often as a new one; 409 while it is on its way."""
    sent = services.notifications.redeliver(actor, subscriptionId, deliveryId)
    return DeliveryAnswer(delivery=DeliveryOut.model_validate(sent))
