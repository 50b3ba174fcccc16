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
    SubscriptionChange,
)
from agent_console.gateways.http import http_gateway
from agent_console.settings import Settings
from agent_console.ui import bridge, when
from agent_console.ui.notification_views import (
    draft,
    message_row,
    new_subscription,
    subscription_change,
)
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
            await browser.send(Notifications.save(given))
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
                await browser.send(Notifications.save(given))
                refusals.append(sorted(browser.wire.value(Notifications, "errors")))
            given = form(name="M", way="webhook", target=other.url, new="on", shared="on")
            await browser.send(Notifications.save(given))
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


def test_a_subscription_is_edited_in_the_form_it_was_made_with(
    console: Console, other: Receiver
) -> None:
    cookie, actor = console.sign_in("reviewer"), console.actor("reviewer")
    service = console.services.notifications
    new = NewSubscription(
        name="Mine", way="webhook", target=other.url, topics=["new"], digest_minutes=45,
        job_types=["greet"], reminders=[30],
    )  # fmt: skip
    one = service.create(actor, new).subscription

    def as_shown(**typed: str) -> dict[str, Any]:
        given = {"name": "Mine", "new": "on", "reminders": "30", "jobTypes": "greet"}
        return form(**given | {"digestMinutes": "45"} | typed)

    async def walk() -> list[str]:
        async with Browser(cookie, f"/notifications?edit={one.id}") as browser:
            await browser.send(Notifications.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Notifications, "rows"))
            filled = browser.wire.value(Notifications, "draft")
            assert filled == draft(one)
            assert (filled.digest, filled.digest_words) == ("45", "Every 45 minutes")
            wrong = []
            for given in (as_shown(name=""), as_shown(new=""), as_shown(target="https://no.ex/x")):
                await browser.send(Notifications.save(given))
                wrong.append(sorted(browser.wire.value(Notifications, "errors")))
            assert wrong == [["name"], ["topics"], ["target"]]
            assert service.get(actor, one.id) == one
            # Meanwhile elsewhere; the form holds what it held, and undoes nothing of it.
            service.change(actor, one.id, SubscriptionChange(reminders=[40], digest_minutes=15))
            await browser.until(
                lambda: "15 minutes" in browser.wire.value(Notifications, "rows")[0].topics
            )
            assert browser.wire.value(Notifications, "draft") == filled
            await browser.send(Notifications.save(as_shown(name="Ours", decided="on", jobTypes="")))
            assert browser.wire.redirects() == ["/notifications"]
            assert not browser.wire.value(Notifications, "made_secret")
            return told(browser)

    assert "It is changed: Ours." in run(walk())
    now = service.get(actor, one.id)
    assert (now.name, now.topics, now.job_types) == ("Ours", ("new", "decided"), ())
    assert (now.reminders, now.digest_minutes, now.shown) == ((40,), 15, one.shown)
    assert service.test(actor, one.id).status is DeliveryStatus.SENT  # its target is what it was


def test_who_comes_back_to_the_form_finds_in_it_what_is_true_now(
    console: Console, other: Receiver
) -> None:
    cookie, actor = console.sign_in("reviewer"), console.actor("reviewer")
    service = console.services.notifications
    new = NewSubscription(name="Mine", way="webhook", target=other.url, topics=["new"])
    one = service.create(actor, new).subscription

    async def walk() -> list[str]:
        async with Browser(cookie, f"/notifications?edit={one.id}") as browser:
            await browser.send(Notifications.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Notifications, "rows"))
            keys = [browser.wire.value(Notifications, "form_key")]
            service.change(actor, one.id, SubscriptionChange(name="Renamed"))
            await browser.until(
                lambda: browser.wire.value(Notifications, "rows")[0].name == "Renamed"
            )
            keys.append(browser.wire.value(Notifications, "form_key"))
            await browser.send(Notifications.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Notifications, "draft").name != "Mine")
            assert browser.wire.value(Notifications, "draft").name == "Renamed"
            return [*keys, browser.wire.value(Notifications, "form_key")]

    first, held, anew = run(walk())
    assert first == held != anew  # another form, filled anew, not the old one with its old words


def test_others_subscriptions_are_not_edited(console: Console, other: Receiver) -> None:
    service = console.services.notifications
    theirs = NewSubscription(name="Theirs", way="webhook", target=other.url)
    one = service.create(console.actor("reviewer"), theirs).subscription

    async def walk() -> list[str]:
        async with Browser(console.sign_in("admin"), f"/notifications?edit={one.id}") as browser:
            await browser.send(Notifications.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Notifications, "loaded"))
            assert browser.wire.value(Notifications, "draft").id == ""
            given = form(name="Mine now", way="webhook", target="", new="on")
            await browser.send(Notifications.save(given))  # a new one, which lacks its target
            return sorted(browser.wire.value(Notifications, "errors"))

    assert run(walk()) == ["target"]
    assert service.get(console.actor("reviewer"), one.id) == one


def test_what_is_typed_becomes_a_change_of_what_differs(console: Console, other: Receiver) -> None:
    new = NewSubscription(name="N", way="webhook", target=other.url, job_types=["a job"])
    before = draft(console.services.notifications.create(console.actor("viewer"), new).subscription)
    wrong: list[FieldError] = []
    same = form(
        name=" N ", jobTypes="a job", reminders="50, 10", digestMinutes="0", target="", secret="",
        new="on", reminder="on", escalation="on",
    )  # fmt: skip
    assert subscription_change(same, before, wrong) == SubscriptionChange()
    other_one = same | form(jobTypes="a, b", decidable="on", digestMinutes="60", reminders="")
    assert subscription_change(other_one, before, wrong) == SubscriptionChange(
        job_types=["a", "b"], decidable=True, digest_minutes=60, reminders=[]
    )
    assert wrong == []
    subscription_change(form(name="", digestMinutes="soon", reminders="x"), before, wrong)
    assert [one.field for one in wrong] == ["name", "reminders", "digestMinutes"]


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
