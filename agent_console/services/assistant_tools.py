"""What the assistant can look up: the only tools it has, each a question to the database.

They ask through the services as whoever asked the assistant, and as no more: the permissions are
cut down to reading, so that nothing here, nor a model that uses it, can decide or change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps

from agent_console.domain.access import Actor, Permission
from agent_console.domain.clock import Clock
from agent_console.domain.errors import ConsoleError
from agent_console.domain.jobs import JobStatus
from agent_console.domain.queries import CheckpointQuery, JobQuery
from agent_console.services import assistant_why
from agent_console.services.assistant_words import (
    ago,
    checkpoint_link,
    code,
    job_link,
    plain,
    title_of,
    until,
)
from agent_console.services.jobs import JobService
from agent_console.services.review import ReviewService
from agent_console.services.workers import WorkerService, is_alive

READING = frozenset({Permission.JOBS_READ, Permission.CHECKPOINTS_READ, Permission.WORKERS_READ})
LISTED = 10  # rows of a list in an answer
_ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The services that tools ask."""

    jobs: JobService
    review: ReviewService
    workers: WorkerService
    clock: Clock
    worker_timeout: float  # seconds


def _saying(tool: Callable[..., str]) -> Callable[..., str]:
    @wraps(tool)
    def asked(*args: object, **kwargs: object) -> str:
        try:
            return tool(*args, **kwargs)
        except ConsoleError as error:
            return error.message

    return asked


class Tools:
    """The tools of one question; every answer is Markdown."""

    def __init__(self, sources: Sources, actor: Actor) -> None:
        """Ask ``sources`` as ``actor``, with nothing but permissions to read."""
        self._sources = sources
        self._actor = replace(actor, permissions=actor.permissions & READING)

    def all(self) -> Sequence[Callable[..., str]]:
        """Return the tools for a model: what one cannot answer it says, too."""
        tools = (self.status, self.jobs, self.why, self.checkpoints, self.workers)
        return tuple(_saying(tool) for tool in tools)

    def status(self) -> str:
        """Say how many jobs are in each status, what waits for a decision, and who works."""
        counts = self._sources.jobs.counts(self._actor)
        pending = self._sources.review.pending_count(self._actor)
        some = [f"{number:,} {status.value}" for status, number in counts.items() if number]
        ended = sum(counts[status] for status in _ENDED)
        report = self._sources.workers.status(self._actor)
        alive = [w for w in report.workers if is_alive(w, self._sources.worker_timeout)]
        works = "running" if report.is_running else "not running"
        slots = f"{report.active_jobs} of {report.max_concurrent_jobs} slots busy"
        lines = (
            f"Jobs: {', '.join(some) or 'none yet'} ({ended:,} ended)",
            f"Checkpoints: {pending:,} pending",
            f"Workers: {works}, {len(alive)} up, {slots}",
        )
        return "\n".join(f"- {line}" for line in lines)

    def jobs(self, status: str = "", search: str = "", limit: int = LISTED) -> str:
        """List jobs, newest first.

        Args:
            status: a job status such as FAILED or WAITING; empty for every status
            search: words in the id or the description; empty for all
            limit: how many at most, 1 to 10
        """
        wanted = JobQuery(
            status=status.strip().upper() or None,
            search=search.strip()[:200],
            limit=max(1, min(limit, LISTED)),
        )
        page = self._sources.jobs.page(self._actor, wanted)
        if not page.items:
            return "There is no such job."
        now = self._sources.clock.now()
        lines = [
            f"- {one.status.value} {job_link(one.id, title_of(one))} · {code(one.job_type)}"
            f" · {ago(one.completed_at or one.updated_at, now)} · {code(one.id)}"
            for one in page.items
        ]
        if page.next_cursor:
            total = f" of {page.total:,}{'+' if page.total_capped else ''}" if page.total else ""
            lines.append(f"\nThe newest {len(page.items)}{total}.")
        return "\n".join(lines)

    def why(self, job_id: str) -> str:
        """Explain why a job is where it is: what it waits for, or what went wrong.

        Args:
            job_id: the id of the job, such as job_01a1…
        """
        return assistant_why.explain(
            self._sources.jobs.get(self._actor, job_id.strip()),
            lambda: self._sources.workers.status(self._actor),
            self._sources.clock.now(),
        )

    def checkpoints(self, limit: int = LISTED) -> str:
        """List what waits for a person's decision, earliest deadline first.

        Args:
            limit: how many at most, 1 to 10
        """
        wanted = CheckpointQuery(limit=max(1, min(limit, LISTED)))
        page = self._sources.review.page(self._actor, wanted)
        if not page.items:
            return "Nothing waits for a decision."
        now = self._sources.clock.now()
        lines = [
            f"- {checkpoint_link(one.id, one.message or one.action)} · {code(one.job_type)}"
            f" · asked {ago(one.created_at, now)} by {plain(one.requested_by_name or 'nobody', 60)}"
            f" · {until(one.expires_at, now)}"
            for one in page.items
        ]
        if page.next_cursor:
            lines.append(f"\nThe first {len(page.items)} of {page.total or 0:,}.")
        return "\n".join(lines)

    def workers(self) -> str:
        """List the worker processes: what they do, and when they were last heard of."""
        report = self._sources.workers.status(self._actor)
        alive = [w for w in report.workers if is_alive(w, self._sources.worker_timeout)]
        if not alive:
            return "No worker process is up. Start one with `agent-console worker`."
        now = self._sources.clock.now()
        return "\n".join(
            f"- {one.status.value} {plain(one.host, 80)} · pid {one.pid} · {one.active_jobs} of"
            f" {one.max_concurrent_jobs} slots busy · heard {ago(one.heartbeat_at, now)}"
            for one in alive
        )
