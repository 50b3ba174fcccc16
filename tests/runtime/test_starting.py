"""A job begins at once in the process that makes it, if its worker has a slot free."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.domain.errors import Conflict, Unavailable
from agent_console.domain.jobs import Job, JobStatus
from agent_console.domain.uniqueness import Unique
from agent_console.runtime.host import WorkerHost
from agent_console.services.jobs import JobService
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.transactions import Tx
from agent_console.testing import new_job
from tests.runtime.hosts import PATIENCE, Changes, hosted
from tests.support.factories import ADA
from tests.support.runs import row


@handler("test")
def quick(_ctx: JobContext) -> str:
    """Do nothing."""
    return "done"


class Gate:
    """A handler that waits until it is let on."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Semaphore(0), threading.Event()

        @handler("test")
        def work(_ctx: JobContext) -> str:
            self.entered.release()
            self.open.wait(PATIENCE)
            return "done"

        self.handler: Callable[..., object] = work


def idle(host: WorkerHost) -> bool:
    """Say whether the worker would begin a job at once; its slot is given back."""
    slot = host.reserve("job_probe", "test")
    if slot is not None:
        slot.release(unsure=False)
    return slot is not None


@contextmanager
def serving(
    db: Database, folder: Path, changes: Changes, *handlers: Callable[..., object], **more: Any
) -> Iterator[tuple[JobService, WorkerHost]]:
    """Yield a service beside an idle worker."""
    with hosted(db, folder, *handlers, **more) as host:
        assert changes.until(lambda: idle(host))
        yield JobService(db, host._registry, host), host


def enqueue(jobs: JobService, **new: Any) -> Job:
    return jobs.enqueue(ADA, new_job("test", **new)).job


def status(db: Database, job: Job) -> JobStatus:
    return JobStatus(row(db, job.id)["status"])


def test_it_begins_without_a_claim(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(db, tmp_path, changes, quick) as (jobs, host):
        monkeypatch.setattr("agent_console.runtime.claimer.claim", _not_to_be_called)
        for _ in range(5):
            job = enqueue(jobs)
            assert job.status is JobStatus.PENDING  # as it was made
            assert changes.until(lambda made=job: status(db, made) is JobStatus.COMPLETED)
            assert row(db, job.id)["attempts"] == 1
            assert changes.until(lambda: idle(host))


def _not_to_be_called(*_args: object, **_options: object) -> list[object]:
    pytest.fail("a job was claimed")


def test_a_worker_without_a_free_slot_claims_it_later(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    gate = Gate()
    with serving(db, tmp_path, changes, gate.handler, max_concurrent_jobs=2) as (jobs, host):
        made = [enqueue(jobs) for _ in range(2)]
        assert all(gate.entered.acquire(timeout=PATIENCE) for _ in made)
        later = enqueue(jobs)
        assert not idle(host)
        assert status(db, later) is JobStatus.PENDING
        gate.open.set()
        assert changes.until(lambda: status(db, later) is JobStatus.COMPLETED)


def test_nobody_is_overtaken(db: Database, tmp_path: Path, changes: Changes) -> None:
    """While a job waits for a slot, what is made after it waits behind it."""
    gate, order = Gate(), list[str]()

    @handler("test")
    def work(ctx: JobContext) -> None:
        order.append(ctx.job.id)
        gate.entered.release()
        gate.open.wait(PATIENCE)

    with serving(db, tmp_path, changes, work, max_concurrent_jobs=1) as (jobs, _host):
        first = enqueue(jobs)
        assert gate.entered.acquire(timeout=PATIENCE)
        waiting = [enqueue(jobs, priority=n).id for n in (1, 9, 5)]
        gate.open.set()
        assert changes.until(lambda: len(order) == 4)
    assert order == [first.id, waiting[1], waiting[2], waiting[0]]


@pytest.mark.parametrize(
    "new",
    [{"delay_seconds": 60}, {"auto_execute": False}, {"unique": Unique(key="k")}],
    ids=["later", "on request", "unique"],
)
def test_what_has_to_wait_or_to_ask_takes_no_slot(
    db: Database,
    tmp_path: Path,
    changes: Changes,
    monkeypatch: pytest.MonkeyPatch,
    new: dict[str, Any],
) -> None:
    asked: list[str] = []
    with serving(db, tmp_path, changes, quick) as (jobs, host):
        monkeypatch.setattr(host, "reserve", lambda job_id, _type: asked.append(job_id))
        made = enqueue(jobs, **new)
        enqueue(jobs)
    assert len(asked) == 1
    assert made.id not in asked


def test_a_stopped_worker_begins_nothing(db: Database, tmp_path: Path, changes: Changes) -> None:
    with serving(db, tmp_path, changes, quick) as (jobs, host):
        host.stop(1.0)
        assert host.reserve("job_1", "test") is None
        assert status(db, enqueue(jobs)) is JobStatus.PENDING


def test_a_type_that_is_unknown_here_is_left_to_others(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    with serving(db, tmp_path, changes, quick) as (_jobs, host):
        assert host.reserve("job_1", "strange") is None


def test_a_refusal_gives_the_slot_back(db: Database, tmp_path: Path, changes: Changes) -> None:
    with serving(db, tmp_path, changes, quick, max_concurrent_jobs=1) as (jobs, host):
        first = jobs.enqueue(ADA, new_job("test"), idempotency_key="k")
        assert changes.until(lambda: idle(host))
        with pytest.raises(Conflict):
            jobs.enqueue(ADA, new_job("test", {"other": 1}), idempotency_key="k")
        assert idle(host)
        assert jobs.enqueue(ADA, new_job("test"), idempotency_key="k").job.id == first.job.id
        assert idle(host)


def test_a_job_whose_commit_was_not_answered_is_given_back_and_run(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(db, tmp_path, changes, quick) as (jobs, host):
        real = db.write

        def loses_the_answer(work: Callable[[Tx], Any]) -> Any:
            real(work)
            monkeypatch.undo()
            raise Unavailable

        monkeypatch.setattr(db, "write", loses_the_answer)
        with pytest.raises(Unavailable):
            enqueue(jobs)
        with db.read() as reader:
            ((job_id,),) = reader.rows("SELECT id FROM ai_jobs")
        assert changes.until(lambda: row(db, job_id)["status"] == JobStatus.COMPLETED)
        assert row(db, job_id)["attempts"] == 1
        assert changes.until(lambda: idle(host))


def test_a_commit_that_was_not_made_costs_no_slot(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_tx: Tx, *_args: object, **_more: object) -> None:
        raise Unavailable

    with serving(db, tmp_path, changes, quick, max_concurrent_jobs=1) as (jobs, host):
        with monkeypatch.context() as broken:
            broken.setattr(job_writes, "enqueue", down)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    enqueue(jobs)
        assert changes.until(lambda: idle(host))
        job = enqueue(jobs)
        assert changes.until(lambda: status(db, job) is JobStatus.COMPLETED)


def test_a_drain_waits_for_a_job_that_is_being_made(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    with serving(db, tmp_path, changes, quick) as (_jobs, host):
        slot = host.reserve("job_1", "test")
        assert slot is not None
        stopping = threading.Thread(target=host.stop, args=(PATIENCE,))
        stopping.start()
        assert changes.until(lambda: not idle(host))
        assert stopping.is_alive()
        slot.release(unsure=False)
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
