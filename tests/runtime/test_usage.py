"""What models cost is recorded once, and a budget asks before more is spent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_console import JobContext, Rejected, handler
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store.reads import usage
from tests.runtime.desk import Desk


def calls(*costs: float, tokens: int = 100) -> Any:
    """Return a handler that calls a model once for each of ``costs``, each call in a step."""

    @handler("test")
    def work(ctx: JobContext) -> int:
        for number, cost in enumerate(costs):
            ctx.step(f"call {number}", lambda: None)
            ctx.usage("house/model", tokens, 10, cost)
        return len(costs)

    return work


def test_usage_is_counted_once_over_a_retry(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.usage("small", 1000, 50, 0.0025)
        ctx.usage("large", 2000, 100, 0.03)
        ctx.usage("small", 10)
        if ctx.job.attempt == 1:
            raise ConnectionError("try me again")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(600)
    desk.run()
    with desk.db.read() as reader:
        used = usage.of_job(reader, job_id)
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert (used.calls, used.total.input_tokens, used.total.output_tokens) == (3, 3010, 150)
    assert used.total.cost_micros == 32_500
    assert [(each.model, each.calls) for each in used.models] == [("large", 1), ("small", 2)]
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["usage"] * 3


def test_the_record_is_what_counts_when_a_handler_says_otherwise_later(desk: Desk) -> None:
    said = [5, 7]

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.usage("model", said[ctx.job.attempt - 1])
        if ctx.job.attempt == 1:
            raise ConnectionError("try me again")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.clock.advance(600)
    desk.run()
    assert desk.rows("SELECT job_id, input_tokens FROM job_usage") == [
        {"job_id": job_id, "input_tokens": 5}
    ]


@pytest.mark.parametrize("figures", [(-1, 0, 0), (0, -1, 0), (0, 0, -0.1), (0, 0, float("nan"))])
def test_figures_that_cannot_be_are_refused(desk: Desk, figures: tuple[Any, ...]) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.usage("model", *figures)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.type == "Invalid"


def test_within_its_budget_nobody_is_asked(desk: Desk) -> None:
    desk.add(calls(0.5, 0.5))
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1, "maxTokens": 220})
    desk.run()
    assert desk.job(job_id).output_data == 2


def test_beyond_its_budget_a_job_waits_for_more_and_goes_on_with_it(desk: Desk) -> None:
    desk.add(calls(0.6, 0.6, 0.6, 0.6))
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    asked = desk.open_checkpoint(job_id)
    assert [kind for _, kind, _ in desk.steps(job_id)] == [
        "step",
        "usage",
        "step",
        "usage",
        "approve",
    ]
    assert json.loads(asked["payload"]) == {
        "action": "raise-budget",
        "changes": [],
        "data": {"budgetUsd": 2.2},
    }
    assert "$1.20" in asked["message"]
    desk.approve(job_id)
    desk.run()
    assert json.loads(desk.open_checkpoint(job_id)["payload"])["data"] == {"budgetUsd": 3.4}
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == 4
    (row,) = desk.rows("SELECT count(*) AS n FROM job_usage")
    assert row["n"] == 4


def test_a_limit_of_tokens_asks_as_well(desk: Desk) -> None:
    desk.add(calls(0, 0, 0))
    job_id = desk.enqueue(task_configuration={"maxTokens": 200})
    desk.run()
    assert json.loads(desk.open_checkpoint(job_id)["payload"])["data"] == {"maxTokens": 420}


def test_a_reviewer_sets_another_limit_by_editing(desk: Desk) -> None:
    desk.add(calls(0.6, 0.6, 0.6, 0.6))
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    desk.approve(job_id, edited_data={"budgetUsd": 10})
    desk.run()
    assert desk.job(job_id).output_data == 4


def test_a_limit_below_what_is_spent_asks_again(desk: Desk) -> None:
    desk.add(calls(2.0))
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    desk.approve(job_id, edited_data={"budgetUsd": 1.5})
    desk.run()
    assert json.loads(desk.open_checkpoint(job_id)["payload"])["data"] == {"budgetUsd": 3.0}


def test_a_refusal_ends_the_job_with_its_reason(desk: Desk) -> None:
    desk.add(calls(2.0, 2.0))
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    desk.reject(job_id, "Too dear")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.message == "Too dear"


def test_a_handler_may_finish_with_what_it_has(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            ctx.usage("model", 0, 0, 2.0)
        except Rejected:
            return "what there is"
        return "everything"

    desk.add(work)
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    desk.reject(job_id, "Too dear")
    desk.run()
    assert desk.job(job_id).output_data == "what there is"


def test_a_policy_never_raises_a_budget(desk: Desk) -> None:
    desk.add(calls(2.0))
    job_id = desk.enqueue(
        task_configuration={"budgetUsd": 1.0}, approval_strategy="auto_approve_low_risk"
    )
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING


def test_what_a_retry_cuts_off_the_record_was_spent_all_the_same(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        ctx.usage("model", 0, 0, 0.4)
        try:
            ctx.approve("The draft?", data={"n": 1}, action="draft")
        except Rejected:
            ctx.usage("model", 0, 0, 0.4)
            raise
        ctx.usage("model", 0, 0, 0.4)
        ctx.approve("And now?", data={"n": 2}, action="publish")
        return "done"

    desk.add(work)
    job_id = desk.enqueue(task_configuration={"budgetUsd": 1.0})
    desk.run()
    desk.reject(job_id, "Again, please")
    desk.run()
    assert desk.job(job_id).status is JobStatus.FAILED
    desk.control(job_id, JobVerb.RETRY)
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert json.loads(desk.open_checkpoint(job_id)["payload"])["data"] == {"budgetUsd": 2.2}
    desk.approve(job_id)
    desk.run()
    assert json.loads(desk.open_checkpoint(job_id)["payload"])["action"] == "publish"
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "done"
    with desk.db.read() as reader:
        assert usage.of_job(reader, job_id).total.cost_micros == 1_200_000
