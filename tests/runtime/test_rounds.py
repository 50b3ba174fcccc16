"""A reviewer asks for changes; the handler hears of it, from the record, and proposes again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_console import (
    AsyncJobContext,
    ChangesRequested,
    Decision,
    JobContext,
    NonRetryable,
    Rejected,
    handler,
)
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.jobs import JobStatus, JobVerb
from tests.runtime.desk import Desk

CHANGES = CheckpointVerb.REQUEST_CHANGES
AUTO = "auto_approve_low_risk"


def drafting(made: list[str], **asked: Any) -> Any:
    """Return a handler that drafts until somebody is content; ``made`` notes each drafting."""

    def draft(wishes: list[str]) -> str:
        made.append(", ".join(wishes) or "first")
        return f"draft {len(made)}"

    @handler("test")
    def work(ctx: JobContext) -> object:
        wishes: list[str] = []
        while True:
            text = ctx.step("draft", draft, wishes)
            try:
                decision: Decision = ctx.approve(
                    "Good?", action="publish", data={"text": text}, **{"rounds": 3, **asked}
                )
            except ChangesRequested as wanted:
                ctx.info(f"after round {wanted.round}")
                wishes = [*wishes, wanted.feedback]
            else:
                return {"text": text, "by": decision.approved_by, "wishes": wishes}

    return work


def test_the_handler_goes_on_with_the_feedback_and_nothing_is_done_twice(desk: Desk) -> None:
    made: list[str] = []
    desk.add(drafting(made))
    job_id = desk.enqueue()
    desk.run()
    first = desk.open_checkpoint(job_id)
    desk.decide(job_id, CHANGES, feedback="shorter")
    desk.run()
    second = desk.open_checkpoint(job_id)
    assert (second["round"], second["rounds"], second["previous_id"]) == (2, 3, first["id"])
    assert json.loads(second["payload"])["data"] == {"text": "draft 2"}
    desk.decide(job_id, CHANGES, feedback="warmer")
    desk.run()
    desk.approve(job_id)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.output_data == {
        "text": "draft 3",
        "by": "Rita Reviewer",
        "wishes": ["shorter", "warmer"],
    }
    assert made == ["first", "shorter", "shorter, warmer"]
    assert [kind for _, kind, _ in desk.steps(job_id)] == [
        *("step", "approve", "info") * 2,
        "step",
        "approve",
    ]
    assert job.attempts == 1, "rounds use up no attempt"


def test_a_handler_that_knows_rejections_only_fails_with_the_feedback(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("Good?", action="publish", rounds=2)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CHANGES, feedback="Shorter, please")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.type, job.error.message) == ("ChangesRequested", "Shorter, please")


def test_it_is_a_rejection_to_whoever_catches_those(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> object:
        try:
            ctx.approve("Good?", action="publish", rounds=2)
        except Rejected as rejected:
            return [rejected.reason, rejected.feedback, isinstance(rejected, NonRetryable)]
        return None

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CHANGES, feedback="Shorter")
    desk.run()
    assert desk.job(job_id).output_data == ["Shorter", "Shorter", True]


def test_a_rejection_is_final_whatever_else_is_said(desk: Desk) -> None:
    desk.add(drafting([]))
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CheckpointVerb.REJECT, reason="Never", feedback="shorter")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.message == "Never"


def test_a_worker_that_dies_between_the_rounds_loses_nothing(desk: Desk) -> None:
    made: list[str] = []
    crashes = [ConnectionError("gone")]

    def fragile(ctx: JobContext) -> object:
        try:
            ctx.approve("Good?", action="publish", rounds=2)
        except ChangesRequested as wanted:
            made.append(ctx.step("again", str.upper, wanted.feedback))
            if crashes:
                raise crashes.pop() from None
        return ctx.approve("Better?", action="publish", rounds=2).approved_by

    desk.add(handler("test")(fragile))
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CHANGES, feedback="shorter")
    desk.run()
    desk.clock.advance(600)
    desk.run()
    assert made == ["SHORTER"] * 2  # the second time out of the record
    assert desk.steps(job_id).count((1, "step", "again")) == 1
    assert desk.open_checkpoint(job_id)["round"] == 2
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "Rita Reviewer"


def test_async_handlers_take_changes_as_well(desk: Desk) -> None:
    @handler("test")
    async def work(ctx: AsyncJobContext) -> object:
        try:
            await ctx.approve("Good?", action="publish", data=1, rounds=2)
        except ChangesRequested as wanted:
            await ctx.approve("Better?", action="publish", data=2, rounds=2)
            return wanted.feedback
        return None

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CHANGES, feedback="two, not one")
    desk.run()
    assert desk.open_checkpoint(job_id)["round"] == 2
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "two, not one"


def test_no_policy_approves_what_somebody_wanted_changed(desk: Desk) -> None:
    def work(ctx: JobContext) -> object:
        try:
            ctx.approve("Good?", action="publish", rounds=2, auto=False)
        except ChangesRequested:
            aside = ctx.approve("May I look?", action="look").approved_by
            again = ctx.approve("Better?", action="publish", rounds=2).approved_by
            after = ctx.approve("And this?", action="tell", rounds=2).approved_by
            return [aside, again, after]
        return None

    desk.add(handler("test")(work))
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    desk.decide(job_id, CHANGES, feedback="shorter")
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == ["policy", "Rita Reviewer", "policy"]


@pytest.mark.parametrize("rounds", [-1, 0, 1, 101])
def test_a_number_of_rounds_that_makes_no_sense_is_refused(desk: Desk, rounds: int) -> None:
    desk.add(drafting([], rounds=rounds))
    job_id = desk.enqueue(max_attempts=1)
    desk.run()
    error = desk.job(job_id).error
    assert error is not None
    assert "rounds" in error.message
    assert desk.rows("SELECT id FROM agent_checkpoints") == []


def test_a_retry_after_unmade_changes_asks_again(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        return ctx.approve("Good?", action="publish", rounds=2).approved_by

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, CHANGES, feedback="shorter")
    desk.run()
    desk.control(job_id, JobVerb.RETRY)
    desk.run()
    assert desk.open_checkpoint(job_id)["round"] == 1
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "Rita Reviewer"
