"""Handlers in processes of their own: they work as on threads, and cannot take the worker down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.domain.access import SYSTEM
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.clock import SystemClock
from agent_console.domain.errors import Misconfigured
from agent_console.domain.events import Event
from agent_console.domain.isolation import bytes_of, limits_words, size_words
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.observer import RunObservers
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.deaths import Death, error_of
from agent_console.runtime.isolation import IsolatingExecutor
from agent_console.runtime.processes import Processes
from agent_console.runtime.registry import Registry, spec_of
from agent_console.runtime.run import Run, Surroundings
from agent_console.services.jobs import JobDetail, JobService
from agent_console.services.review import ReviewService
from agent_console.store import job_writes
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.testing import enqueue
from agent_console.testing.bench import OPERATOR
from agent_console.testing.draining import _introduce
from tests.runtime import isolated
from tests.runtime.hosts import Changes
from tests.runtime.isolated import SharedProcesses, hosted
from tests.support.factories import RAY, employ

ROOT = Path(__file__).resolve().parents[2]
OVER = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PARKED, JobStatus.CANCELED}


@pytest.fixture(scope="module")
def processes() -> Iterator[SharedProcesses]:
    shared = SharedProcesses()
    shared.warm_up()
    yield shared
    server = shared.server_pid
    shared.end()
    assert server is not None
    assert not lives(server)


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """Return the folder in which handlers leave their marks."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def detail(db: Database, job_id: str) -> JobDetail:
    return JobService(db, Registry(isolated.ALL)).get(OPERATOR, job_id)


def is_over(db: Database, job_id: str) -> bool:
    return detail(db, job_id).job.status in OVER


def started(sandbox: Path) -> list[int]:
    """Return the process ids that handlers left, complete lines only."""
    file = sandbox / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_whatever_a_handler_does_costs_an_attempt_and_never_the_worker(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes
) -> None:
    types = ("exits", "segfaults", "loops", "blocks", "hogs", "hogs-in-c")
    jobs = {name: enqueue(db, name, max_attempts=1 + (name == "exits")) for name in types}
    with hosted(db, tmp_path, processes) as host:
        assert changes.until(lambda: all(is_over(db, one) for one in jobs.values()))
        after = enqueue(db, "plain")
        assert changes.until(lambda: is_over(db, after))
        assert host.stats()["isRunning"] is True
    found = {name: detail(db, one).job for name, one in jobs.items()}
    assert {job.status for job in found.values()} == {JobStatus.FAILED}
    errors = {name: job.error for name, job in found.items() if job.error is not None}
    said = {name: f"{error.type}: {error.message}" for name, error in errors.items()}
    late = "TimedOut: The handler ran longer than its timeout of 0.3 s."
    assert said.pop("hogs-in-c").startswith("ProcessDied: The handler's process was ended by SIGAB")
    assert said == {
        "exits": "ProcessDied: The handler's process ended itself with exit code 3.",
        "segfaults": "ProcessDied: The handler's process was ended by SIGSEGV.",
        "loops": late,
        "blocks": late,
        "hogs": "OutOfMemory: The handler used more than its memory limit of 64 MB.",
    }
    assert found["exits"].attempts == 2
    goodbyes = [f"attempt {n} says goodbye" for n in (1, 2)]
    assert [line.message for line in detail(db, jobs["exits"]).logs] == goodbyes
    assert "in segfaults" in str(errors["segfaults"].traceback)
    assert "in loops" in str(errors["loops"].traceback)
    assert (tmp_path / "workspace" / "finally").exists(), "SIGTERM lets finally blocks run"
    assert detail(db, after).job.output_data == os.getpid()


def test_a_review_inside_an_isolated_handler_repeats_no_step(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    job_id = enqueue(db, "reviewed")
    employ(db, RAY)
    seen: list[str] = []

    def note(events: Any) -> None:
        seen.extend(event.action for event in events)

    db.subscribe(note)
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: detail(db, job_id).job.status is JobStatus.WAITING)
        assert changes.until(lambda: {"artifact.saved", "job.waiting"} <= {*seen})
        card = detail(db, job_id).checkpoints[0]
        verdict = Verdict(verb=CheckpointVerb.APPROVE, payload_digest=card.payload_digest)
        ReviewService(db, self_approval="auto").decide(RAY, card.id, verdict)
        assert changes.until(lambda: is_over(db, job_id))
    found = detail(db, job_id)
    assert found.job.status is JobStatus.COMPLETED
    assert found.job.output_data == {"by": RAY.name, "built": None}
    assert [step.kind for step in found.steps] == ["step", "artifact", "approve", "step"]
    assert found.checkpoints[0].status is CheckpointStatus.APPROVED
    for name, position in (("built", 0), ("applied", 3)):
        assert (sandbox / name).read_text() == f"{job_id}:{position}\n"


