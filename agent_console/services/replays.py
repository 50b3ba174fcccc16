"""Replay: run a job again from its record, without effects, and tell what differs."""

from __future__ import annotations

from typing import Protocol

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Conflict, NotFound, Unavailable
from agent_console.domain.events import Event
from agent_console.domain.jobs import Job
from agent_console.domain.replays import ReplayReport
from agent_console.store.database import Database
from agent_console.store.reads import jobs as job_reads
from agent_console.store.tallies import JOB_REPLAYED


class Replayer(Protocol):
    """Runs a job from its record; implemented by the runtime, which knows the handlers."""

    def __call__(self, job_id: str) -> ReplayReport | None:
        """Return the report; None: there is no such job."""
        ...


class ReplayService:
    """The use case of replaying a job. The job itself is never changed by it."""

    def __init__(self, db: Database, replayer: Replayer | None) -> None:
        """Journal in ``db``; None: this process knows no handlers."""
        self._db = db
        self._replayer = replayer

    def replay(self, actor: Actor, job_id: str) -> ReplayReport:
        """Run the job from its record and return what differs; the journal tells of it.

        Raises:
            NotFound: there is no such job.
            Conflict: it has never run, so there is nothing to run again.
            RateLimited: this process replays other jobs already.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        if self._replayer is None:
            raise Unavailable("This process knows no handlers, so it cannot replay jobs.")
        with self._db.read() as reader:
            job = job_reads.get(reader, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        if job.attempts == 0:
            raise Conflict(
                f"Job {job_id} is {job.status.value} and has never run; there is nothing to replay."
            )
        report = self._replayer(job_id)
        if report is None:
            raise NotFound(f"There is no job {job_id}.")
        self._db.write(lambda tx: tx.record(_event(actor, job, report)))
        return report


def _event(actor: Actor, job: Job, report: ReplayReport) -> Event:
    return Event(
        action=JOB_REPLAYED,
        actor=actor,
        job_id=job.id,
        job_type=job.job_type,
        verdict="same" if report.same else "different",
        data={
            "differences": len(report.differences),
            "end": report.end.value,
            "codeVersion": report.code_version_now,
        },
    )
