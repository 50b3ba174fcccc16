"""The record on the job page: why a job is parked, the steps, and the dialogs that cut or fork."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.forks import Cut, RecordedDecision, RecordedStep
from agent_console.domain.jobs import JobError, JobVerb
from agent_console.domain.parking import Call, Divergence, ParkCode
from agent_console.domain.records import RetryFacts
from agent_console.store.finishes import finish
from agent_console.store.runs import record_step
from agent_console.ui.record_views import cut_view, policy_words
from agent_console.ui.states.again import NO_NUMBER, NOT_JSON, Again
from agent_console.ui.states.job import JobPage
from tests.support.runs import claim_one, end, start_worker, step
from tests.ui.conftest import Browser, Console, run

REASON = "Call 2: the record holds step 'b', the handler asks for approve 'send'."


def stopped(console: Console, **outcome: Any) -> str:
    """Return a job that recorded two steps and ended."""
    job_id = console.job()
    start_worker(console.db)
    key = claim_one(console.db).key
    record_step(console.db, key, step(0, 1, name="a"))
    record_step(console.db, key, step(1, 2, name="b"))
    finish(console.db, [end(key, **outcome)])
    return job_id


def failed(console: Console) -> str:
    return stopped(console, verb=JobVerb.FAIL, error=JobError("ValueError", "broken"))


def parked(console: Console) -> str:
    parted = Divergence(
        position=1,
        recorded=Call("step", "b"),
        asked=Call("approve", "send", "Send it?"),
        code_before="1",
        code_now="2",
    )
    return stopped(
        console,
        verb=JobVerb.PARK,
        park_reason=REASON,
        park_code=ParkCode.DIVERGED,
        park_detail=parted.to_json(),
    )


def on_page(
    console: Console, job_id: str, what: Callable[[Browser], Coroutine[Any, Any, None]]
) -> None:
    """Open the job's page as an operator, and do ``what`` there."""
    cookie = console.sign_in("operator")

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{job_id}") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "loaded"))
            await what(browser)

    run(look())


def status(console: Console, job_id: str) -> str:
    return console.services.jobs.find(console.actor("operator"), job_id).status.value


def test_a_parked_job_shows_both_sides(console: Console) -> None:
    async def what(browser: Browser) -> None:
        record = browser.wire.value(JobPage, "record")
        assert (record.where, record.recorded, record.asked) == (
            "Step 2",
            "Step: b",
            "Approval: send",
        )
        assert (record.asked_message, record.code_before, record.code_now) == ("Send it?", "1", "2")
        rows = browser.wire.value(JobPage, "steps")
        assert [(row.number, row.name, row.copied) for row in rows] == [
            ("1", "a", False),
            ("2", "b", False),
        ]
        refusals = browser.wire.value(JobPage, "refusals")
        assert (refusals["fail"], refusals["fork"], refusals["resume"]) == ("", "", "")

    on_page(console, parked(console), what)


def test_resuming_on_this_version_is_shown_before_it_is_done(console: Console) -> None:
    job_id = parked(console)

    async def what(browser: Browser) -> None:
        await browser.send(Again.resume_here)
        plan = browser.wire.value(Again, "plan")
        assert plan.lead == "It goes on at step 2. 1 recorded step before it stays done."
        assert [line.detail for line in plan.steps] == ["Step: b"]
        assert status(console, job_id) == "PARKED"
        await browser.send(Again.confirm)
        assert browser.wire.value(Again, "what") == ""

    on_page(console, job_id, what)
    assert status(console, job_id) == "QUEUED"


def test_a_dialog_stays_with_its_job_whatever_page_comes(console: Console) -> None:
    asked, other = failed(console), failed(console)

    async def what(browser: Browser) -> None:
        await browser.send(Again.retry_from(1))
        assert browser.wire.value(Again, "job") == asked
        browser.path = f"/jobs/{other}"  # the browser's Back button closes no dialog
        await browser.send(Again.confirm)

    on_page(console, asked, what)
    assert (status(console, asked), status(console, other)) == ("QUEUED", "FAILED")


def test_a_job_is_given_up_with_a_reason(console: Console) -> None:
    job_id = parked(console)

    async def what(browser: Browser) -> None:
        await browser.send(Again.give_up)
        await browser.send(Again.fail({"reason": " "}))
        assert "reason" in browser.wire.value(Again, "error")
        await browser.send(Again.fail({"reason": "no use"}))

    on_page(console, job_id, what)
    assert status(console, job_id) == "FAILED"


def test_a_retry_says_where_it_goes_on(console: Console) -> None:
    job_id = failed(console)

    async def what(browser: Browser) -> None:
        words = browser.wire.value(JobPage, "record").retry_words
        assert words == "A retry goes on at step 3; steps 1 to 2 stay done."
        await browser.send(Again.retry_from(1))
        assert browser.wire.value(Again, "plan").ready
        await browser.send(Again.confirm)

    on_page(console, job_id, what)
    assert status(console, job_id) == "QUEUED"


def test_a_fork_says_what_is_reused_while_the_input_is_edited(console: Console) -> None:
    job_id = failed(console)

    async def what(browser: Browser) -> None:
        await browser.send(Again.fork_from(1))
        assert json.loads(browser.wire.value(Again, "input")) == {"name": "Ada", "times": 1}
        assert "1 recorded step is reused" in browser.wire.value(Again, "plan").lead
        await browser.send(Again.edit_input("{"))
        assert browser.wire.value(Again, "error") == NOT_JSON
        await browser.send(Again.edit_input('{"name": 7}'))
        assert "inputData.name" in browser.wire.value(Again, "error")
        await browser.send(Again.edit_input('{"name": "Bo"}'))
        assert browser.wire.value(Again, "error") == ""
        form = {"inputData": '{"name": "Bo"}', "taskDescription": "", "priority": "x"}
        await browser.send(Again.fork(form))
        assert browser.wire.value(Again, "error") == NO_NUMBER
        await browser.send(Again.fork({**form, "priority": "7"}))
        (address,) = browser.wire.redirects()
        made = console.services.jobs.find(console.actor("operator"), address.rsplit("/", 1)[1])
        assert (made.forked_from, made.input_data) == (job_id, {"name": "Bo", "times": 1})
        assert made.priority == 7
        await browser.until(lambda: browser.wire.value(JobPage, "forks"))
        assert browser.wire.value(JobPage, "forks")[0].href == address

    on_page(console, job_id, what)


def test_policies_and_cuts_in_words() -> None:
    assert policy_words(RetryFacts(max_attempts=1)) == "1 attempt"
    assert policy_words(RetryFacts(never=("KeyError",))) == (
        "3 attempts, 1 s to 300 s apart; never after KeyError"
    )
    asked = RecordedDecision(
        checkpoint_id="chk_1",
        position=0,
        message="a\u202eb",
        status=CheckpointStatus.APPROVED,
        decided_by_name="R",
    )
    view = cut_view(
        Cut(
            position=0,
            kept=0,
            steps=[RecordedStep(position=0, kind="approve", name="go")],
            decisions=[asked],
        )
    )
    assert view.lead == "It goes on at step 1. Nothing that is recorded stays."
    assert "\u202e" not in view.again[0].text