def test_what_it_says_is_seen_live_and_a_cancellation_ends_it(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    job_id = enqueue(db, "waits")
    told: list[Event] = []
    db.subscribe(told.extend)
    with hosted(db, tmp_path, processes, worker_timeout=600):
        assert changes.until(lambda: detail(db, job_id).preview is not None)
        assert changes.until(lambda: detail(db, job_id).logs != [])
        live = detail(db, job_id)
        assert live.preview is not None
        assert live.preview.text == "being written"
        assert live.job.progress is not None
        assert live.job.progress.message == "half-way"
        (pid,) = started(sandbox)
        assert lives(pid)
        began = time.monotonic()
        db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, SYSTEM))
        assert changes.until(lambda: not lives(pid))
        assert time.monotonic() - began < 5.0
    assert detail(db, job_id).job.status is JobStatus.CANCELED
    assert (sandbox / "finally").exists()


def test_a_paused_one_is_ended_and_goes_on_when_it_is_resumed(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    job_id = enqueue(db, "awaits", {"wait": True})
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: len(started(sandbox)) == 1)
        db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.PAUSE, SYSTEM))
        assert changes.until(lambda: not lives(started(sandbox)[0]))
        db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.RESUME, SYSTEM))
        assert changes.until(lambda: len(started(sandbox)) == 2)
    assert (sandbox / "built").read_text() == "\n", "the recorded step is not repeated"


def test_a_drain_gives_it_back_without_charging_an_attempt(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    job_id = enqueue(db, "waits")
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: len(started(sandbox)) == 1)
    assert detail(db, job_id).job.status is JobStatus.QUEUED
    with db.read() as reader:
        assert reader.row("SELECT resuming FROM ai_jobs") == (1,), "the next claim charges nothing"
    assert changes.until(lambda: not lives(started(sandbox)[0]))


def test_what_a_handler_started_ends_with_it(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    ids = [enqueue(db, "family", {"wait": wait}, max_attempts=1) for wait in (True, False)]
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: is_over(db, ids[1]) and len(started(sandbox)) == 4)
        db.write(lambda tx: job_writes.control(tx, ids[0], JobVerb.CANCEL, SYSTEM))
        assert changes.until(lambda: not any(map(lives, started(sandbox))))
    assert detail(db, ids[1]).job.output_data == "left"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_async_handlers_numbers_and_threads_work_within_limits(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    assert sandbox.exists()
    types = ("awaits", "computes", "draws", "draws", "plain")
    ids = [enqueue(db, name, max_attempts=1) for name in types]
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: all(is_over(db, one) for one in ids))
    jobs = [detail(db, one).job for one in ids]
    assert [job.error for job in jobs] == [None] * 5
    outputs: list[Any] = [job.output_data for job in jobs]
    assert outputs[0] != f"in {os.getpid()}"
    assert outputs[1] == 4 * 300.0**3
    assert not {*outputs[2]} & {*outputs[3]}, "forks draw different numbers"
    assert outputs[4] == os.getpid()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_fork_server_that_dies_is_started_again(
    db: Database, tmp_path: Path, changes: Changes, processes: SharedProcesses
) -> None:
    first = processes.server_pid
    with hosted(db, tmp_path, processes):
        lost = enqueue(db, "kills-server", max_attempts=1)
        assert changes.until(lambda: is_over(db, lost))
        error = detail(db, lost).job.error
        assert error is not None
        assert "lost together with" in error.message
        processes.warm_up()
        after = enqueue(db, "draws")
        assert changes.until(lambda: detail(db, after).job.status is JobStatus.COMPLETED)
    assert first is not None
    assert not lives(first)
    assert processes.server_pid not in {None, first}


