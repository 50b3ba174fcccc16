"""What rows look like to the pages: small frozen values made from the domain's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agent_console.domain.isolation import limits_words
from agent_console.domain.jobs import Job, JobStatus, JobSummary
from agent_console.domain.records import HandlerInfo
from agent_console.domain.visible import reveal


def iso(instant: datetime | None) -> str:
    """Return ``instant`` as ISO 8601 with ``Z``; empty for None."""
    return instant.isoformat().replace("+00:00", "Z") if instant else ""


def shown(text: str, limit: int = 400) -> str:
    """Return ``text`` with hidden characters made visible, cut to ``limit`` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return reveal(cut).text


def limits_of(info: HandlerInfo) -> str:
    """Return where a handler runs and what it may use; empty when that is as usual."""
    return limits_words(info.isolation, info.timeout, info.memory_limit)


def percent(fraction: float | None) -> int:
    """Return ``fraction`` as whole percent from 0 to 100; -1 when nobody said."""
    return -1 if fraction is None else round(max(0.0, min(1.0, fraction)) * 100)


def starts_at(job: Job | JobSummary) -> str:
    """Return when a job that nobody has begun may start, ISO 8601; empty if it may already."""
    waits = job.started_at is None and job.status in {JobStatus.PENDING, JobStatus.INITIALIZED}
    return iso(job.run_at) if waits and job.run_at > datetime.now(UTC) else ""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of the jobs list. Instants are ISO 8601; ``progress`` is percent, -1 for unknown."""

    id: str
    href: str
    title: str
    job_type: str
    status: str
    user: str
    note: str
    attempts: str
    progress: int
    created_at: str
    started_at: str
    completed_at: str
    starts_at: str

    @classmethod
    def of(cls, job: JobSummary) -> JobRow:
        """Return the row for ``job``."""
        progress = job.progress if job.status == "RUNNING" else None
        note = job.park_reason or (progress.message if progress else "")
        return cls(
            id=job.id,
            href=f"/jobs/{job.id}",
            title=shown(job.task_description, 200) or job.job_type,
            job_type=job.job_type,
            status=job.status.value,
            user=job.user_name or job.user_id or "",
            note=shown(note or "", 200),
            attempts=f"attempt {job.attempts} of {job.max_attempts}" if job.attempts > 1 else "",
            progress=percent(progress.fraction if progress else None),
            created_at=iso(job.created_at),
            started_at=iso(job.started_at),
            completed_at=iso(job.completed_at),
            starts_at=starts_at(job),
        )


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab that is a link; ``count`` is empty where counting says nothing."""

    label: str
    href: str
    count: str
    current: bool
