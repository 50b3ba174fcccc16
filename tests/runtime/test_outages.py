"""The database goes away in the middle of a run: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from agent_console import AsyncJobContext, JobContext, handler
from agent_console.domain.access import SYSTEM
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import Unavailable
from agent_console.domain.jobs import JobStatus, Progress
from agent_console.runtime import asking, context, notebook, run, spending, stepping
from agent_console.store import context_writes, envelopes, run_records, runs
from tests.runtime.desk import Desk


def _fails_once(real: Callable[..., Any], *, committed: bool) -> Callable[..., Any]:
    """Return ``real`` whose first call ends in an outage: before, or after, its commit."""
    outages = iter([True])

    def call(*args: Any, **kwargs: Any) -> Any:
        if not next(outages, False):
            return real(*args, **kwargs)
        if committed:
            real(*args, **kwargs)
        raise Unavailable

    return call


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "answer lost"])
@pytest.mark.parametrize(
    ("room", "write", "auto"),
    [
        (stepping, "record_step", None),
        (context, "record_note", None),
        (context, "save_artifact", None),
        (context, "put_up", None),
        (asking, "suspend", False),
    ],
    ids=["record_step", "record_note", "save_artifact", "put_up", "suspend"],
)
def test_every_recorded_call_outlives_an_outage(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    *,
    room: ModuleType,
    write: str,
    auto: bool | None,
    committed: bool,
) -> None:
    monkeypatch.setattr(room, write, _fails_once(getattr(room, write), committed=committed))
    effects: list[str] = []
    artifacts: set[str] = set()

    @handler("test")
    def work(ctx: JobContext) -> str:
        ctx.step("effect", effects.append, "done")
        ctx.info("a note")
        artifacts.add(ctx.artifact("a.txt", "text"))
        ctx.approve("ok?", auto=auto)
        return "approved"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "approved"
    assert effects == ["done"]
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["step", "info", "artifact", "approve"]
    stored = {row["id"] for row in desk.rows("SELECT id FROM work_artifacts")}
    assert artifacts == stored


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "answer lost"])
@pytest.mark.parametrize(
    ("room", "write"), [(spending, "record_usage"), (context, "put_up")], ids=["usage", "put_up"]
)
def test_usage_and_approvals_by_policy_outlive_an_outage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, room: ModuleType, write: str, committed: bool
) -> None:
    monkeypatch.setattr(room, write, _fails_once(getattr(room, write), committed=committed))

    @handler("test")
    def work(ctx: JobContext) -> list[str]:
        ctx.usage("model", 10, 5, 0.01)
        decision = ctx.approve("ok?")
        return [decision.approved_by, decision.checkpoint_id]

    desk.add(work)
    job_id = desk.enqueue(approval_strategy="auto_approve_low_risk")
    desk.run()
    (checkpoint,) = desk.rows("SELECT id, status FROM agent_checkpoints")
    assert checkpoint["status"] == "APPROVED"
    assert desk.job(job_id).output_data == ["policy", checkpoint["id"]]
    assert desk.rows("SELECT input_tokens FROM job_usage") == [{"input_tokens": 10}]


@pytest.mark.parametrize("read", ["latest", "texts"])
def test_context_documents_are_read_again_after_an_outage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    new = NewContextDocument(title="Plan", content="Begin in March.")
    desk.db.write(lambda tx: context_writes.create(tx, "doc_1", new, SYSTEM, None))
    monkeypatch.setattr(envelopes, read, _fails_once(getattr(envelopes, read), committed=False))

    @handler("test")
    def work(ctx: JobContext) -> str:
        return ctx.context.get("doc_1").content

    desk.add(work)
    job_id = desk.enqueue(context_document_id="doc_1")
    assert desk.run() == 1
    assert desk.job(job_id).output_data == "Begin in March."


def test_a_long_outage_gives_the_job_back_uncharged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object) -> None:
        raise Unavailable

    monkeypatch.setattr(run, "PATIENCE", 0.0)
    monkeypatch.setattr(stepping, "record_step", down)
    attempts: list[int] = []

    @handler("test")
    def work(ctx: JobContext) -> int:
        attempts.append(ctx.job.attempt)
        if len(attempts) == 2:
            monkeypatch.setattr(stepping, "record_step", runs.record_step)
        return ctx.step("one", lambda: 1)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).output_data == 1
    assert attempts == [1, 1]


def test_the_record_is_read_again_after_an_outage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        ctx.approve("ok?")
        return "approved"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    monkeypatch.setattr(run_records, "CARRIED", -1)  # the claim brings nothing along
    monkeypatch.setattr(run, "load_record", _fails_once(run_records.load_record, committed=False))
    desk.run()
    assert desk.job(job_id).output_data == "approved"


def test_an_outage_while_asking_costs_neither_the_attempt_nor_the_progress(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "set_progress", _fails_once(runs.set_progress, committed=False))

    @handler("test")
    def work(ctx: JobContext) -> int:
        ctx._run.notes._schedule = lambda _notes: None  # as on a worker: progress is buffered
        ctx.progress(0.5, "half way")
        ctx.approve("ok?")
        return ctx.job.attempt

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.WAITING
    assert job.progress == Progress(0.5, "half way")
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == 1


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "answer lost"])
@pytest.mark.rows_by_hand
def test_waiting_again_outlives_an_outage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(asking, "wait_again", _fails_once(runs.wait_again, committed=committed))

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("ok?")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.db.write(lambda tx: tx.execute("UPDATE ai_jobs SET status = 'QUEUED'"))
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    assert desk.job(job_id).error is None


def test_a_commit_that_comes_through_late_is_not_taken_for_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def late(*args: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable
        runs.record_step(*args)  # the first try's commit, while the second one waits for it
        raise RuntimeError("duplicate key")

    monkeypatch.setattr(stepping, "record_step", late)
    effects: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.step("effect", effects.append, "done")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert effects == ["done"]


def test_an_async_run_reads_its_record_before_it_is_on_the_loop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[str] = []

    def reads(*args: Any) -> Any:
        readers.append(threading.current_thread().name)
        return run_records.load_record(*args)

    monkeypatch.setattr(run_records, "CARRIED", -1)  # the claim brings nothing along
    monkeypatch.setattr(run, "load_record", reads)

    @handler("test")
    async def work(ctx: AsyncJobContext) -> None:
        ctx.log("begun")
        await ctx.approve("ok?")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert readers == [threading.current_thread().name]