def test_one_that_outlives_its_claim_writes_nothing(
    db: Database, changes: Changes, processes: Processes, sandbox: Path
) -> None:
    os.mkfifo(sandbox / "gate")
    job_id = enqueue(db, "dawdles")
    _introduce(db, "wrk_1")
    (claimed,) = claim(db, "wrk_1", 1)
    around = Surroundings(
        db=db,
        registry=Registry(isolated.ALL),
        clock=SystemClock(),
        workspace=Workspace(sandbox),
        observers=RunObservers(),
    )
    executor = IsolatingExecutor(around, LoopThread(), processes)
    run = executor.begin(claimed)
    assert isinstance(run, Run)
    ends: list[object] = []
    thread = threading.Thread(target=lambda: ends.append(executor.execute(run)))
    thread.start()
    assert changes.until(lambda: len(started(sandbox)) == 1)
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.PAUSE, SYSTEM))
    (sandbox / "gate").open("w").close()
    thread.join(15)
    assert ends == [None]
    assert (sandbox / "tried").exists()
    assert detail(db, job_id).steps == []


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.crash
def test_a_killed_worker_leaves_no_orphan_and_its_job_is_rescued(
    db: Database, database_url: str, tmp_path: Path, changes: Changes, processes: Processes
) -> None:
    sandbox = tmp_path / "workspace"
    job_id = enqueue(db, "family", {"wait": True})
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.runtime.isolated", database_url, str(tmp_path)], cwd=ROOT
    )
    try:
        for _ in range(4):  # two cold starts, on a machine that may be busy
            if changes.until(lambda: len(started(sandbox)) == 2):
                break
        pids = started(sandbox)
        assert len(pids) == 2
        assert all(map(lives, pids))
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert changes.until(lambda: not any(map(lives, pids)))
    with hosted(db, tmp_path, processes):
        assert changes.until(lambda: detail(db, job_id).job.attempts == 2)
        assert detail(db, job_id).job.status is JobStatus.RUNNING


class Observer:
    """Notes what it sees of runs."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    @contextmanager
    def observe(self, **facts: Any) -> Iterator[None]:
        self.seen.append(("run", facts["job_type"]))
        with self._ending("run"):
            yield

    @contextmanager
    def step(self, *, job_id: str, name: str) -> Iterator[None]:
        self.seen.append(("step", job_id, name))
        with self._ending("step"):
            yield

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        self.seen.append(("reached", job_id, checkpoint_id[:4]))

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        self.seen.append(("logged", job_id, level, message))

    @contextmanager
    def _ending(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.seen.append((f"{what} failed", type(error).__name__))
            raise


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_observes_the_worker_sees_what_happens_in_the_process(
    db: Database, tmp_path: Path, changes: Changes, processes: Processes
) -> None:
    observer = Observer()
    job_id = enqueue(db, "fails", max_attempts=1)
    with hosted(db, tmp_path, processes, observer):
        assert changes.until(lambda: is_over(db, job_id))
    assert observer.seen == [
        ("run", "fails"),
        ("logged", job_id, "INFO", "trying"),
        ("reached", job_id, "chk_"),
        ("step", job_id, "divide"),
        ("step failed", "ZeroDivisionError"),
        ("run failed", "ZeroDivisionError"),
    ]
    error = detail(db, job_id).job.error
    assert error is not None
    assert error.type == "ZeroDivisionError"
    assert "1 // 0" in str(error.traceback)


def test_every_death_has_its_words() -> None:
    error = error_of(Death(-signal.SIGKILL, peak=1), None)
    assert "not by this worker" in error.message
    near = error_of(Death(-signal.SIGSEGV, peak=60_000_000), 64_000_000)
    assert near.message.endswith("with 60 MB in use; its limit is 64 MB.")
    assert "could not be started: no room." in error_of(Death(problem="no room"), None).message
    assert "signal 99" in error_of(Death(-99), None).message


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"isolation": "container"}, "isolation='container' of job type 'test'"),
        ({"timeout": 0}, "timeout=0 of job type 'test'"),
        ({"memory_limit": "1 GB"}, 'needs isolation="process"'),
        ({"isolation": "process", "memory_limit": "1 kB"}, "at least 16 MB"),
        ({"isolation": "process", "memory_limit": "plenty"}, "'plenty' is no size"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Misconfigured, match=complaint):

        @handler("test", **limits)
        def work(_ctx: JobContext) -> None:
            """Do nothing."""


def test_limits_are_told_in_words() -> None:
    @handler("test", isolation="process", timeout=300, memory_limit="512 MB")
    def work(_ctx: JobContext) -> None:
        """Do nothing."""

    spec = spec_of(work)
    assert spec is not None
    info = spec.info()
    assert (info.isolation, info.timeout, info.memory_limit) == ("process", 300, 512_000_000)
    words = limits_words(info.isolation, info.timeout, info.memory_limit)
    assert words == "Runs in a process of its own, at most 300 s, 512 MB"
    assert limits_words("thread", None, None) == ""
    assert limits_words("thread", 2.5, None) == "At most 2.5 s"
    assert bytes_of("1.5 GiB") == 1_610_612_736
    assert size_words(1_610_612_736) == "1.61 GB"
