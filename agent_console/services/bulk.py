"""One action on many jobs: a job of its own does it, as whoever asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.access import (
    ROLE_PERMISSIONS,
    Actor,
    Permission,
    Role,
    authorize,
    local_operator,
)
from agent_console.domain.bulk import BULK_ACTIONS, BULK_TYPE, BulkAction, JobFilter
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.jobs import MAX_PRIORITY, NewJob
from agent_console.services import job_requests
from agent_console.services.jobs import Enqueued, JobService
from agent_console.store import accounts
from agent_console.store.database import Database, Reader
from agent_console.store.ids import new_id
from agent_console.store.reads import bulk

BATCH = 100  # jobs between two looks at the asker's permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How many jobs there are; ``capped``: that many or more."""

    count: int
    capped: bool


class BulkService:
    """Use cases of actions on many jobs."""

    def __init__(self, db: Database, jobs: JobService) -> None:
        """Ask ``jobs`` for the job that does the work."""
        self._db = db
        self._jobs = jobs

    def start(
        self,
        actor: Actor,
        action: BulkAction,
        wanted: JobFilter,
        *,
        idempotency_key: str | None = None,
    ) -> Enqueued:
        """Make the job that cancels or retries all jobs that match, made before it.

        Raises:
            Invalid: an action there is not; a filter that names nothing, or never matches.
            Forbidden: no permission to control jobs, or to create one.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        check(action, wanted)
        new = NewJob(
            job_type=BULK_TYPE,
            input_data={"action": action, "filter": wanted.to_json()},
            task_description=f"{action.capitalize()} jobs: {wanted.words()}",
            priority=MAX_PRIORITY,
        )
        return self._jobs.enqueue(actor, new, idempotency_key=idempotency_key)

    def count(self, actor: Actor, action: BulkAction, wanted: JobFilter) -> Matching:
        """Return on how many jobs it would act now, up to a cap; nothing is done.

        Raises:
            Invalid: as in ``start``.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        check(action, wanted)
        with self._db.read() as reader:
            found, capped = bulk.count(reader, wanted, action, new_id("job"))
        return Matching(count=found, capped=capped)


def check(action: BulkAction, wanted: JobFilter) -> None:
    """Refuse what cannot be done to many jobs.

    Raises:
        Invalid: names the field.
    """
    if action not in BULK_ACTIONS:
        raise Invalid.field("action", f"unknown value; known are {', '.join(BULK_ACTIONS)}.")
    wanted.check(action)
    for field, value in (
        ("filter.jobType", wanted.job_type),
        ("filter.userId", wanted.user_id),
        ("filter.projectId", wanted.project_id),
        *(("filter.ids", one) for one in wanted.ids),
    ):
        job_requests.text(field, value, job_requests.MAX_NAME)


def current_asker(reader: Reader, job_id: str) -> Actor:
    """Return who asked for the job, with what they may do at this moment.

    Raises:
        Forbidden: the account is gone or disabled, or may not control jobs any more.
    """
    kind, account_id, name = bulk.asked_by(reader, job_id)
    if kind in {"cli", "system"}:
        return local_operator(name or "operator")
    user = accounts.find(reader, account_id) if account_id else None
    if user is None or user.disabled:
        raise Forbidden(f"The account of {name or 'whoever asked'} may not act any more.")
    role = Role(user.role)
    actor = Actor(
        kind="user", id=user.id, name=user.name, role=role, permissions=ROLE_PERMISSIONS[role]
    )
    authorize(actor, Permission.JOBS_CONTROL)
    return actor
