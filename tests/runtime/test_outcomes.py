"""How runs end: completed, failed, tried again, rejected, expired, parked, lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from agent_console import Expired, JobContext, NonRetryable, Rejected, RetryPolicy, handler
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.records import WorkerStatus
from agent_console.store.claims import claim
from agent_console.store.deadlines import expire_due
from agent_console.store.liveness import heartbeat, rescue
from agent_console.testing.draining import _introduce
from tests.runtime.desk import Desk


@handler("test")
def asks(ctx: JobContext) -> str:
    """Wait for approval, uncaught."""
    ctx.approve("ok?", expires_in=timedelta(hours=1))
    return "approved"


def test_a_rejection_fails_the_job_with_its_reason_at_once(desk: Desk) -> None:
    desk.add(asks)
    job_id = desk.enqueue()
    desk.run()
    desk.reject(job_id, "too risky")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.type, job.error.message) == ("Rejected", "too risky")
    assert job.attempts == 1


def test_a_handler_may_catch_a_rejection(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            ctx.approve("plan A?", data="A")
        except Rejected as no:
            ctx.approve("plan B then?", data={"because": no.reason})
            return f"B, because {no.reason}"
        return "A"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.reject(job_id, "A is dear")
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "B, because A is dear"


def test_expiry_fails_the_job_unless_it_is_caught(desk: Desk) -> None:
    @handler("patient")
    def patient(ctx: JobContext) -> str:
        try:
            ctx.approve("ok?", expires_in=timedelta(hours=1))
        except Expired:
            return "nobody answered"
        return "approved"

    desk.add(asks, patient)
    failing, catching = desk.enqueue(), desk.enqueue("patient")
    desk.run()
    desk.clock.advance(timedelta(hours=1))
    assert expire_due(desk.db) == 2
    desk.run()
    job = desk.job(failing)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.type == "Expired"
    assert desk.job(catching).output_data == "nobody answered"


def test_a_retry_after_a_rejection_asks_again(desk: Desk) -> None:
    desk.add(asks)
    job_id = desk.enqueue()
    desk.run()
    desk.reject(job_id, "not now")
    desk.run()
    desk.control(job_id, JobVerb.RETRY)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "approved"


def test_a_failing_job_is_tried_again_after_growing_pauses_then_fails(desk: Desk) -> None:
    attempts: list[int] = []

    @handler("test", retry=RetryPolicy(max_attempts=3, base=10, cap=1000))
    def work(ctx: JobContext) -> None:
        attempts.append(ctx.job.attempt)
        raise OSError(f"attempt {ctx.job.attempt} with password=hunter2hunter2")

    desk.add(work)
    job_id = desk.enqueue(max_attempts=3)
    desk.run()
    assert desk.job(job_id).status is JobStatus.QUEUED
    first_wait = desk.job(job_id).run_at - desk.clock.now()
    assert timedelta(seconds=5) <= first_wait <= timedelta(seconds=10)
    assert desk.run() == 0, "not before its time"
    desk.clock.advance(first_wait)
    desk.run()
    assert timedelta(seconds=5) <= desk.job(job_id).run_at - desk.clock.now()
    desk.clock.advance(20)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert attempts == [1, 2, 3]
    assert job.error is not None
    assert job.error.message.startswith("attempt 3")
    assert "hunter2" not in job.error.message + (job.error.traceback or "")
    assert "in work" in (job.error.traceback or ""), "the traceback begins in the handler"
    assert "executor.py" not in (job.error.traceback or "")


def _raises(error: BaseException) -> Callable[[JobContext], None]:
    def work(_ctx: JobContext) -> None:
        raise error

    return work


@pytest.mark.parametrize("error", [NonRetryable("no use"), KeyError("k")], ids=repr)
def test_some_errors_are_never_tried_again(desk: Desk, error: Exception) -> None:
    policy = RetryPolicy(never=(KeyError,))
    desk.add(handler("test", retry=policy, version="1")(_raises(error)))
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.FAILED


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_a_handler_cannot_end_the_worker(desk: Desk, error: BaseException) -> None:
    desk.add(handler("test", version="1")(_raises(error)))
    job_id = desk.enqueue(max_attempts=1)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.type == type(error).__name__


@pytest.mark.parametrize("output", [{1, 2}, float("nan"), {"a": object()}, "nul \x00", {1: 2}])
def test_output_that_is_no_json_is_a_clear_failure(desk: Desk, output: Any) -> None:
    @handler("test")
    def work(_ctx: JobContext) -> object:
        return output

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert "outputData" in job.error.message


class Order(BaseModel):
    """The input of the test below."""

    amount: int


def test_input_that_no_longer_fits_the_handler_fails_at_once(desk: Desk) -> None:
    @handler("test", input=Order)
    def work(ctx: JobContext) -> int:
        return int(ctx.input.amount)

    desk.add(work)
    good, bad = desk.enqueue(data={"amount": 3}), desk.enqueue(data={"amount": "many"})
    desk.run()
    assert desk.job(good).output_data == 3
    job = desk.job(bad)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert "inputData.amount" in job.error.message


def test_a_job_without_a_handler_is_parked_and_runs_once_it_is_back(desk: Desk) -> None:
    job_id = desk.enqueue("gone")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.PARKED
    assert "'gone'" in (job.park_reason or "")

    @handler("gone")
    def back(_ctx: JobContext) -> str:
        return "here again"

    desk.add(back)
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    assert desk.job(job_id).output_data == "here again"


def test_a_job_that_kills_its_workers_is_parked(desk: Desk) -> None:
    job_id = desk.enqueue()
    for number in range(3):
        worker = f"wrk_{number}"
        _introduce(desk.db, worker)
        assert len(claim(desk.db, worker, 1)) == 1
        desk.clock.advance(60)
        assert rescue(desk.db, 15, 3) == 1
    job = desk.job(job_id)
    assert job.status is JobStatus.PARKED
    assert "poison" in (job.park_reason or "")


def test_a_canceled_run_stops_at_its_next_call_and_writes_nothing(desk: Desk) -> None:
    went_on: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> str:
        desk.control(ctx.job.id, JobVerb.CANCEL)
        try:
            ctx.step("after", lambda: went_on.append("effect"))
        finally:
            went_on.append("cleaned up")
        return "finished anyway"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.CANCELED
    assert job.output_data is None
    assert desk.steps(job_id) == []
    assert went_on[-1] == "cleaned up"


def test_a_soft_timeout_ends_the_attempt_at_the_next_call(desk: Desk) -> None:
    @handler("test", timeout=timedelta(seconds=30), retry=RetryPolicy(max_attempts=1))
    def work(ctx: JobContext) -> None:
        ctx.log("in time")
        desk.clock.advance(31)
        ctx.log("too late")

    desk.add(work)
    job_id = desk.enqueue(max_attempts=1)
    _introduce(desk.db, "other")
    heartbeat(desk.db, "other", (), WorkerStatus.RUNNING)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.type == "TimedOut"
    assert desk.log(job_id) == ["in time"]


def test_log_lines_are_storable_and_without_secrets(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.log("nul \x00 and half \ud800", level="warning", token="s3cr3t", when=object(), n=1)
        ctx.progress(float("inf"), "odd")
        ctx.progress(0.5, "half")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    (row,) = desk.rows("SELECT * FROM agent_logs WHERE job_id = :id", id=job_id)
    assert row["message"] == "nul \\x00 and half \\ud800"
    assert row["level"] == "WARNING"
    assert "s3cr3t" not in row["data"]
    assert '"n":1' in row["data"]
    progress = desk.job(job_id).progress
    assert progress is not None
    assert (progress.fraction, progress.message) == (0.5, "half")
