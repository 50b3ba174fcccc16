"""Durable waits: for a time, and for an answer from outside; both cost no slot and happen once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_console import AsyncJobContext, Callback, Invalid, JobContext, handler
from agent_console.domain.errors import Conflict, Unauthenticated
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.runtime.waiting import LONGEST
from agent_console.services.callbacks import CallbackService
from agent_console.store.database import Database
from tests.runtime.desk import Desk
from tests.runtime.hosts import Changes, hosted

HOUR = timedelta(hours=1)


@handler("test")
def nap(ctx: JobContext) -> str:
    """Sleep an hour between two steps."""
    ctx.step("before", lambda: 1)
    ctx.sleep(HOUR)
    ctx.step("after", lambda: 2)
    return "awake"


def test_a_sleeping_job_is_queued_until_its_time_and_goes_on_where_it_was(desk: Desk) -> None:
    desk.add(nap)
    job_id = desk.enqueue()
    assert desk.run() == 1
    job = desk.job(job_id)
    assert job.status is JobStatus.QUEUED
    assert job.worker_id is None
    assert job.run_at == desk.clock.now() + HOUR
    desk.clock.advance(3599)
    assert desk.run() == 0
    desk.clock.advance(1)
    assert desk.run() == 1
    job = desk.job(job_id)
    assert (job.status, job.output_data, job.attempts) == (JobStatus.COMPLETED, "awake", 1)
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["step", "sleep", "step"]
    assert desk.actions(job_id).count("job.sleeping") == 1


@pytest.mark.parametrize("disturb", ["pause and resume", "cancel and retry"])
def test_a_job_that_is_woken_too_early_sleeps_on(desk: Desk, disturb: str) -> None:
    desk.add(nap)
    job_id = desk.enqueue()
    desk.run()
    wake = desk.job(job_id).run_at
    for verb in disturb.split(" and "):
        desk.control(job_id, JobVerb(verb))
    desk.run()
    assert desk.job(job_id).status is JobStatus.QUEUED
    assert desk.job(job_id).run_at == wake
    desk.clock.advance(3600)
    desk.run()
    assert desk.job(job_id).output_data == "awake"


def test_a_sleep_that_is_over_is_not_slept_again(desk: Desk) -> None:
    tries: list[int] = []

    @handler("test")
    def work(ctx: JobContext) -> int:
        ctx.sleep(60)
        ctx.step("done", lambda: 1)
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("again")
        return ctx.job.attempt

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(60)
    desk.run()
    assert desk.job(job_id).status is JobStatus.QUEUED, "the retry is due later"
    desk.clock.advance(30)
    desk.run()
    assert desk.job(job_id).output_data == 2
    assert desk.actions(job_id).count("job.sleeping") == 1


def test_an_async_handler_sleeps_and_logs_before_it(desk: Desk) -> None:
    @handler("test")
    async def work(ctx: AsyncJobContext) -> str:
        ctx.log("good night")
        await ctx.sleep(5)
        ctx.log("good morning")
        return "done"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.log(job_id) == ["good night"]
    desk.clock.advance(5)
    desk.run()
    assert desk.log(job_id) == ["good night", "good morning"]


@pytest.mark.parametrize("wrong", [-1, float("nan"), LONGEST + timedelta(seconds=1)])
def test_a_duration_that_makes_no_sense_is_refused(desk: Desk, wrong: Any) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        with pytest.raises(Invalid, match="between zero and ten years"):
            ctx.sleep(wrong)
        return "refused"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).output_data == "refused"
    assert desk.steps(job_id) == []


class Outside:
    """Somebody to whom a job hands a callback."""

    def __init__(self, desk: Desk) -> None:
        self.tokens: list[str] = []
        self.urls: list[str] = []
        self.service = CallbackService(desk.db)

    def ask(self, callback: Callback) -> str:
        self.tokens.append(callback.token())
        self.urls.append(callback.url)
        return "asked"

    def handler(self, timeout: timedelta = HOUR) -> Any:
        @handler("test")
        def work(ctx: JobContext) -> Any:
            callback = ctx.callback("the answer")
            ctx.step("ask", self.ask, callback)
            return ctx.wait_for(callback, timeout)

        return work


def test_an_answer_wakes_the_job_at_once(desk: Desk) -> None:
    outside = Outside(desk)
    desk.add(outside.handler())
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).run_at == desk.clock.now() + HOUR
    assert outside.urls == [f"/api/agent-jobs/{job_id}/callback"]
    assert outside.service.receive(job_id, outside.tokens[0], {"n": 42})
    desk.run()
    assert desk.job(job_id).output_data == {"n": 42}
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["callback", "step", "wait"]
    assert desk.actions(job_id).count("job.called_back") == 1


def test_an_answer_that_comes_before_the_wait_is_not_lost(desk: Desk) -> None:
    outside = Outside(desk)

    @handler("test")
    def work(ctx: JobContext) -> Any:
        callback = ctx.callback("the answer")
        ctx.step("ask", outside.ask, callback)
        job_id, token = ctx.job.id, outside.tokens[0]
        ctx.step("be answered", outside.service.receive, job_id, token, {"early": True})
        return ctx.wait_for(callback, HOUR)

    desk.add(work)
    job_id = desk.enqueue()
    assert desk.run() == 1
    assert desk.job(job_id).output_data == {"early": True}
    assert "job.sleeping" not in desk.actions(job_id)


def test_without_an_answer_the_wait_ends_by_itself_and_stays_ended(desk: Desk) -> None:
    outside = Outside(desk)
    decided: list[Any] = []

    @handler("test")
    def work(ctx: JobContext) -> Any:
        callback = ctx.callback("the answer")
        ctx.step("ask", outside.ask, callback)
        decided.append(ctx.wait_for(callback, 60))
        decided.append(ctx.wait_for(callback, 60))
        return decided[-2:]

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(60)
    desk.run()
    assert decided == [None]
    outside.service.receive(job_id, outside.tokens[0], {"late": True})
    desk.run()
    assert desk.job(job_id).output_data == [None, {"late": True}], "the first wait stays as it was"


def test_only_the_token_of_a_call_admits_one_answer(desk: Desk) -> None:
    outside = Outside(desk)
    desk.add(outside.handler())
    job_id, other = desk.enqueue(), desk.enqueue()
    desk.run()
    token, foreign = outside.tokens
    for job, wrong in [(job_id, foreign), (job_id, ""), (job_id, "\ud800"), ("job_x", token)]:
        with pytest.raises(Unauthenticated):
            outside.service.receive(job, wrong, {"n": 1})
    assert outside.service.receive(job_id, token, {"n": 1})
    assert not outside.service.receive(job_id, token, {"n": 1}), "a repetition changes nothing"
    with pytest.raises(Conflict, match="answered before"):
        outside.service.receive(job_id, token, {"n": 2})
    desk.run()
    assert desk.job(job_id).output_data == {"n": 1}
    desk.control(other, JobVerb.CANCEL)
    with pytest.raises(Conflict, match="CANCELED"):
        outside.service.receive(other, foreign, {"n": 3})
    stored = desk.rows("SELECT * FROM job_callbacks")
    assert not {token, foreign} & {str(value) for row in stored for value in row.values()}


def test_an_answer_to_a_paused_job_is_found_when_it_goes_on(desk: Desk) -> None:
    outside = Outside(desk)
    desk.add(outside.handler())
    job_id = desk.enqueue()
    desk.run()
    desk.control(job_id, JobVerb.PAUSE)
    outside.service.receive(job_id, outside.tokens[0], {"n": 7})
    assert desk.job(job_id).status is JobStatus.PAUSED
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    assert desk.job(job_id).output_data == {"n": 7}


def test_a_worker_runs_others_while_a_job_sleeps_and_wakes_it_in_time(
    db: Database, tmp_path: Path
) -> None:
    @handler("doze")
    def doze(ctx: JobContext) -> int:
        ctx.sleep(0.3)
        return ctx.job.attempt

    @handler("quick")
    def quick(ctx: JobContext) -> int:
        return ctx.job.attempt

    desk = Desk(db, None, tmp_path)  # type: ignore[arg-type]  # on the real clock

    def completed(*jobs: str) -> bool:
        return all(desk.job(job).status is JobStatus.COMPLETED for job in jobs)

    changes = Changes(db)
    # One slot, and polls that come too late for everything here.
    with hosted(db, tmp_path, nap, doze, quick, max_concurrent_jobs=1, poll_interval=60):
        sleeper = desk.enqueue("test")
        assert changes.until(lambda: "job.sleeping" in desk.actions(sleeper))
        others = [desk.enqueue(kind) for kind in ("quick", "doze", "doze", "quick")]
        assert changes.until(lambda: completed(*others))
        assert desk.job(sleeper).status is JobStatus.QUEUED
    assert [desk.job(job).output_data for job in others] == [1] * 4
