"""Jobs that handlers ask for: made once, in the name of who asked for the parent."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console import Invalid, JobContext, Unique, handler
from agent_console.domain.access import Permission
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus
from tests.runtime.desk import Desk
from tests.support.factories import ADA


def child_of(desk: Desk, job_id: str) -> Any:
    (row,) = desk.rows("SELECT * FROM ai_jobs WHERE id <> :id", id=job_id)
    return row


def test_a_child_is_made_once_and_belongs_to_the_parents_asker(desk: Desk) -> None:
    tries: list[str] = []

    @handler("child")
    def child(ctx: JobContext) -> str:
        return f"did {ctx.input['n']}"

    @handler("parent")
    def parent(ctx: JobContext) -> str:
        made = ctx.enqueue("child", {"n": 1}, description="One of many")
        tries.append(made)
        if len(tries) == 1:
            raise RuntimeError("once more")
        return made

    desk.add(parent, child)
    job_id = desk.enqueue("parent", actor=ADA, project_id="p1", priority=8)
    desk.run()
    desk.clock.advance(3600)
    desk.run()
    row = child_of(desk, job_id)
    assert tries == [row["id"]] * 2
    assert (row["user_id"], row["user_name"], row["project_id"]) == ("usr_ada", "Ada", "p1")
    assert (row["priority"], row["task_description"]) == (8, "One of many")
    assert desk.job(row["id"]).output_data == "did 1"
    assert desk.job(job_id).output_data == row["id"]
    assert desk.steps(job_id) == [(0, "enqueue", "child")]
    (created,) = desk.rows(
        "SELECT actor_kind FROM audit_logs WHERE job_id = :id AND action = 'job.created'",
        id=row["id"],
    )
    assert created["actor_kind"] == "worker"


def test_after_a_rejection_the_same_request_is_the_same_child(desk: Desk) -> None:
    @handler("child")
    def child(ctx: JobContext) -> None:
        """Do nothing."""

    @handler("parent")
    def parent(ctx: JobContext) -> str:
        ctx.approve("May I?")
        return ctx.enqueue("child", {"n": 1})

    desk.add(parent, child)
    job_id = desk.enqueue("parent")
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == child_of(desk, job_id)["id"]


def test_a_child_with_a_unique_key_meets_others(desk: Desk) -> None:
    @handler("child", unique=Unique(key=lambda data: str(data["n"])))
    def child(ctx: JobContext) -> None:
        ctx.sleep(60)

    @handler("parent")
    def parent(ctx: JobContext) -> list[str]:
        first = ctx.enqueue("child", {"n": 1})
        with pytest.raises(Conflict) as refused:
            ctx.enqueue("child", {"n": 1})
        found = ctx.enqueue("child", {"n": 1}, unique=Unique(key="1", on_conflict="existing"))
        return [first, str(refused.value.context["jobId"]), found]

    desk.add(parent, child)
    job_id = desk.enqueue("parent")
    desk.run()
    ended = desk.job(job_id)
    assert ended.status is JobStatus.COMPLETED, ended.error
    child_id = child_of(desk, job_id)["id"]
    assert ended.output_data == [child_id] * 3


@pytest.mark.parametrize(("job_type", "field"), [("unheard-of", "jobType"), ("guarded", "jobType")])
def test_what_cannot_be_asked_for_is_refused(desk: Desk, job_type: str, field: str) -> None:
    @handler("guarded", needs=Permission.JOBS_CONTROL)
    def guarded(ctx: JobContext) -> None:
        """Do nothing."""

    @handler("parent")
    def parent(ctx: JobContext) -> str:
        with pytest.raises(Invalid) as refused:
            ctx.enqueue(job_type)
        return refused.value.fields[0].field

    desk.add(parent, guarded)
    job_id = desk.enqueue("parent")
    desk.run()
    assert desk.job(job_id).output_data == field


def test_async_handlers_enqueue_as_well(desk: Desk) -> None:
    @handler("child")
    def child(ctx: JobContext) -> None:
        """Do nothing."""

    @handler("parent")
    async def parent(ctx: Any) -> str:
        made: str = await ctx.enqueue("child")
        return made

    desk.add(parent, child)
    job_id = desk.enqueue("parent")
    desk.run()
    assert desk.job(job_id).output_data == child_of(desk, job_id)["id"]
