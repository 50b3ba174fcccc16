from __future__ import annotations

import logging
from typing import Any

import pytest
import reflex as rx
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from agent_console.domain.access import ROLE_PERMISSIONS, Role
from agent_console.domain.errors import Unavailable
from agent_console.settings import Settings
from agent_console.ui import bridge, guard
from agent_console.ui.guard import FRAMEWORK, Redact, guard_of, our_handlers
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.jobs import Jobs
from agent_console.ui.states.session import OUTAGE, Session
from tests.ui.conftest import Browser, Console, run

HYDRATE = f"{rx.State.get_full_name()}.hydrate"


@pytest.mark.usefixtures("app")
def test_every_event_handler_declares_who_may_call_it() -> None:
    handlers = our_handlers()
    assert len(handlers) > 15
    assert [name for name, declared in handlers.items() if declared is None] == []


@pytest.mark.usefixtures("app")
def test_an_undeclared_handler_stops_the_start() -> None:
    before = RegistrationContext.get()
    RegistrationContext.set(before.fork())
    try:

        class Rogue(rx.State):
            @rx.event
            def wipe(self) -> None:
                """Nobody said who may."""

        with pytest.raises(RuntimeError, match=r"rogue\.wipe"):
            guard.assert_all_guarded()
    finally:
        RegistrationContext.set(before)


def test_nobody_gets_past_the_gate(console: Console) -> None:
    console.sign_in("admin")
    job = console.job()

    async def attack(name: str) -> Browser:
        async with Browser(path="/jobs") as browser:
            await browser.send(Event(name=name, payload={"action": "cancel", "form": {}}))
            return browser

    for name in our_handlers():
        browser = run(attack(name))
        assert browser.wire.redirects() == ["/login?next=/jobs"], name
        assert browser.wire.value(Session, "user_id") in (None, ""), name
        assert not browser.wire.value(Jobs, "rows"), name
    assert console.services.jobs.get(console.actor("admin"), job).job.status == "PENDING"


def test_hydrating_as_nobody_shows_nothing(console: Console) -> None:
    console.sign_in("admin")
    console.job(task_description="a private matter")

    async def hydrate() -> Browser:
        async with Browser() as browser:
            await browser.send(Event(name=HYDRATE))
            return browser

    sent = run(hydrate()).wire.sent
    assert sent
    assert "a private matter" not in str(sent)
    assert "admin@example.com" not in str(sent)


def test_a_viewer_may_not_change_anything(console: Console) -> None:
    cookie, job = console.sign_in("viewer"), console.job()
    forbidden = {
        name: declared.permission
        for name, declared in our_handlers().items()
        if declared and declared.permission
        and declared.permission not in ROLE_PERMISSIONS[Role.VIEWER]
        and not name.endswith(".watch")
    }  # fmt: skip
    assert {name.rsplit(".", 1)[-1] for name in forbidden} >= {
        "control", "create", "start_worker", "stop_worker",
    }  # fmt: skip

    async def attempt(name: str) -> Browser:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            await browser.send(Event(name=name, payload={"action": "cancel"}))
            return browser

    for name, permission in forbidden.items():
        notices = run(attempt(name)).wire.value(Session, "notices")
        assert notices[-1].code == "forbidden", name
        assert permission is not None
        assert permission.value in notices[-1].text
    assert console.services.jobs.get(console.actor("viewer"), job).job.status == "PENDING"


def test_an_operator_cancels_a_job(console: Console) -> None:
    cookie, job = console.sign_in("operator"), console.job()

    async def cancel() -> Browser:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            await browser.send(JobPage.control("explode"))
            await browser.send(JobPage.control("cancel"))
            await browser.send(JobPage.control("cancel"))
            return browser

    notices = run(cancel()).wire.value(Session, "notices")
    assert [(one.tone, one.code) for one in notices] == [("success", ""), ("error", "conflict")]
    assert console.services.jobs.get(console.actor("operator"), job).job.status == "CANCELED"


def test_what_a_handler_is_sent_is_not_believed(console: Console) -> None:
    cookie = console.sign_in("operator")
    junk: list[Any] = [{"a": 1}, None, ["x"], 7]

    async def throw() -> Browser:
        async with Browser(cookie, "/jobs/job_1") as browser:
            for value in junk:
                name = f"{JobPage.get_full_name()}.set_level"
                await browser.send(Event(name=name, payload={"level": value}))
            return browser

    assert run(throw()).wire.value(JobPage, "level") in (None, "DEBUG")


def test_setters_of_the_framework_are_refused(console: Console) -> None:
    cookie = console.sign_in("admin")

    async def write() -> Browser:
        async with Browser(cookie) as browser:
            name = f"{Session.get_full_name()}.setvar"
            payload = {"var_name": "role", "value": "king"}
            await browser.send(Event(name=name, payload=payload))
            await browser.send(Event(name=HYDRATE))
            return browser

    assert run(write()).wire.value(Session, "role") == "admin"


