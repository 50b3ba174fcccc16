from __future__ import annotations

from typing import Any

from agent_console.ui.states.new_job import NewJobPage
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run

PATH = "/new?type=greet"


async def filled(browser: Browser, *forms: dict[str, Any]) -> None:
    await browser.send(NewJobPage.watch, wait=False)
    await browser.until(lambda: browser.wire.value(NewJobPage, "chosen") == "greet")
    for form in forms:
        await browser.send(NewJobPage.create(form))


def test_the_catalog_is_offered_with_a_form(console: Console) -> None:
    async def look() -> None:
        async with Browser(console.sign_in("operator"), PATH) as browser:
            await filled(browser)
            card = browser.wire.value(NewJobPage, "cards")[0]
            assert (card.title, card.href, card.current) == ("Greet", "/new?type=greet", True)
            assert card.limits == browser.wire.value(NewJobPage, "chosen_limits") == "At most 30 s"
            names = [view.name for view in browser.wire.value(NewJobPage, "fields")]
            assert names == ["name", "times"]
            await browser.send(NewJobPage.use_example)
            assert browser.wire.value(NewJobPage, "fields")[0].value == "Ada"

    run(look())


def test_a_filled_form_makes_one_job_even_when_sent_twice(console: Console) -> None:
    form = {"taskDescription": "Hi", "priority": "7", "name": "Ada", "times": "2"}

    async def make() -> str:
        async with Browser(console.sign_in("operator"), PATH) as browser:
            await filled(browser, form)
            return browser.wire.redirects()[-1]

    address = run(make())
    job = console.services.jobs.get(console.actor("operator"), address.split("/")[-1]).job
    assert (job.task_description, job.priority) == ("Hi", 7)
    assert job.input_data == {"name": "Ada", "times": 2}
    assert job.user_id == console.actor("operator").id


def test_refused_fields_are_marked_and_nothing_is_made(console: Console) -> None:
    async def make() -> Browser:
        async with Browser(console.sign_in("operator"), PATH) as browser:
            await filled(browser, {"priority": "1000", "times": "x"}, {"name": "A", "times": "1.5"})
            return browser

    wire = run(make()).wire
    assert wire.redirects() == []
    assert wire.value(NewJobPage, "fields")[1].error == "Enter a whole number."
    counts = console.services.jobs.counts(console.actor("operator"))
    assert sum(counts.values()) == 0


def test_a_viewer_sees_the_form_and_the_reason(console: Console) -> None:
    async def look() -> Browser:
        async with Browser(console.sign_in("viewer"), PATH) as browser:
            await filled(browser, {"name": "Ada"})
            return browser

    wire = run(look()).wire
    assert "jobs:create" in wire.value(NewJobPage, "refusal")
    assert wire.value(Session, "notices")[-1].code == "forbidden"
    assert sum(console.services.jobs.counts(console.actor("viewer")).values()) == 0
