"""A replay changes nothing, says nothing when nothing changed, and says what did."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from agent_console import AsyncJobContext, JobContext, NonRetryable, Rejected, handler
from agent_console.domain.errors import RateLimited
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.replays import DifferenceKind, ReplayEnd, ReplayReport
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.rehearsal import AT_ONCE, Rehearsals
from tests.runtime.desk import Desk

TABLES = (
    "ai_jobs", "job_steps", "agent_checkpoints", "agent_logs", "work_artifacts", "audit_logs",
    "tallies", "tally_deltas", "job_usage", "job_callbacks",
)  # fmt: skip


def rehearse(desk: Desk, job_id: str, patience: float = 20.0) -> ReplayReport:
    """Replay the job and make sure that no row of any table was touched by it."""
    before = {name: desk.rows(f"SELECT * FROM {name}") for name in TABLES}
    replayer = Rehearsals(
        desk.db, desk.registry, desk.clock, Workspace(desk.workspace), patience=patience
    )
    report = replayer(job_id)
    assert report is not None
    assert {name: desk.rows(f"SELECT * FROM {name}") for name in TABLES} == before
    return report


def changed(desk: Desk, job_id: str, *now: Callable[..., object]) -> ReplayReport:
    """Replay the job with other code."""
    desk.add(*now)
    return rehearse(desk, job_id)


CALL, DETAIL, OUTPUT = DifferenceKind.CALL, DifferenceKind.DETAIL, DifferenceKind.OUTPUT
ERROR, END = DifferenceKind.ERROR, DifferenceKind.END


class Amount(BaseModel):
    """What a reviewer may change."""

    amount: int


def _survive(ctx: JobContext, number: int, value: int) -> object:
    try:
        ctx.step(f"risky-{number}", _fail, value)
    except ValueError as error:
        return str(error)
    return None


def _pay(ctx: JobContext, number: int, value: int) -> object:
    del number
    decision = ctx.approve("Go on?", data={"amount": value}, action="pay", edit=Amount)
    return [decision.data, decision.approved_by, decision.edited]


def _ask(ctx: JobContext, number: int, value: int) -> object:
    del number
    try:
        ctx.approve("Really?", data={"n": value}, action="ask")
    except Rejected as error:
        return f"rejected: {error.reason}"
    return "granted"


def _flaky(ctx: JobContext, number: int, value: int) -> None:
    del number
    if ctx.job.attempt == 1:
        raise ConnectionError(f"try again {value}")


def _hopeless(ctx: JobContext, number: int, value: int) -> None:
    del ctx, number
    raise NonRetryable(f"hopeless {value}")


DOINGS: dict[str, Callable[[JobContext, int, int], object]] = {
    "step": lambda ctx, n, value: ctx.step(f"step-{n}", lambda: {"value": value, "pair": (n, n)}),
    "survive": _survive,
    "approve": _pay,
    "ask": _ask,
    "info": lambda ctx, _n, value: ctx.info(f"Saw {value}", {"value": value}),
    "error": lambda ctx, _n, value: ctx.error(f"Odd: {value}"),
    "artifact": lambda ctx, n, v: ctx.artifact(f"a{n}.md", f"# {v}", metadata={"n": v}),
    "usage": lambda ctx, _n, value: ctx.usage("model-1", input_tokens=value, cost_usd=0.001),
    "sleep": lambda ctx, _n, value: ctx.sleep(timedelta(minutes=value)),
    "log": lambda ctx, _n, value: ctx.log(f"line {value}"),
    "flaky": _flaky,
    "fail": _hopeless,
}


@handler("random")
def any_work(ctx: JobContext) -> object:
    """Do what the input lists, in its order: every kind of recorded call there is."""
    seen = [DOINGS[word](ctx, n, value) for n, (word, value) in enumerate(ctx.input["script"])]
    return {"seen": seen, "attempt": ctx.job.attempt}


def _fail(value: int) -> None:
    raise ValueError(f"no {value}")


WORDS = [word for word in DOINGS if word != "fail"]


def _script(rng: random.Random) -> list[list[object]]:
    words = [rng.choice(WORDS) for _ in range(rng.randrange(9))]
    if rng.random() < 0.15:
        words.append("fail")
    return [[word, rng.randrange(1, 1000)] for word in words]


def _finish(desk: Desk, rng: random.Random) -> None:
    """Decide, and let time pass, until every job is at its end."""
    for _ in range(60):
        desk.run(limit=5000)
        waiting = desk.rows(
            "SELECT job_id, payload FROM agent_checkpoints WHERE status = 'PENDING'"
        )
        for row in waiting:
            luck = rng.random()
            if luck < 0.25:
                desk.reject(row["job_id"], "not now")
            elif luck < 0.5 and "amount" in row["payload"]:
                desk.approve(row["job_id"], edited_data={"amount": rng.randrange(50)})
            else:
                desk.approve(row["job_id"], feedback="fine")
        desk.clock.advance(7200)
        left = desk.rows(
            "SELECT 1 FROM ai_jobs WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELED')"
        )
        if not left:
            return
    pytest.fail("the jobs did not come to an end")


def test_two_hundred_random_finished_jobs_are_replayed_without_a_difference(desk: Desk) -> None:
    rng = random.Random(20261121)
    desk.add(any_work)
    ids = [desk.enqueue("random", {"script": _script(rng)}) for _ in range(200)]
    _finish(desk, rng)
    statuses = {desk.job(job_id).status for job_id in ids}
    assert statuses == {JobStatus.COMPLETED, JobStatus.FAILED}
    before = {name: desk.rows(f"SELECT * FROM {name}") for name in TABLES}
    replayer = Rehearsals(desk.db, desk.registry, desk.clock, Workspace(desk.workspace))
    reports = [replayer(job_id) for job_id in ids]
    assert [report.differences for report in reports if report is not None] == [()] * 200
    assert all(report is not None and report.replayed == report.calls for report in reports)
    assert sum(report.calls for report in reports if report is not None) > 400
    assert {name: desk.rows(f"SELECT * FROM {name}") for name in TABLES} == before


def _one(desk: Desk, function: Callable[..., object]) -> str:
    """Return a job of ``function`` that has run to its end, approved on the way."""
    desk.add(function)
    job_id = desk.enqueue()
    desk.run()
    if desk.job(job_id).status is JobStatus.WAITING:
        desk.approve(job_id)
        desk.run()
    return job_id


def _original(ctx: JobContext) -> dict[str, object]:
    total = ctx.step("sum", lambda: 3)
    ctx.info("Summed", {"total": total})
    ctx.approve("Publish?", data={"total": total}, action="publish")
    ctx.artifact("report.md", f"total {total}")
    return {"total": total, "unit": "m"}


def _renamed(ctx: JobContext) -> None:
    ctx.step("add", lambda: 3)


def _other_kind(ctx: JobContext) -> None:
    ctx.artifact("sum", "3")


def _other_note(ctx: JobContext) -> object:
    total = ctx.step("sum", lambda: 3)
    ctx.info("Summed", {"total": 4})
    ctx.approve("Publish?", data={"total": total}, action="publish")
    ctx.artifact("report.md", f"total {total}")
    return {"total": total, "unit": "m"}


def _other_payload(ctx: JobContext) -> None:
    ctx.step("sum", lambda: 3)
    ctx.info("Summed", {"total": 3})
    ctx.approve("Publish?", data={"total": 4}, action="publish")


def _other_artifact(ctx: JobContext) -> object:
    total = ctx.step("sum", lambda: 3)
    ctx.info("Summed", {"total": total})
    ctx.approve("Publish?", data={"total": total}, action="publish")
    ctx.artifact("report.md", f"total: {total}")
    return {"total": total, "unit": "m"}


def _other_output(ctx: JobContext) -> object:
    _original(ctx)
    return {"total": 3, "unit": "km"}


def _fewer(ctx: JobContext) -> None:
    ctx.step("sum", lambda: 3)


def _more(ctx: JobContext) -> object:
    done = _original(ctx)
    ctx.step("extra", lambda: 1)
    return done


def _raises(ctx: JobContext) -> None:
    _original(ctx)
    raise RuntimeError("new trouble")


def _writes(ctx: JobContext) -> object:
    done = _original(ctx)
    ctx.workspace.write_all({"new.txt": "text"})
    return done


@pytest.mark.parametrize(
    ("now", "expected", "words"),
    [
        (_renamed, (CALL, 0, ReplayEnd.DIVERGED), "asks for step 'add'"),
        (_other_kind, (CALL, 0, ReplayEnd.DIVERGED), "asks for artifact 'sum'"),
        (_other_note, (DETAIL, 1, ReplayEnd.COMPLETED), "info 'Summed': another content"),
        (_other_payload, (DETAIL, 2, ReplayEnd.DIVERGED), "approve 'publish': another content"),
        (_other_artifact, (DETAIL, 3, ReplayEnd.COMPLETED), "artifact 'report.md'"),
        (_other_output, (OUTPUT, None, ReplayEnd.COMPLETED), "another at $.unit."),
        (_fewer, (CALL, 1, ReplayEnd.DIVERGED), "the record goes on with info"),
        (_more, (END, None, ReplayEnd.RECORD_END), "goes on with step 'extra'"),
        (_raises, (ERROR, None, ReplayEnd.FAILED), "the handler now fails"),
        (_writes, (END, 4, ReplayEnd.STOPPED), "change files of the workspace"),
    ],
)
def test_changed_code_is_told_and_where(
    desk: Desk, now: Callable[[JobContext], object], expected: tuple[object, ...], words: str
) -> None:
    job_id = _one(desk, handler("test")(_original))
    assert rehearse(desk, job_id).same
    report = changed(desk, job_id, handler("test", version="2")(now))
    (difference,) = report.differences
    assert (difference.kind, difference.position, report.end) == expected
    assert words in difference.message
    assert report.code_version != report.code_version_now == "2"
    assert not (desk.workspace / "new.txt").exists()


def test_a_step_is_not_done_again(desk: Desk) -> None:
    done: list[int] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.step("once", done.append, 1)
        ctx.log("said")
        ctx.progress(0.5)

    job_id = _one(desk, work)
    assert rehearse(desk, job_id).same
    assert done == [1]


def test_what_a_job_still_waits_for_ends_its_replay_without_a_difference(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        ctx.step("first", lambda: 1)
        ctx.approve("ok?", data={"n": 1})
        ctx.sleep(60)
        return "done"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    waiting = rehearse(desk, job_id)
    assert (waiting.end, waiting.same) == (ReplayEnd.RECORD_END, True)
    assert "the answer of a reviewer" in waiting.last
    desk.approve(job_id)
    desk.run()
    asleep = rehearse(desk, job_id)
    assert (asleep.end, asleep.same, asleep.replayed) == (ReplayEnd.RECORD_END, True, 3)
    desk.control(job_id, JobVerb.CANCEL)
    assert rehearse(desk, job_id).same


def test_a_canceled_question_is_no_difference(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("ok?", data={"n": 1})

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.control(job_id, JobVerb.CANCEL)
    assert desk.job(job_id).status is JobStatus.CANCELED
    report = rehearse(desk, job_id)
    assert (report.end, report.differences) == (ReplayEnd.RECORD_END, ())


def test_a_failure_must_be_the_same_failure(desk: Desk) -> None:
    def failing(words: str) -> Callable[..., object]:
        @handler("test", version=words)
        def work(ctx: JobContext) -> None:
            ctx.step("first", lambda: 1)
            raise NonRetryable(words)

        return work

    job_id = _one(desk, failing("bad input"))
    assert rehearse(desk, job_id).same
    (difference,) = changed(desk, job_id, failing("other trouble")).differences
    assert difference.kind is DifferenceKind.ERROR
    assert (difference.recorded, difference.replayed) == (
        "NonRetryable: bad input",
        "NonRetryable: other trouble",
    )


def test_async_handlers_are_replayed_too(desk: Desk) -> None:
    @handler("test")
    async def work(ctx: AsyncJobContext) -> int:
        first = await ctx.step("first", lambda: 20)
        decision = await ctx.approve("ok?", data={"n": first})
        await ctx.artifact("a.txt", decision.approved_by)
        return first + 1

    job_id = _one(desk, work)
    report = rehearse(desk, job_id)
    assert (report.differences, report.end, report.replayed) == ((), ReplayEnd.COMPLETED, 3)


def test_a_type_without_a_handler_is_a_difference(desk: Desk) -> None:
    job_id = _one(desk, handler("test")(_original))
    bare = Rehearsals(desk.db, type(desk.registry)(), desk.clock, Workspace(desk.workspace))
    report = bare(job_id)
    assert report is not None
    assert report.end is ReplayEnd.NO_HANDLER
    assert [one.kind for one in report.differences] == [DifferenceKind.HANDLER]
    assert bare("job_none") is None


def test_a_handler_that_does_not_come_back_is_left_and_told(desk: Desk) -> None:
    stuck = threading.Event()
    runs: list[int] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.step("first", lambda: 1)
        runs.append(1)
        if len(runs) > 1:
            stuck.wait(30)
        ctx.log("woke")

    job_id = _one(desk, work)
    replayer = Rehearsals(
        desk.db, desk.registry, desk.clock, Workspace(desk.workspace), patience=0.05
    )
    try:
        for _ in range(AT_ONCE):
            report = replayer(job_id)
            assert report is not None
            assert report.end is ReplayEnd.STOPPED
            assert "too long" in report.differences[0].message
        with pytest.raises(RateLimited):
            replayer(job_id)
    finally:
        stuck.set()


def test_hidden_details_do_not_make_a_report_endless(desk: Desk) -> None:
    def noting(offset: int) -> Callable[..., object]:
        @handler("test", version=str(offset))
        def work(ctx: JobContext) -> Any:
            for number in range(80):
                ctx.info("Count", {"n": number + offset, "long": "x" * 2000})
            return "y" * 5000 + str(offset)

        return work

    job_id = _one(desk, noting(0))
    report = changed(desk, job_id, noting(1))
    assert len(report.differences) == 50
    assert max(len(one.replayed) for one in report.differences) <= 500


def test_a_failed_step_that_was_survived_last_is_part_of_the_record(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            ctx.step("risky", _fail, 1)
        except ValueError as error:
            return str(error)
        return "went well"

    job_id = _one(desk, work)
    assert desk.steps(job_id) == [(0, "failed", "risky")]
    assert rehearse(desk, job_id).same
