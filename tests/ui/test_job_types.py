from __future__ import annotations

import pytest

from agent_console.domain.limits import Caps
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.job_types import JobTypes, caps_of
from agent_console.ui.states.new_job import NewJobPage
from tests.ui.conftest import Browser, Console, run


async def opened(browser: Browser) -> None:
    await browser.send(JobTypes.watch, wait=False)
    await browser.until(lambda: browser.wire.value(JobTypes, "rows"))


def test_an_operator_pauses_a_type_with_a_reason_and_resumes_it(console: Console) -> None:
    async def act() -> None:
        async with Browser(console.sign_in("operator"), "/workers") as browser:
            await opened(browser)
            (row,) = browser.wire.value(JobTypes, "rows")
            assert (row.title, row.limits, row.paused, row.refusal) == (
                "Greet", "not limited", False, "",
            )  # fmt: skip
            await browser.send(JobTypes.ask_to("pause", "greet"))
            assert browser.wire.value(JobTypes, "asking") == "pause"
            await browser.send(JobTypes.pause({"reason": " supplier down "}))
            (row,) = browser.wire.value(JobTypes, "rows")
            assert (row.paused, row.paused_by, row.reason) == (True, "Operator", "supplier down")
            assert browser.wire.value(JobTypes, "asking") == ""
            await browser.send(JobTypes.resume("greet"))
            (row,) = browser.wire.value(JobTypes, "rows")
            assert not row.paused

    run(act())


def test_limits_are_set_or_the_dialog_says_what_is_wrong(console: Console) -> None:
    async def act() -> None:
        async with Browser(console.sign_in("operator"), "/workers") as browser:
            await opened(browser)
            await browser.send(JobTypes.ask_to("limits", "greet"))
            await browser.send(JobTypes.limit({"running": "many"}))
            wrong = browser.wire.value(JobTypes, "wrong")
            assert wrong == "Running at once: enter a whole number, or nothing."
            await browser.send(JobTypes.limit({"starts": "3"}))
            assert "Seconds: is needed with starts" in browser.wire.value(JobTypes, "wrong")
            await browser.send(JobTypes.limit({"running": "2", "starts": "3", "per": "0.5"}))
            (row,) = browser.wire.value(JobTypes, "rows")
            assert row.limits == "2 running, 3 starts per 0.5 s"
            assert (row.declared, row.changed) == ("not limited", True)

    run(act())


def test_a_viewer_sees_it_all_and_changes_nothing(console: Console) -> None:
    async def act() -> None:
        async with Browser(console.sign_in("viewer"), "/workers") as browser:
            await opened(browser)
            assert "workers:control" in browser.wire.value(JobTypes, "rows")[0].refusal
            await browser.send(JobTypes.resume("greet"))
            await browser.send(JobTypes.pause({"reason": "no"}))

    run(act())
    assert console.services.job_types.paused(console.actor("viewer")) == []


def test_a_paused_type_says_so_where_jobs_are_made_and_on_those_held(console: Console) -> None:
    job_id = console.job()
    console.services.job_types.pause(console.actor("operator"), "greet", "supplier down")

    async def look() -> None:
        async with Browser(console.sign_in("operator"), "/new?type=greet") as browser:
            await browser.send(NewJobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(NewJobPage, "paused"))
            assert browser.wire.value(NewJobPage, "paused") == "Operator: supplier down"
        async with Browser(console.sign_in("operator"), f"/jobs/{job_id}", "tab-2") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: getattr(browser.wire.value(JobPage, "job"), "held", ""))
            held = browser.wire.value(JobPage, "job").held
            assert held == "type paused by Operator: supplier down"

    run(look())


def test_empty_fields_are_as_declared() -> None:
    assert caps_of({"running": "", "perKey": "0"}) == Caps(per_key=0)
    with pytest.raises(ValueError, match="Seconds"):
        caps_of({"per": "soon"})