def test_the_framework_list_names_handlers_that_exist() -> None:
    known = RegistrationContext.ensure_context().event_handlers
    assert sorted(FRAMEWORK - set(known)) == []
    assert [name for name in FRAMEWORK if guard_of(name)] == []


def test_signing_out_counts_from_the_next_event(console: Console) -> None:
    cookie = console.sign_in("operator")

    async def use() -> Browser:
        async with Browser(cookie, "/nowhere") as browser:
            await browser.send(JobPage.set_following(False))
            assert browser.wire.redirects() == []
            console.services.access.logout(console.people["operator"][1])
            await browser.send(JobPage.set_following(True))
            return browser

    browser = run(use())
    assert set(browser.wire.redirects()) == {"/login?next=/nowhere"}
    assert browser.wire.value(Session, "name") == ""


def test_another_person_on_the_same_connection_sees_nothing_of_the_first(
    console: Console,
) -> None:
    ana, ben = console.sign_in("operator", "ana"), console.sign_in("viewer", "ben")

    async def swap() -> Browser:
        async with Browser(ana, "/nowhere") as browser:
            await browser.send(JobPage.set_level("ERROR"))
            assert browser.wire.value(JobPage, "level") == "ERROR"
            browser.cookie = ben
            await browser.send(JobPage.set_following(True))
            return browser

    wire = run(swap()).wire
    assert (wire.value(Session, "name"), wire.value(JobPage, "level")) == ("Ben", "DEBUG")


def test_no_database_no_entry(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie, job = console.sign_in("operator"), console.job()

    def down(*_: object) -> None:
        raise Unavailable

    async def attempt() -> Browser:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            monkeypatch.setattr(type(console.services.access), "actors_for_sessions", down)
            await browser.send(JobPage.control("cancel"))
            return browser

    assert run(attempt()).wire.value(Session, "notices")[-1].code == "unavailable"
    assert console.services.jobs.get(console.actor("operator"), job).job.status == "PENDING"


def test_a_page_that_begins_in_an_outage_says_so_and_begins_again(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie, job = console.sign_in("operator"), console.job()

    def down(*_: object) -> None:
        raise Unavailable

    async def arrive() -> None:
        async with Browser(cookie, "/jobs") as browser:
            with monkeypatch.context() as away:
                away.setattr(type(console.services.access), "actors_for_sessions", down)
                away.setattr(guard, "AGAIN", 0.02)
                await browser.send(Jobs.watch, wait=False)
                await browser.until(lambda: browser.wire.value(Session, "outage") == OUTAGE)
            assert not browser.wire.value(Session, "notices")
            await browser.until(lambda: browser.wire.value(Jobs, "rows"))
            assert [row.id for row in browser.wire.value(Jobs, "rows")] == [job]
            await browser.until(lambda: browser.wire.value(Session, "outage") == "")

    run(arrive())


@pytest.mark.usefixtures("console")
def test_without_any_account_the_way_leads_to_setup() -> None:
    async def look() -> Browser:
        async with Browser(path="/jobs") as browser:
            await browser.send(Jobs.watch)
            return browser

    assert run(look()).wire.redirects() == ["/setup"]


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("", None),
        ("ac_session=abc", "abc"),
        ("a=1; __Host-ac_session=xyz; ac_session=abc", "abc"),
        ("ac_session=", None),
        ("not_ac_session=abc", None),
        ("\x00;;==", None),
        # What other programs on the same host leave behind, and a strict parser stops at.
        ('prefs={"a":1}; ac_session=abc', "abc"),
        ("a[b]=1; ünï=x y; flag; a@b=2; ac_session=abc", "abc"),
    ],
)
def test_the_session_is_found_in_the_cookie_header(header: str, secret: str | None) -> None:
    assert bridge.session_secret(header, "ac_session") == secret


def test_over_tls_only_the_cookie_bound_to_the_host_counts(console: Console) -> None:
    bridge.bind(console.services, Settings(public_url="https://console.example"))
    console.sign_in("viewer")
    secret = console.people["viewer"][1]

    async def who(name: str) -> object:
        return await bridge.actor_of(f"{name}={secret}")

    assert run(who("ac_session")) is None
    assert run(who("__Host-ac_session")) is not None


def test_logged_events_hold_no_cookie_and_no_token() -> None:
    text = "Event(headers={'cookie': 'ac_session=s3cr3t; a=1'}, key=ac_0abc_%s)"
    record = logging.LogRecord("x", logging.ERROR, "f", 1, text, ("t" * 40,), None)
    assert Redact().filter(record)
    assert record.getMessage() == (
        "Event(headers={'cookie': 'ac_session=[redacted]; a=1'}, key=ac_0abc_[redacted])"
    )
