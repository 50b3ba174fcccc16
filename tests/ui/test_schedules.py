"""The pages of schedules without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_console.domain.access import SYSTEM
from agent_console.domain.errors import FieldError
from agent_console.domain.schedules import (
    NewSchedule,
    Rule,
    ScheduleChange,
    ScheduleQuery,
    ScheduleView,
)
from agent_console.ui import when
from agent_console.ui.states.new_job import NewJobPage
from agent_console.ui.states.schedule_form import ScheduleForm
from agent_console.ui.states.schedules import Schedules
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run

NIGHTLY = NewSchedule(
    name="Nightly",
    job_type="greet",
    rule=Rule(cron="0 3 * * *", time_zone="Europe/Berlin"),
    input_data={"name": "Ada"},
)


def own(**typed: str) -> dict[str, str]:
    """Return what was typed into the form's own fields."""
    return {when.own(name): value for name, value in typed.items()}


FORM = own(
    name="Tick",
    priority="7",
    every="10",
    everyUnit="minutes",
    catchUp="skip",
    overlap="skip",
    taskDescription="Say hello",
)


def only(console: Console) -> ScheduleView:
    (one,) = console.services.schedules.page(SYSTEM, ScheduleQuery()).items
    return one


async def opened(browser: Browser) -> None:
    await browser.send(ScheduleForm.watch, wait=False)
    await browser.until(lambda: browser.wire.value(ScheduleForm, "chosen") == "greet")


def test_the_list_shows_rules_in_words_next_runs_and_what_may_be_done(console: Console) -> None:
    made = console.services.schedules.create(console.actor("operator"), NIGHTLY)

    async def look() -> Browser:
        async with Browser(console.sign_in("viewer"), "/schedules") as browser:
            await browser.send(Schedules.watch, wait=False)
            await browser.until(lambda: bool(browser.wire.value(Schedules, "rows")))
            await browser.send(Schedules.pause(made.id))
            return browser

    wire = run(look()).wire
    (row,) = wire.value(Schedules, "rows")
    assert (row.name, row.words) == ("Nightly", "At 03:00 every day, Europe/Berlin")
    assert len(row.runs) == 5
    assert "03:00 (UTC+0" in row.runs[0].wall
    assert "jobs:create" in row.refusal
    assert wire.value(Schedules, "total") == "1 schedule"
    assert wire.value(Session, "notices")[-1].code == "forbidden"
    assert not only(console).paused


def test_rows_are_paused_resumed_run_and_deleted(console: Console) -> None:
    made = console.services.schedules.create(console.actor("operator"), NIGHTLY)

    async def act() -> list[bool]:
        seen = []
        async with Browser(console.sign_in("operator"), "/schedules") as browser:
            for verb in (Schedules.pause, Schedules.resume):
                await browser.send(verb(made.id))
                seen.append(browser.wire.value(Schedules, "rows")[0].paused)
            await browser.send(Schedules.run(made.id))
            seen.append(browser.wire.redirects()[-1].startswith("/jobs/job_"))
            await browser.send(Schedules.delete(made.id))
            seen.append(browser.wire.value(Schedules, "rows") == [])
        return seen

    assert run(act()) == [True, False, True, True]


def test_a_new_schedule_is_made_from_the_form(console: Console) -> None:
    async def make() -> Browser:
        async with Browser(console.sign_in("operator"), "/schedules/new?type=greet") as browser:
            await opened(browser)
            await browser.send(ScheduleForm.set_mode("interval"))
            await browser.send(ScheduleForm.save(FORM | {"name": "Ada", "times": "2"}))
            return browser

    assert run(make()).wire.redirects() == ["/schedules"]
    made = only(console)
    assert (made.name, made.priority, made.task_description) == ("Tick", 7, "Say hello")
    assert (made.input_data, made.words) == ({"name": "Ada", "times": 2}, "Every 10 minutes")
    assert (made.catch_up, made.overlap) == ("skip", "skip")
    assert made.owner_id == console.actor("operator").id


def test_a_schedule_is_changed_in_the_same_form(console: Console) -> None:
    made = console.services.schedules.create(console.actor("admin"), NIGHTLY)

    async def change() -> tuple[Any, ...]:
        path = f"/schedules/edit?id={made.id}"
        async with Browser(console.sign_in("operator"), path) as browser:
            await opened(browser)
            before = browser.wire.value(ScheduleForm, "draft")
            typed = own(name="Weekly", priority="5", cron="0 3 * * MON", timeZone="UTC")
            await browser.send(ScheduleForm.save(typed | {"name": "Grace"}))
            return before, browser.wire.redirects()

    before, went = run(change())
    assert (before.name, before.cron, before.time_zone) == ("Nightly", "0 3 * * *", "Europe/Berlin")
    assert went == ["/schedules"]
    after = only(console)
    assert (after.name, after.rule) == ("Weekly", Rule(cron="0 3 * * MON"))
    assert after.input_data == {"name": "Grace"}  # defaults are bound at every run
    assert after.owner_id == console.actor("operator").id


