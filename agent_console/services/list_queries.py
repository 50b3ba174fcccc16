"""What a list may be asked for: known values, bounded texts. Lists and saved queries agree."""

from __future__ import annotations

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.domain.queries import MAX_SEARCH, AuditQuery, CheckpointQuery, JobQuery, known
from agent_console.domain.schedules import ScheduleQuery
from agent_console.services.job_requests import MAX_NAME, text


def check_jobs(query: JobQuery) -> None:
    """Refuse a query of jobs that cannot be answered.

    Raises:
        Invalid: an unknown status, a limit out of bounds, a text that is too long.
    """
    query.check()
    known(JobStatus, query.status, "status")
    for field, value in (("jobType", query.job_type), ("userId", query.user_id)):
        text(field, value, MAX_NAME)
    text("search", query.search, MAX_SEARCH)


def check_checkpoints(query: CheckpointQuery) -> None:
    """Refuse a query of checkpoints that cannot be answered.

    Raises:
        Invalid: an unknown status or type, a limit out of bounds, a text that is too long.
    """
    query.check()
    known(CheckpointStatus, query.status, "status")
    known(CheckpointType, query.checkpoint_type, "checkpointType")
    for field, value in (("jobId", query.job_id), ("jobType", query.job_type)):
        text(field, value, MAX_NAME)
    text("search", query.search, MAX_SEARCH)


def check_audit(query: AuditQuery) -> None:
    """Refuse a query of the journal that cannot be answered.

    Raises:
        Invalid: a limit out of bounds, a text that is too long, an instant without a time zone.
    """
    query.check()
    for field, value in (
        ("action", query.action),
        ("actorId", query.actor_id),
        ("jobId", query.job_id),
        ("checkpointId", query.checkpoint_id),
    ):
        text(field, value, MAX_NAME)
    for field, instant in (("since", query.since), ("until", query.until)):
        if instant is not None and instant.tzinfo is None:
            raise Invalid.field(field, "must have a time zone.")


def check_schedules(query: ScheduleQuery) -> None:
    """Refuse a query of schedules that cannot be answered.

    Raises:
        Invalid: a limit out of bounds, a text that is too long.
    """
    query.check()
    text("jobType", query.job_type, MAX_NAME)
