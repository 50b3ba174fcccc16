"""Why a job is where it is, in a few lines of Markdown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import CLAIMABLE, JobStatus
from agent_console.domain.records import LogLevel
from agent_console.services.assistant_words import (
    ago,
    checkpoint_link,
    code,
    counted,
    duration,
    job_link,
    plain,
    until,
)
from agent_console.services.jobs import JobDetail
from agent_console.services.workers import WorkerStatusReport

LOGGED = 3  # of the last warnings and errors
_TROUBLE = (LogLevel.WARNING, LogLevel.ERROR)

Report = Callable[[], WorkerStatusReport]


def explain(detail: JobDetail, report: Report, now: datetime) -> str:
    """Return the explanation; ``report`` is asked only about a job that waits for a worker."""
    job = detail.job
    lines = [f"{job_link(job.id, job.task_description or job.job_type)} is **{job.status.value}**."]
    if job.status in CLAIMABLE:
        lines.append(_queued(detail, report(), now))
    else:
        lines.append(_REASONS[job.status](detail, now))
    lines += _logged(detail)
    return "\n\n".join(line for line in lines if line)


def _queued(detail: JobDetail, report: WorkerStatusReport, now: datetime) -> str:
    job = detail.job
    if job.run_at > now:
        tried = f" It was tried {counted(job.attempts, 'time')}." if job.attempts else ""
        return f"It is due in {duration((job.run_at - now).total_seconds())}.{tried}"
    if not report.is_running:
        return "No worker is running. Start one on the Workers page."
    if report.active_jobs >= report.max_concurrent_jobs:
        return (
            f"All {report.max_concurrent_jobs} slots are busy; {report.jobs.pending:,} jobs wait,"
            f" this one with priority {job.priority}."
        )
    served = {kind for worker in report.workers for kind in worker.job_types}
    if job.job_type not in served:
        return f"No worker knows the job type {code(job.job_type)}."
    return "A worker has a free slot and takes it next."


def _initialized(detail: JobDetail, now: datetime) -> str:
    return f"It was made {ago(detail.job.created_at, now)} and waits to be executed."


def _running(detail: JobDetail, now: datetime) -> str:
    job = detail.job
    doing = f": {plain(job.progress.message)}" if job.progress and job.progress.message else ""
    return f"Attempt {job.attempts} of {job.max_attempts} began {ago(job.started_at, now)}{doing}."


def _waiting(detail: JobDetail, now: datetime) -> str:
    open_ones = [c for c in detail.checkpoints if c.status is CheckpointStatus.PENDING]
    if not open_ones:
        return "It waits for a decision at a checkpoint."
    return "\n".join(
        f"- It waits for a decision: {checkpoint_link(one.id, one.message or one.action)},"
        f" asked {ago(one.created_at, now)}, {until(one.expires_at, now)}."
        for one in open_ones
    )


def _failed(detail: JobDetail, now: datetime) -> str:
    job = detail.job
    said = "It failed"
    if job.error is not None:
        message = plain(job.error.message, 600)
        said = f"It failed with {code(job.error.type)}: {message}"
    tries = f"Attempt {job.attempts} of {job.max_attempts}, {ago(job.completed_at, now)}."
    refused = [_refused(one) for one in detail.checkpoints if one.rejection_reason]
    return "\n\n".join([said, tries, *refused])


def _refused(checkpoint: Checkpoint) -> str:
    who = plain(checkpoint.decided_by_name or "Somebody", 80)
    return (
        f"{who} rejected {checkpoint_link(checkpoint.id, checkpoint.message or 'its checkpoint')}:"
        f" {plain(checkpoint.rejection_reason or '', 400)}"
    )


def _parked(detail: JobDetail, now: datetime) -> str:
    reason = plain(detail.job.park_reason or "no reason was given", 600)
    return (
        f"It needs a person; it was parked {ago(detail.job.updated_at, now)}: {reason}\n\n"
        "Once the cause is mended, resume or retry it."
    )


def _held(detail: JobDetail, now: datetime) -> str:
    entry = _last(detail, detail.job.status)
    if entry is None:
        return ""
    who = plain(entry.actor_name or entry.actor_kind, 80)
    return f"{who} did that {ago(entry.at, now)}."


def _completed(detail: JobDetail, now: datetime) -> str:
    job = detail.job
    took = ""
    if job.started_at and job.completed_at:
        took = f" after {duration((job.completed_at - job.started_at).total_seconds())}"
    made = f", with {counted(len(detail.artifacts), 'artifact')}" if detail.artifacts else ""
    return f"It ended well {ago(job.completed_at, now)}{took}{made}."


def _last(detail: JobDetail, status: JobStatus) -> JournalEntry | None:
    return next((e for e in reversed(detail.timeline) if e.after == status.value), None)


def _logged(detail: JobDetail) -> list[str]:
    bad = [line for line in detail.logs if line.level in _TROUBLE][-LOGGED:]
    if not bad:
        return []
    listed = "\n".join(f"- {line.level.value} {plain(line.message)}" for line in bad)
    return [f"Last in its log:\n\n{listed}"]


_REASONS: dict[JobStatus, Callable[[JobDetail, datetime], str]] = {
    JobStatus.INITIALIZED: _initialized,
    JobStatus.RUNNING: _running,
    JobStatus.WAITING: _waiting,
    JobStatus.PAUSED: _held,
    JobStatus.PARKED: _parked,
    JobStatus.COMPLETED: _completed,
    JobStatus.FAILED: _failed,
    JobStatus.CANCELED: _held,
}