def test_who_comes_back_to_the_form_finds_in_it_what_is_true_now(console: Console) -> None:
    service, actor = console.services.schedules, console.actor("operator")
    made = service.create(actor, NIGHTLY)

    async def walk() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        async with Browser(console.sign_in("operator"), f"/schedules/edit?id={made.id}") as browser:

            async def shows(name: str) -> None:
                await browser.until(
                    lambda: (
                        browser.wire.value(ScheduleForm, "draft").name == name
                        and browser.wire.value(ScheduleForm, "schedule_id") == made.id
                    )
                )
                seen.append((name, browser.wire.value(ScheduleForm, "form_key")))

            await opened(browser)
            await shows("Nightly")
            service.change(actor, made.id, ScheduleChange(name="By somebody else"))
            await browser.send(ScheduleForm.type_cron("0 4 * * *"))
            await shows("Nightly")  # while somebody is in it, it holds still
            await browser.send(ScheduleForm.watch, wait=False)
            await shows("By somebody else")
            typed = own(name="Mine", priority="5", cron="0 5 * * *", timeZone="UTC")
            await browser.send(ScheduleForm.save(typed | {"name": "Grace"}))
            await browser.send(ScheduleForm.watch, wait=False)
            await shows("Mine")
            assert browser.wire.value(ScheduleForm, "draft").cron == "0 5 * * *"
        return seen

    first, held, anew, own_change = run(walk())
    assert first == held
    assert len({first[1], anew[1], own_change[1]}) == 3  # another form each, filled in anew


def test_fields_that_appear_anew_have_their_own_next_runs(console: Console) -> None:
    async def look() -> list[str]:
        words = []
        async with Browser(console.sign_in("operator"), "/schedules/new?type=greet") as browser:
            await opened(browser)
            for event in (ScheduleForm.type_cron("0 9 * * MON"), ScheduleForm.appear()):
                await browser.send(event)
                words.append(browser.wire.value(ScheduleForm, "words"))
        return words

    assert run(look()) == ["At 09:00 on Monday, UTC", "At 03:00 every day, UTC"]


def test_while_one_types_the_next_runs_are_shown(console: Console) -> None:
    async def look() -> tuple[Any, ...]:
        async with Browser(console.sign_in("operator"), "/schedules/new?type=greet") as browser:
            await opened(browser)
            await browser.send(ScheduleForm.type_zone("Asia/Kolkata"))
            await browser.send(ScheduleForm.type_cron("*/15 9 * * MON"))
            words = browser.wire.value(ScheduleForm, "words")
            runs = browser.wire.value(ScheduleForm, "runs")
            await browser.send(ScheduleForm.type_cron("nonsense"))
            return (
                words,
                runs,
                browser.wire.value(ScheduleForm, "errors"),
                browser.wire.value(ScheduleForm, "runs"),
            )

    words, runs, errors, none = run(look())
    assert words.endswith(", Asia/Kolkata")
    assert [one.wall[:3] for one in runs] == ["Mon"] * 5
    assert runs[0].wall.endswith("(UTC+05:30)")
    assert "five fields" in errors["cron"]
    assert none == []


def test_what_stands_in_the_way_is_said_at_its_field(console: Console) -> None:
    async def make() -> Browser:
        async with Browser(console.sign_in("operator"), "/schedules/new?type=greet") as browser:
            await opened(browser)
            wrong = own(name="", priority="1000", cron="")
            await browser.send(ScheduleForm.save(wrong))
            return browser

    wire = run(make()).wire
    errors = wire.value(ScheduleForm, "errors")
    assert set(errors) == {"name", "priority", "cron"}
    assert wire.value(ScheduleForm, "form_error") == "Some fields need another look."
    assert console.services.schedules.page(SYSTEM, ScheduleQuery()).items == []


def test_one_that_code_declares_cannot_be_changed_here(console: Console) -> None:
    assert console.services.schedules.declare([NIGHTLY]) == []
    made = only(console)

    async def look() -> Browser:
        path = f"/schedules/edit?id={made.id}"
        async with Browser(console.sign_in("operator"), path) as browser:
            await opened(browser)
            return browser

    wire = run(look()).wire
    assert "change it there" in wire.value(ScheduleForm, "refusal")
    assert wire.value(ScheduleForm, "draft").name == "Nightly"
    assert wire.value(ScheduleForm, "fields")[0].value == "Ada"


def test_a_job_is_made_for_later(console: Console) -> None:
    async def make(**form: str) -> str:
        async with Browser(console.sign_in("operator"), "/new?type=greet") as browser:
            await browser.send(NewJobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(NewJobPage, "chosen") == "greet")
            await browser.send(NewJobPage.create({"name": "Ada"} | own(**form)))
            found = browser.wire.redirects()
            return found[-1] if found else str(browser.wire.value(NewJobPage, "errors"))

    def job(address: str) -> datetime:
        jobs = console.services.jobs
        return jobs.find(SYSTEM, address.removeprefix("/jobs/")).run_at

    at = run(make(start="at", runAt="2099-07-01T09:30", timeZone="Europe/Berlin"))
    assert job(at) == datetime(2099, 7, 1, 7, 30, tzinfo=UTC)
    before = datetime.now(UTC)
    after = run(make(start="after", delay="2", delayUnit="hours"))
    assert timedelta(hours=1.9) < job(after) - before < timedelta(hours=2.1)
    assert "Choose a date" in run(make(start="at", runAt="soon"))
    assert "Choose a time zone" in run(make(start="at", runAt="2099-07-01T09:30", timeZone="Mars"))
    assert "whole number" in run(make(start="after", delay="-1"))


def test_spans_are_said_in_their_largest_unit_and_read_back() -> None:
    for seconds in (1, 59, 60, 90, 3_600, 5_400, 86_400, 172_800):
        count, unit = when.split(seconds)
        wrong: list[FieldError] = []
        form = own(every=count, everyUnit=unit)
        assert when.rule_of(form, "interval", wrong) == Rule(interval_seconds=seconds)
        assert wrong == []
    assert when.split(7_200) == ("2", "hours")
