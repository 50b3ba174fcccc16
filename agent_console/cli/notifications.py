"""``notifications``: who hears of checkpoints. Targets come from standard input."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, note, say, table
from agent_console.cli.secrets import read_value
from agent_console.cli.session import opened
from agent_console.domain.errors import Invalid
from agent_console.domain.notifications import (
    ASKING,
    MAX_DIGEST,
    Delivery,
    DeliveryQuery,
    DeliveryStatus,
    NewSubscription,
    Subscription,
    SubscriptionChange,
    Topic,
    Way,
)
from agent_console.domain.queries import MAX_LIMIT

app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Shared subscriptions to news of checkpoints."
)

SUBSCRIPTION_ID = Annotated[str, typer.Argument(help="The subscription's id, sub_…")]
DELIVERY_ID = Annotated[str, typer.Argument(help="The message's id, msg_…")]


@app.command("list")
def list_subscriptions(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the shared subscriptions."""
    with opened() as (console, actor):
        found = console.services.notifications.page(actor)
    if as_json:
        document({"subscriptions": [_wire(one) for one in found]})
        return
    rows = [
        (one.id, one.name, one.way.value, one.shown, ", ".join(one.topics), _state(one))
        for one in found
    ]
    headings = ("Id", "Name", "Way", "Target", "Topics", "State")
    table(headings, rows, empty="There are no shared subscriptions.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    way: Annotated[Way, typer.Argument(help="How messages travel.")],
    *,
    topics: Annotated[list[Topic], typer.Option("--topic", help="What to hear of.")] = [*ASKING],  # noqa: B006 - Typer's form
    job_types: Annotated[
        list[str], typer.Option("--type", help="Of these job types; all by default.")
    ] = [],  # noqa: B006
    reminders: Annotated[
        list[int], typer.Option("--reminder", min=1, max=99, help="At this percent of time left.")
    ] = [],  # noqa: B006
    digest: Annotated[
        int,
        typer.Option("--digest", min=0, max=MAX_DIGEST, help="Gather for so many minutes."),
    ] = 0,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Subscribe; the target is read from standard input, or asked for.

    The secret that is made for a webhook is printed this once.
    """
    target = read_value("Target")
    new = NewSubscription(
        name=name,
        way=way.value,
        target=target,
        topics=[one.value for one in topics],
        job_types=job_types,
        reminders=reminders or None,
        digest_minutes=digest,
        shared=True,
    )
    with opened() as (console, actor):
        made = console.services.notifications.create(actor, new)
    if as_json:
        document({"subscription": _wire(made.subscription), "secret": made.secret})
        return
    say(f"{made.subscription.id}  {made.subscription.name}  {made.subscription.shown}")
    if made.secret:
        note("The secret that its requests are signed with, shown this once:")
        say(made.secret)


@app.command()
def change(
    subscription_id: SUBSCRIPTION_ID,
    *,
    name: Annotated[str | None, typer.Option("--name", help="What it is for.")] = None,
    target: Annotated[
        bool, typer.Option("--target", help="Read a new target from standard input.")
    ] = False,
    topics: Annotated[list[Topic], typer.Option("--topic", help="What to hear of.")] = [],  # noqa: B006
    job_types: Annotated[list[str], typer.Option("--type", help="Of these job types.")] = [],  # noqa: B006
    all_types: Annotated[bool, typer.Option("--all-types", help="Of all job types.")] = False,
    reminders: Annotated[
        list[int], typer.Option("--reminder", min=1, max=99, help="At this percent of time left.")
    ] = [],  # noqa: B006
    digest: Annotated[
        int | None,
        typer.Option("--digest", min=0, max=MAX_DIGEST, help="Gather for so many minutes."),
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Change what is given; all else stays."""
    if job_types and all_types:
        raise Invalid("--type and --all-types exclude each other.")
    asked = SubscriptionChange(
        name=name,
        target=read_value("Target") if target else None,
        topics=[one.value for one in topics] or None,
        job_types=job_types or ([] if all_types else None),
        reminders=reminders or None,
        digest_minutes=digest,
    )
    _change(subscription_id, asked, as_json=as_json)


@app.command("test")
def send_test(
    subscription_id: SUBSCRIPTION_ID, *, as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Send a message now, and say what became of it."""
    with opened() as (console, actor):
        sent = console.services.notifications.test(actor, subscription_id)
    if as_json:
        document({"delivery": _delivery(sent)})
    elif sent.status is DeliveryStatus.SENT:
        say(f"{sent.id}  sent in {sent.attempts[-1].milliseconds} ms")
    if sent.status is not DeliveryStatus.SENT:
        fail(f"{sent.id} did not arrive: {sent.attempts[-1].error}")


@app.command()
def deliveries(
    subscription_id: SUBSCRIPTION_ID,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT)] = 50,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Where the last page ended.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List messages, newest first, with what became of them."""
    query = DeliveryQuery(limit=limit, cursor=cursor)
    with opened() as (console, actor):
        page = console.services.notifications.deliveries(actor, subscription_id, query)
    if as_json:
        from agent_console.api.schemas.base import Pagination

        pagination = Pagination.of(page).model_dump(mode="json")
        document({"deliveries": [_delivery(one) for one in page.items], "pagination": pagination})
        return
    rows = [
        (
            one.id,
            one.topic,
            one.status.value,
            len(one.attempts),
            one.attempts[-1].error if one.attempts else None,
            one.created_at,
        )
        for one in page.items
    ]
    headings = ("Id", "Topic", "Status", "Attempts", "Last error", "Made")
    table(headings, rows, empty="There are no messages.")


@app.command()
def redeliver(
    subscription_id: SUBSCRIPTION_ID,
    delivery_id: DELIVERY_ID,
    *,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Send a message again, under its id; the console that runs does so within seconds."""
    with opened() as (console, actor):
        one = console.services.notifications.redeliver(actor, subscription_id, delivery_id)
    if as_json:
        document({"delivery": _delivery(one)})
    else:
        say(f"{one.id} is sent again.")


@app.command()
def disable(
    subscription_id: SUBSCRIPTION_ID, *, as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Tell it nothing more."""
    _change(subscription_id, SubscriptionChange(enabled=False), as_json=as_json)


@app.command()
def enable(
    subscription_id: SUBSCRIPTION_ID, *, as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Tell it of what happens from now on."""
    _change(subscription_id, SubscriptionChange(enabled=True), as_json=as_json)


@app.command()
def remove(
    subscription_id: SUBSCRIPTION_ID, *, as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Delete a subscription with its messages."""
    with opened() as (console, actor):
        console.services.notifications.delete(actor, subscription_id)
    if as_json:
        document({"deleted": subscription_id})
    else:
        say(f"{subscription_id} is deleted.")


def _change(subscription_id: str, asked: SubscriptionChange, *, as_json: bool) -> None:
    with opened() as (console, actor):
        one = console.services.notifications.change(actor, subscription_id, asked).subscription
    if as_json:
        document({"subscription": _wire(one)})
    else:
        say(f"{one.id}  {one.name}  {_state(one)}")


def _state(one: Subscription) -> str:
    if not one.enabled:
        return f"off: {one.disabled_reason}" if one.disabled_reason else "off"
    return "failing" if one.failing_since else "on"


def _wire(one: Subscription) -> dict[str, object]:
    from agent_console.api.schemas.notifications import SubscriptionOut

    wire: dict[str, object] = SubscriptionOut.model_validate(one).model_dump(mode="json")
    return wire


def _delivery(one: Delivery) -> dict[str, object]:
    from agent_console.api.schemas.notifications import DeliveryOut

    wire: dict[str, object] = DeliveryOut.model_validate(one).model_dump(mode="json")
    return wire
