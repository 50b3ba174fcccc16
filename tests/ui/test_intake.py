from __future__ import annotations

import logging
from typing import Any

import pytest
import reflex as rx
from reflex_base.event import Event

from agent_console.ui import guard, intake
from agent_console.ui.intake import LINES, SHOWN, WINDOW, Bounded, fits, is_event
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.new_job import NewJobPage
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run

NAME = f"{JobPage.get_full_name()}.set_level"
HYDRATE = f"{rx.State.get_full_name()}.hydrate"


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ({"name": NAME, "payload": {"level": "INFO"}, "router_data": {"pathname": "/x"}}, True),
        ({"name": NAME}, True),
        ({"name": "no.such.event"}, False),
        ({"name": 5}, False),
        ({"name": {"a": 1}}, False),
        ({"payload": {}}, False),
        ({"name": NAME, "payload": "text"}, False),
        ({"name": NAME, "router_data": [1]}, False),
        ({"name": NAME, "router_data": {"pathname": {"a": 1}}}, False),
        ({"name": NAME, "router_data": {"query": "x"}}, False),
        ('{"name": "x"}', False),
        ([1, 2], False),
        (None, False),
    ],
)
def test_an_event_is_told_from_anything_else(data: object, verdict: bool) -> None:
    assert is_event(data, {NAME: object()}) is verdict


def test_what_is_no_event_is_dropped_without_quoting_it(
    app: rx.App, caplog: pytest.LogCaptureFixture
) -> None:
    namespace = app.event_namespace
    assert namespace is not None
    junk: list[Any] = ["canary\n\x1b[31m", [1], {"name": {"a": 1}}, {"name": "canary"}, None]
    for data in junk:
        run(namespace.on_event("sid-1", data))
    assert [one.levelname for one in caplog.records] == ["WARNING"] * len(junk)
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("payload", "verdict"),
    [
        ({"group": "files", "number": 0}, True),
        ({"group": "files", "number": True}, False),
        ({"group": "files", "number": float("nan")}, False),
        ({"group": {"a": 1}, "number": 0}, False),
        ({"group": "files"}, False),
        ({"group": "files", "number": 0, "more": 1}, False),
    ],
)
def test_arguments_must_be_those_declared(payload: dict[str, Any], verdict: bool) -> None:
    assert fits(NewJobPage.event_handlers["remove_item"].fn, payload) is verdict


def test_wrong_arguments_are_refused_in_words(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = console.sign_in("admin")
    wrong = [
        (f"{NewJobPage.get_full_name()}.add_item", {"group": {"a": 1}}),
        (f"{NewJobPage.get_full_name()}.create", {"form": "text"}),
        (f"{JobPage.get_full_name()}.control", {}),
        (f"{JobPage.get_full_name()}.set_level", {"level": "INFO", "more": 1}),
    ]

    async def throw(name: str, payload: dict[str, Any]) -> Browser:
        async with Browser(cookie, "/new") as browser:
            await browser.send(Event(name=name, payload=payload))
            return browser

    for name, payload in wrong:
        notice = run(throw(name, payload)).wire.value(Session, "notices")[-1]
        assert (notice.code, notice.text) == ("invalid", guard.MISFIT), name
    assert "Traceback" not in caplog.text


def test_a_strangers_wrong_arguments_change_nothing(console: Console) -> None:
    console.sign_in("admin")

    async def throw() -> Browser:
        async with Browser() as browser:
            await browser.send(Event(name=HYDRATE, payload={"more": 1}))
            return browser

    assert run(throw()).wire.value(Session, "notices") is None


def test_a_failing_handler_is_a_notice_and_one_line(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = console.sign_in("viewer")
    assert guard.handler_failed(ValueError("inner")).handler.fn.__name__ == "fail"
    assert [one.exc_info is not None for one in caplog.records] == [True]

    async def tell() -> Browser:
        async with Browser(cookie) as browser:
            await browser.send(guard.Notices.fail())
            return browser

    notice = run(tell()).wire.value(Session, "notices")[-1]
    assert (notice.code, "inner" in notice.text) == ("internal", False)


def test_what_browsers_report_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    intake.browser_failed(ValueError("x" * 700_000))
    assert SHOWN < len(caplog.records[-1].getMessage()) < 2 * SHOWN


def test_a_flood_of_lines_is_left_out_and_counted() -> None:
    now = 0.0
    bounded = Bounded(quiet=True, clock=lambda: now)

    def record(text: str = "x", error: bool = False) -> logging.LogRecord:
        kind = (ValueError, ValueError("canary"), None) if error else None
        return logging.LogRecord("engineio.server", logging.ERROR, "f", 1, text, (), kind)

    failed = record(error=True)
    assert bounded.filter(failed)
    assert (failed.getMessage(), failed.exc_info) == ("x (ValueError)", None)
    assert sum(bounded.filter(record()) for _ in range(100)) == LINES - 1
    now = WINDOW
    long = record("y" * 700_000)
    assert bounded.filter(long)
    assert len(long.getMessage()) < 3 * SHOWN
    assert f"({101 - LINES} lines like this were left out)" in long.getMessage()
