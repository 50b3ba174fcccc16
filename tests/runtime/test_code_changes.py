"""Code that changes under a waiting job: it is parked, and a person chooses how it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pytest

from agent_console import JobContext, RetryPolicy, handler
from agent_console.domain.access import local_operator
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.parking import ParkCode
from agent_console.store import forks, rewinds
from agent_console.store.database import Database
from tests.runtime.desk import Desk
from tests.runtime.hosts import Changes, hosted
from tests.support.factories import enqueue
from tests.support.runs import row

ROOT = local_operator("root")
done: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


def note(name: str) -> str:
    done.append(name)
    return name


@handler("test", version="1")
def before(ctx: JobContext) -> str:
    ctx.step("read", note, "read")
    ctx.approve("Write it?", action="write", data={"n": 1})
    ctx.step("write", note, "write")
    return "one"


@handler("test", version="2")
def after(ctx: JobContext) -> str:
    ctx.step("read", note, "read")
    ctx.approve("Send it?", action="send", data={"n": 1})
    ctx.step("send", note, "send")
    return "two"


def parked(desk: Desk) -> str:
    """Return a job that was approved under one version and met another."""
    desk.add(before)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.add(after)
    desk.run()
    return job_id


def test_a_difference_is_stored_as_data(desk: Desk) -> None:
    job = desk.job(parked(desk))
    assert (job.status, job.park_code) == (JobStatus.PARKED, ParkCode.DIVERGED)
    assert job.park_detail == {
        "position": 1,
        "recorded": {"kind": "approve", "name": "write", "message": "Write it?"},
        "asked": {"kind": "approve", "name": "send", "message": "Send it?"},
        "codeBefore": "1",
        "codeNow": "2",
    }
    (told,) = desk.rows("SELECT data FROM audit_logs WHERE action = 'job.parked'")
    assert '"code":"diverged"' in told["data"]


def test_plain_resume_tries_again_as_it_is(desk: Desk) -> None:
    job_id = parked(desk)
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    again = desk.job(job_id)
    assert (again.status, again.park_code) == (JobStatus.PARKED, ParkCode.DIVERGED)
    desk.add(before)
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    finished = desk.job(job_id)
    assert (finished.output_data, finished.park_code, finished.park_detail) == ("one", None, None)
    assert done == ["read", "write"]


def test_resuming_on_this_version_asks_anew_and_repeats_nothing(desk: Desk) -> None:
    job_id = parked(desk)
    job, cut = desk.db.write(lambda tx: rewinds.resume_here(tx, job_id, ROOT))
    assert (job.status, cut.position, cut.kept) == (JobStatus.QUEUED, 1, 1)
    assert [one.message for one in cut.decisions] == ["Write it?"]
    desk.run()
    assert desk.open_checkpoint(job_id)["message"] == "Send it?"
    history = desk.rows(
        "SELECT position, status FROM agent_checkpoints WHERE message = 'Write it?'"
    )
    assert history == [{"position": -1, "status": "APPROVED"}]
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "two"
    assert done == ["read", "send"]


def test_a_job_that_is_parked_otherwise_has_no_version_to_resume_on(desk: Desk) -> None:
    job_id = desk.enqueue("unknown")
    desk.run()
    with pytest.raises(Conflict, match="not parked because its code changed"):
        desk.db.write(lambda tx: rewinds.resume_here(tx, job_id, ROOT))
    queued = desk.enqueue("unknown")
    with pytest.raises(Conflict, match="PENDING"):
        desk.db.write(lambda tx: rewinds.resume_here(tx, queued, ROOT))


def test_a_person_gives_it_up_with_a_reason(desk: Desk) -> None:
    job_id = parked(desk)
    failed = desk.db.write(lambda tx: rewinds.give_up(tx, job_id, "not worth it", ROOT))
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("GivenUp", "not worth it")
    assert (failed.park_reason, failed.park_code) == (None, None)
    assert failed.completed_at is not None
    with pytest.raises(Conflict, match="only from PARKED"):
        desk.db.write(lambda tx: rewinds.give_up(tx, job_id, "again", ROOT))


def test_a_handler_that_ends_early_is_compared_with_the_rest_of_the_record(desk: Desk) -> None:
    @handler("test", version="3")
    def short(ctx: JobContext) -> str:
        return str(ctx.step("read", note, "read"))

    desk.add(before)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.add(short)
    desk.run()
    detail: Any = desk.job(job_id).park_detail
    assert (detail["position"], detail["asked"]) == (1, None)
    desk.db.write(lambda tx: rewinds.resume_here(tx, job_id, ROOT))
    desk.run()
    assert desk.job(job_id).output_data == "read"


def test_a_retry_goes_on_with_the_failed_step(desk: Desk) -> None:
    broken = [True]

    def fragile() -> str:
        if broken:
            raise ValueError("not yet")
        return note("third")

    @handler("test", retry=RetryPolicy(max_attempts=1))
    def three(ctx: JobContext) -> str:
        ctx.step("first", note, "first")
        ctx.step("second", note, "second")
        return str(ctx.step("third", fragile))

    desk.add(three)
    job_id = desk.enqueue(max_attempts=1)
    desk.run()
    failed = desk.job(job_id)
    assert failed.status is JobStatus.FAILED
    with desk.db.read() as reader:
        assert rewinds.goes_on_at(reader, failed) == 2
    broken.clear()
    desk.control(job_id, JobVerb.RETRY)
    desk.run()
    assert desk.job(job_id).output_data == "third"
    assert done == ["first", "second", "third"]


@pytest.mark.rows_by_hand
def test_a_retry_from_a_step_asks_what_came_after_it_again(desk: Desk) -> None:
    desk.add(before)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    desk.db.write(
        lambda tx: tx.execute("UPDATE ai_jobs SET status = 'FAILED' WHERE id = :id", {"id": job_id})
    )
    job, cut = desk.db.write(lambda tx: rewinds.retry_from(tx, job_id, 0, ROOT))
    assert (job.status, len(cut.steps), len(cut.decisions)) == (JobStatus.QUEUED, 3, 1)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.approve(job_id)
    desk.run()
    assert done == ["read", "write", "read", "write"]


class Odd(Exception):
    """An error that cannot be made again from its message."""

    def __new__(cls, *message: str, really: bool = False) -> Self:
        if message or not really:
            raise TypeError("not like this")
        return super().__new__(cls)

    def __init__(self, *, really: bool) -> None:
        super().__init__(f"odd, {really}")


@pytest.mark.parametrize("kind", ["loaded", "local"])
def test_never_holds_for_errors_raised_again_from_the_record(desk: Desk, kind: str) -> None:
    class Local(Exception):
        """An error that no later process could look up."""

    def fail() -> None:
        raise Odd(really=True) if kind == "loaded" else Local("gone")

    @handler("test", retry=RetryPolicy(never=(Odd, Local)))
    def keeps(ctx: JobContext) -> None:
        try:
            ctx.step("fragile", fail)
        except Exception:
            ctx.approve("Go on?", action="go")
            raise

    desk.add(keeps)
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.run()
    failed = desk.job(job_id)
    assert (failed.status, failed.attempts) == (JobStatus.FAILED, 1)


def test_an_unknown_type_is_parked_until_a_worker_knows_it(db: Database, tmp_path: Path) -> None:
    changes = Changes(db)
    job_id = enqueue(db, "test")

    @handler("other")
    def other(ctx: JobContext) -> None:
        del ctx

    with hosted(db, tmp_path / "a", other):
        assert changes.until(lambda: row(db, job_id)["status"] == "PARKED")
        assert row(db, job_id)["park_code"] == ParkCode.NO_HANDLER
        assert row(db, job_id)["park_detail"] == '{"jobType":"test"}'
        with hosted(db, tmp_path / "b", before):
            assert changes.until(lambda: row(db, job_id)["status"] == "WAITING")
    with db.read() as reader:
        told = reader.rows(
            "SELECT action, actor_kind FROM audit_logs WHERE job_id = :id ORDER BY seq",
            {"id": job_id},
        )
    assert told.count(("job.parked", "worker")) == 1  # it is not claimed and parked for ever
    assert ("job.resumed", "system") in told
    assert row(db, job_id)["attempts"] == 1


def test_a_fork_of_a_parked_job_goes_another_way(desk: Desk) -> None:
    job_id = parked(desk)
    with desk.db.read() as reader:
        original = rewinds.found(reader, job_id)
        point = forks.Point(position=1, edited=False, stands=None)
        planned = forks.plan(reader, original, point)
    assert [one.name for one in planned.reused_steps] == ["read"]
    assert [one.reason for one in planned.asked_again] == [forks.AFTER]
