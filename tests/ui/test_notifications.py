"""The page of notifications without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.errors import FieldError
from agent_console.domain.notifications import (
    DIGEST,
    Delivery,
    DeliveryQuery,
    DeliveryStatus,
    NewSubscription,
)
from agent_console.gateways.http import http_gateway
from agent_console.settings import Settings
from agent_console.ui import bridge, when
from agent_console.ui.notification_views import message_row, new_subscription
from agent_console.ui.states.notifications import Notifications
from agent_console.ui.states.session import Session
from tests.support.receiver import Receiver, receiver
from tests.ui.conftest import Browser, Console, run


@pytest.fixture
def other(console: Console, tmp_path: Path) -> Iterator[Receiver]:
    """Run a receiver that the console may call."""
    with receiver() as made:
        settings = Settings(data_dir=tmp_path, **made.settings)
        service = console.services.notifications
        service._settings = service._dispatcher._settings = settings
        service._dispatcher._http = http_gateway(settings)
        bridge.bind(console.services, settings)
        yield made


def form(**typed: Any) -> dict[str, Any]:
    return {when.own(name): value for name, value in typed.items()}


def told(browser: Browser) -> list[str]:
    return [one.text for one in browser.wire.value(Session, "notices") or []]


def test_a_subscription_is_added_tested_turned_off_and_deleted(
    console: Console, other: Receiver
) -> None:
    cookie, actor = console.sign_in("reviewer"), console.actor("reviewer")
    service = console.services.notifications

    async def walk() -> Browser:
        async with Browser(cookie, "/notifications") as browser:
            await browser.send(Notifications.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Notifications, "schemes"))
            given = form(
                name="Mine", way="webhook", target=other.url, new="on", reminders="50 %, 5",
                digestMinutes="60",
            )  # fmt: skip
            await browser.send(Notifications.add(given))
            (one,) = service.page(actor)
            assert (one.topics, one.reminders, one.shared) == (("new",), (50, 5), False)
            assert one.digest_minutes == 60
            assert browser.wire.value(Notifications, "rows")[0].topics == (
                "New · gathered every hour"
            )
            assert str(browser.wire.value(Notifications, "made_secret")).startswith("whsec_")
            await browser.send(Notifications.forget_secret())
            assert browser.wire.value(Notifications, "made_secret") == ""
            await browser.send(Notifications.test(one.id))
            assert "The test has arrived." in told(browser)
            other.answers = [500]
            await browser.send(Notifications.test(one.id))
            assert "The test did not arrive. The answer was 500." in told(browser)
            browser.path = f"/notifications?subscription={one.id}"
            await browser.send(Notifications.switch(one.id, True))
            rows = browser.wire.value(Notifications, "messages")
            first = rows[0]
            assert (first.topic, first.status, first.last) == (
                "Test", "failed", "The answer was 500.",
            )  # fmt: skip
            await browser.send(Notifications.redeliver(rows[0].id))
            page = service.deliveries(actor, one.id, DeliveryQuery())
            assert page.items[0].status.value == "pending"
            await browser.send(Notifications.switch(one.id, False))
            assert browser.wire.value(Notifications, "rows")[0].state == "Off"
            await browser.send(Notifications.delete(one.id))
            assert service.page(actor) == []
            return browser

    browser = run(walk())
    sent = repr([update.delta for update in browser.wire.sent])
    assert other.origin in sent
    assert "s3cret-path" not in sent


def test_a_refusal_stands_at_its_field_and_others_subscriptions_are_out_of_reach(
    console: Console, other: Receiver
) -> None:
    service = console.services.notifications
    shared = service.create(
        console.actor("admin"),
        NewSubscription(name="Ours", way="webhook", target=other.url, shared=True),
    ).subscription

    async def walk() -> tuple[list[Any], list[str]]:
        async with Browser(console.sign_in("viewer"), "/notifications") as browser:
            refusals = []
            for given in (
                form(name="", way="webhook", target=""),
                form(name="M", way="webhook", target="https://no.example/x", new="on"),
                form(name="M", way="apprise", target="ntfy://x", new="on"),
                form(name="M", way="webhook", target=other.url),
                form(name="M", way="webhook", target=other.url, new="on", reminders="soon"),
                form(name="M", way="webhook", target=other.url, new="on", digestMinutes="9999"),
                form(name="M", way="webhook", target=other.url, new="on", digestMinutes="now"),
            ):
                await browser.send(Notifications.add(given))
                refusals.append(sorted(browser.wire.value(Notifications, "errors")))
            given = form(name="M", way="webhook", target=other.url, new="on", shared="on")
            await browser.send(Notifications.add(given))
            await browser.send(Notifications.test(shared.id))
            await browser.send(Notifications.delete(shared.id))
            return refusals, told(browser)

    refusals, said = run(walk())
    assert refusals == [
        ["name", "target"], ["target"], ["target"], ["topics"], ["reminders"], ["digestMinutes"],
        ["digestMinutes"],
    ]  # fmt: skip
    assert any("notifications:manage" in one for one in said)
    assert sum(f"There is no subscription {shared.id}." in one for one in said) == 2
    assert other.received == []
    assert service.get(console.actor("admin"), shared.id).name == "Ours"


def test_what_is_typed_becomes_a_subscription() -> None:
    wrong: list[FieldError] = []
    given = form(
        name=" N ", way="apprise", target="slack://a", jobTypes="one, two", decided="on",
        decidable="on", reminders="",
    )  # fmt: skip
    new = new_subscription(given, wrong)
    assert wrong == []
    assert (new.name, new.secret, list(new.topics)) == ("N", None, ["decided"])
    assert (new.job_types, new.decidable, new.reminders) == (["one", "two"], True, [])


def test_a_message_that_gathers_says_how_many_and_leads_to_the_desk() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    one = Delivery(
        id="msg_1", subscription_id="sub_1", topic=DIGEST, job_id=None, checkpoint_id=None,
        body={"data": {"notices": [{}, {}]}}, status=DeliveryStatus.PENDING, attempts=(),
        next_at=at, created_at=at, finished_at=None,
    )  # fmt: skip
    row = message_row(one, enabled=True)
    assert (row.topic, row.said, row.href) == ("Gathered", "2 notices", "/admin/agent-checkpoints")
