"""What is recorded is done once, in every run of a job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from agent_console import Expired, JobContext, Rejected, RetryPolicy, handler
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store.deadlines import expire_due
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
