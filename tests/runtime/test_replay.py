"""What is recorded is done once, in every run of a job; what differs from the record parks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from agent_console import JobContext, handler
from agent_console.domain.jobs import JobStatus, JobVerb
from tests.runtime.desk import Desk


def test_a_step_is_done_once_and_its_result_returned_after_approval(desk: Desk) -> None:
    done: list[str] = []

    def fetch(word: str) -> dict[str, Any]:
        done.append(word)
        return {"word": word, "pair": (1, 2)}

    @handler("test")
    def work(ctx: JobContext) -> object:
        ctx.log("before")
        got = ctx.step("fetch", fetch, "hello")
        decision = ctx.approve("Go on?", data={"n": 1}, action="go")
        ctx.log("after")
        return {"got": got, "by": decision.approved_by, "data": decision.data}

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.output_data == {
        "got": {"word": "hello", "pair": [1, 2]},
        "by": "Rita Reviewer",
        "data": {"n": 1},
    }
    assert done == ["hello"]
    assert desk.log(job_id) == ["before", "after"]
    assert desk.steps(job_id) == [(0, "step", "fetch"), (1, "approve", "go")]
    assert job.attempts == 1, "a review uses up no attempt"


def test_every_recorded_call_happens_once_over_a_retry(desk: Desk) -> None:
    artifacts: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.info("Looked around", {"seen": 3})
        ctx.error("Something odd")
        artifacts.append(ctx.artifact("report.md", "# Report", type="report"))
        if ctx.job.attempt == 1:
            raise ConnectionError("try me again")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(600)
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert artifacts[0] == artifacts[1]
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["info", "error", "artifact"]
    (row,) = desk.rows("SELECT count(*) AS n FROM work_artifacts")
    assert row["n"] == 1
    (row,) = desk.rows("SELECT count(*) AS n FROM agent_checkpoints WHERE status = 'APPROVED'")
    assert row["n"] == 2


def _suspends_then(change: Callable[[JobContext], object]) -> Callable[[JobContext], object]:
    """Return a handler that waits for approval and, when run again, does ``change`` instead."""
    runs: list[int] = []

    @handler("test")
    def work(ctx: JobContext) -> object:
        runs.append(1)
        if len(runs) == 1:
            ctx.step("first", lambda: 1)
            ctx.approve("ok?", data={"n": 1})
            return None
        return change(ctx)

    return work


def _another_step(ctx: JobContext) -> None:
    ctx.step("renamed", lambda: 1)


def _another_kind(ctx: JobContext) -> None:
    ctx.info("a note where a step was")


def _another_payload(ctx: JobContext) -> None:
    ctx.step("first", lambda: 1)
    ctx.approve("ok?", data={"n": 2})


def _fewer_calls(ctx: JobContext) -> None:
    ctx.step("first", lambda: 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_another_step, "the record holds step 'first', the handler asks for step 'renamed'"),
        (_another_kind, "the record holds step 'first', the handler asks for info"),
        (_another_payload, "asks approval for another payload"),
        (_fewer_calls, "the record goes on with approve"),
    ],
)
def test_a_job_whose_code_differs_from_its_record_is_parked(
    desk: Desk, change: Callable[[JobContext], object], reason: str
) -> None:
    desk.add(_suspends_then(change))
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.PARKED
    assert reason in (job.park_reason or "")


def test_a_handler_that_swallows_the_signals_is_suspended_all_the_same(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            ctx.approve("ok?")
        except BaseException:  # noqa: BLE001 - what a careless handler does
            return "went on without an answer"
        return "approved"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "approved"


def test_nothing_is_recorded_after_the_run_has_ended(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        try:
            ctx.approve("ok?")
        except BaseException:  # noqa: BLE001 - what a careless handler does
            ctx.step("late", lambda: 1)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.steps(job_id) == [(0, "approve", "")]


def test_a_recorded_call_inside_another_is_refused(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> object:
        return ctx.step("outer", lambda: ctx.step("inner", lambda: 1))

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.type == "Misused"


def test_the_key_of_an_effect_is_the_same_in_every_run(desk: Desk) -> None:
    keys: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.step("before", lambda: None)

        def pay() -> None:
            keys.append(ctx.idempotency_key)
            if len(keys) == 1:
                raise TimeoutError("did it arrive?")

        ctx.step("pay", pay)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(600)
    desk.run()
    assert keys == [f"{job_id}:1", f"{job_id}:1"]


def test_a_failed_step_that_the_handler_survives_is_part_of_the_record(desk: Desk) -> None:
    tried: list[str] = []

    def fails() -> None:
        tried.append("fast")
        raise LookupError("not here")

    @handler("test")
    def work(ctx: JobContext) -> object:
        try:
            found = ctx.step("fast way", fails)
        except LookupError as error:
            found = ctx.step("slow way", "found after {}".format, str(error))
        ctx.approve("ok?", data=found)
        return found

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "found after not here"
    assert tried == ["fast"]
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["failed", "step", "approve"]


class Draft(BaseModel):
    """What a reviewer may edit."""

    text: str
    words: int = 0


def test_edited_data_is_what_the_handler_gets(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> object:
        decision = ctx.approve("ok?", data=Draft(text="old"), edit=Draft)
        return {"data": decision.data, "edited": decision.edited, "said": decision.feedback}

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id, edited_data={"text": "new"}, feedback="shorter")
    desk.run()
    assert desk.job(job_id).output_data == {
        "data": {"text": "new", "words": 0},
        "edited": True,
        "said": "shorter",
    }


def test_a_job_paused_while_it_waits_goes_on_waiting_when_resumed(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        ctx.approve("ok?")
        return "done"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.control(job_id, JobVerb.PAUSE)
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "done"


def test_a_change_of_code_is_told_in_the_log(desk: Desk) -> None:
    @handler("test", version="1")
    def old(ctx: JobContext) -> None:
        ctx.approve("ok?")

    @handler("test", version="2")
    def new(ctx: JobContext) -> None:
        ctx.approve("ok?")

    desk.add(old)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.add(new)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.code_version == "2"
    assert "1 → 2" in desk.log(job_id)[0]


class Model:
    class Missing(Exception):
        """An error class inside of another class."""


def unfit() -> None:
    Draft.model_validate({"text": 1})


def several() -> None:
    raise ExceptionGroup("two things", [ValueError("one"), KeyError("two")])


def missing() -> None:
    raise Model.Missing("nobody")


@pytest.mark.parametrize(
    ("fails", "caught"),
    [(unfit, ValidationError), (several, ExceptionGroup), (missing, Model.Missing)],
)
def test_the_same_clause_catches_the_error_of_a_step_in_every_run(
    desk: Desk, fails: Callable[[], None], caught: type[Exception]
) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            ctx.step("try", fails)
        except caught:
            ctx.approve("without it?")
        return "done"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).error is None
    assert desk.job(job_id).output_data == "done"


@pytest.mark.parametrize("name", ["half \ud800", "nul \x00"])
def test_a_name_that_cannot_be_stored_is_refused_before_the_effect(desk: Desk, name: str) -> None:
    effects: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.step(name, effects.append, "done")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.FAILED
    assert desk.job(job_id).attempts == 1
    assert effects == []


@pytest.mark.parametrize("expiry", [timedelta(0), timedelta(days=-1), timedelta.max])
def test_an_expiry_that_no_calendar_could_show_is_refused(desk: Desk, expiry: timedelta) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("ok?", expires_in=expiry)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    error = desk.job(job_id).error
    assert error is not None
    assert "expires_in" in error.message
