"""Cutting a job's record by hand: go on with changed code, try again from a step, or give up."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Invalid
from agent_console.domain.forks import Cut
from agent_console.domain.jobs import Job
from agent_console.services import job_requests
from agent_console.store import rewinds
from agent_console.store.database import Database

MAX_REASON = 4_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """The job, as it is after the cut; or as it is, where the cut was only looked at."""

    job: Job
    cut: Cut


class RewindService:
    """Use cases of cutting a record. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def resume_here(self, actor: Actor, job_id: str, *, dry_run: bool = False) -> Rewound:
        """Let a job that is parked for a difference go on with the code of now.

        Recorded calls before the difference stay done; those from there on are made anew.
        ``dry_run`` only says which those are.

        Raises:
            NotFound: there is no such job.
            Conflict: it is not parked for a difference; names its status.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        if dry_run:
            with self._db.read() as reader:
                job = rewinds.found(reader, job_id)
                return Rewound(job=job, cut=rewinds.divergence_cut(reader, job))
        job, done = self._db.write(lambda tx: rewinds.resume_here(tx, job_id, actor))
        return Rewound(job=job, cut=done)

    def retry_from(
        self, actor: Actor, job_id: str, position: int, *, dry_run: bool = False
    ) -> Rewound:
        """Queue the job again; recorded calls from ``position`` on are made anew.

        ``dry_run`` only says which those are.

        Raises:
            NotFound: there is no such job.
            Conflict: its status allows no retry; names it.
            Invalid: its record has no call at ``position``.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        if dry_run:
            with self._db.read() as reader:
                job = rewinds.found(reader, job_id)
                return Rewound(job=job, cut=rewinds.retry_cut(reader, job, position))
        job, done = self._db.write(lambda tx: rewinds.retry_from(tx, job_id, position, actor))
        return Rewound(job=job, cut=done)

    def fail(self, actor: Actor, job_id: str, reason: str) -> Job:
        """Fail a parked job, with ``reason`` as its error.

        Raises:
            NotFound: there is no such job.
            Conflict: it is not parked; names its status.
            Invalid: there is no reason, or it is too long.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        if not reason.strip():
            raise Invalid.field("reason", "say why the job is failed.")
        job_requests.text("reason", reason, MAX_REASON)
        return self._db.write(lambda tx: rewinds.give_up(tx, job_id, reason.strip(), actor))
