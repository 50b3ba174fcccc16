"""Jobs: enqueue, look, control."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from agent_console.domain import trace
from agent_console.domain.access import Actor, Permission, authorize, refusal
from agent_console.domain.bulk import BulkAction
from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.events import JournalEntry
from agent_console.domain.forks import ForkLine
from agent_console.domain.jobs import Job, JobStatus, JobSummary, JobVerb, Json, NewJob, after
from agent_console.domain.queries import MAX_LIMIT, JobQuery, known
from agent_console.domain.records import (
    Artifact,
    HandlerInfo,
    LogLevel,
    LogLine,
    Page,
    Preview,
    Step,
)
from agent_console.domain.schedules import JobOrigin
from agent_console.domain.sessions import context_ids
from agent_console.domain.usage import JobUsage
from agent_console.services import batches, job_requests, list_queries
from agent_console.services.batches import Batch
from agent_console.services.catalog import Catalog
from agent_console.services.context import check_usable
from agent_console.services.starting import Starter, place_for
from agent_console.store import context_writes, forks, job_bulk, job_writes, previews, rewinds
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.job_writes import Made
from agent_console.store.reads import (
    checkpoints,
    counts,
    job_types,
    journal,
    records,
    schedules,
    usage,
)
from agent_console.store.reads import jobs as job_reads
from agent_console.store.transactions import Tx

Action = Literal["execute", "cancel", "retry", "pause", "resume"]
ACTIONS: tuple[Action, ...] = get_args(Action)
FAIL, FORK = "fail", "fork"
LAST_LOGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """The job. ``replayed``: the request was a repetition and made nothing new.

    ``existing``: the job was there already, and has the unique key of the request.
    """

    job: Job
    replayed: bool
    existing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """Everything the job page shows, of one moment.

    ``preview`` is what its run is writing, ``origin`` the schedule that made it.

    ``allowed`` maps every action to "" when it is possible now, else to the reason why not.
    ``handler`` is None where this process knows none; ``goes_on_at`` is the position of the record
    at which a retry would go on.
    """

    job: Job
    checkpoints: list[Checkpoint]
    logs: list[LogLine]
    artifacts: list[Artifact]
    steps: list[Step]
    timeline: list[JournalEntry]
    usage: JobUsage
    preview: Preview | None
    allowed: Mapping[str, str]
    held: str = ""  # why the job is not let in although it is due
    origin: JobOrigin | None = None
    forks: Sequence[ForkLine] = ()
    handler: HandlerInfo | None = None
    goes_on_at: int = 0


class JobService:
    """Use cases of jobs. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, catalog: Catalog, starter: Starter | None = None) -> None:
        """Work on ``db`` with the job types of ``catalog``; ``starter`` may begin new jobs."""
        self._db = db
        self._catalog = catalog
        self._starter = starter

    def enqueue(self, actor: Actor, new: NewJob, *, idempotency_key: str | None = None) -> Enqueued:
        """Create a job; with a key, at most one however often the request is repeated.

        Raises:
            Invalid: a field is not acceptable.
            TooLarge: a JSON field is larger than allowed.
            Forbidden: no permission, or none to read the context documents it would work from.
            Conflict: the key was used for a different request, or another job has the unique key.
        """
        authorize(actor, Permission.JOBS_CREATE)
        bound, attempts = job_requests.checked(new, self._catalog)
        job_requests.allow(actor, bound, self._catalog)
        documents = context_ids(new.context_document_id, new.metadata)
        check_usable(self._db, actor, documents)
        # The body is a third of the work here, and only a key is compared with it.
        body = None if idempotency_key is None else job_requests.body_of(new)
        key = job_requests.request_key(actor, "enqueue", idempotency_key, body)
        job_id = new_id("job")
        traceparent = str(trace.current() or trace.beginning())

        def work(tx: Tx) -> Made:
            made = job_writes.enqueue(
                tx,
                job_id,
                bound,
                max_attempts=attempts,
                actor=actor,
                key=key,
                traceparent=traceparent,
                worker_id=place.worker_id,
            )
            if not (made.replayed or made.existing):
                context_writes.use(tx, documents, job_id)
            crashpoint("enqueue.before_commit")
            return made

        with place_for(self._starter, job_id, bound) as place:
            made = self._db.write(work)
            crashpoint("enqueue.committed")
            place.begun = made.begun
        return Enqueued(job=made.job, replayed=made.replayed, existing=made.existing)

    def enqueue_many(
        self,
        actor: Actor,
        jobs: Sequence[NewJob],
        *,
        keys: Sequence[str | None] = (),
        idempotency_key: str | None = None,
    ) -> Batch:
        """Create all of ``jobs`` (1 to 1,000) or none, in one transaction.

        ``keys`` are idempotency keys of the single jobs, ``idempotency_key`` is that of the whole.

        Raises:
            Invalid, TooLarge, Forbidden: as in ``enqueue``; fields read ``jobs.3.inputData.…``.
            Conflict: a key was used for a different request, or another job has a unique key;
                ``item`` is the number of the job that meets it.
        """
        authorize(actor, Permission.JOBS_CREATE)
        made = batches.enqueue_many(
            self._db, self._catalog, actor, jobs, keys=keys, idempotency_key=idempotency_key
        )
        crashpoint("enqueue.committed")
        return made

    def get(self, actor: Actor, job_id: str) -> JobDetail:
        """Return the job with all that belongs to it.

        Checkpoints, artifacts and the preview of one are empty for a token without the scopes to
        read them.

        Raises:
            NotFound: there is no such job.
        """
        authorize(actor, Permission.JOBS_READ)
        may_review = actor.may(Permission.CHECKPOINTS_READ)
        may_collect = actor.may(Permission.ARTIFACTS_READ)
        with self._db.read() as reader:
            job = job_reads.get(reader, job_id)
            if job is None:
                raise NotFound(f"There is no job {job_id}.")
            return JobDetail(
                job=job,
                checkpoints=checkpoints.of_job(reader, job_id) if may_review else [],
                logs=records.last_logs(reader, job_id, LAST_LOGS),
                artifacts=records.artifacts(reader, job_id) if may_collect else [],
                steps=records.steps(reader, job_id),
                timeline=journal.timeline(reader, job_id),
                usage=usage.of_job(reader, job_id),
                preview=previews.of_job(reader, job_id) if may_collect else None,
                origin=schedules.origin(reader, job_id),
                allowed=allowed(actor, job.status),
                forks=forks.of_job(reader, job_id),
                handler=self._catalog.describe(job.job_type),
                goes_on_at=rewinds.goes_on_at(reader, job),
                held=job_types.why_held(reader, job),
            )

    def find(self, actor: Actor, job_id: str) -> Job:
        """Return the job alone.

        Raises:
            NotFound: there is no such job.
        """
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            job = job_reads.get(reader, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        return job

    def names(self, actor: Actor, job_ids: Collection[str]) -> dict[str, str]:
        """Return what the jobs are called, by id; those that are not there are left out.

        Raises:
            Forbidden: the actor may not read jobs.
        """
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            return job_reads.names(reader, job_ids)

    def page(self, actor: Actor, query: JobQuery) -> Page[JobSummary]:
        """Return one page of jobs, newest first.

        Raises:
            Invalid: an unknown status, a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.JOBS_READ)
        list_queries.check_jobs(query)
        with self._db.read() as reader:
            return job_reads.page(reader, query)

    def control(
        self,
        actor: Actor,
        job_id: str,
        action: Action,
        *,
        cause: Mapping[str, Json] | None = None,
    ) -> Job:
        """Execute, cancel, retry, pause or resume the job; ``cause`` is journaled with it.

        Raises:
            Invalid: there is no such action.
            NotFound: there is no such job.
            Conflict: its status does not allow the action; names the status. Or another job has
                taken its unique key meanwhile; names that one.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        if action not in ACTIONS:
            raise Invalid.field("action", f"unknown value; known are {', '.join(ACTIONS)}.")
        verb = JobVerb(action)
        return self._db.write(lambda tx: job_writes.control(tx, job_id, verb, actor, facts=cause))

    def control_many(
        self,
        actor: Actor,
        job_ids: Sequence[str],
        action: BulkAction,
        *,
        cause: Mapping[str, Json] | None = None,
    ) -> dict[str, str]:
        """Cancel or retry the jobs in one transaction; return why not by id of those refused.

        ``cause`` is journaled with each.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        verb = JobVerb(action)
        return self._db.write(
            lambda tx: job_bulk.control_many(tx, job_ids, verb, actor, cause=cause)
        )

    def counts(self, actor: Actor) -> dict[JobStatus, int]:
        """Return the number of jobs in every status, zeros included."""
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            return counts.jobs_by_status(reader)

    def catalog(self, actor: Actor) -> Sequence[HandlerInfo]:
        """Return the job types that can be enqueued."""
        authorize(actor, Permission.JOBS_READ)
        return self._catalog.handlers()

    def logs(
        self,
        actor: Actor,
        job_id: str,
        after: int = 0,
        limit: int = MAX_LIMIT,
        level: str | None = None,
    ) -> list[LogLine]:
        """Return log lines with an id above ``after``, oldest first.

        Raises:
            Invalid: a limit out of bounds, an unknown level.
            NotFound: there is no such job.
        """
        authorize(actor, Permission.JOBS_READ)
        if not 1 <= limit <= MAX_LIMIT:
            raise Invalid.field("limit", f"must be between 1 and {MAX_LIMIT}.")
        if not 0 <= after < 2**63:
            raise Invalid.field("after", "must not be negative, nor beyond any line's id.")
        wanted = known(LogLevel, level, "level")
        with self._db.read() as reader:
            lines = records.logs(reader, job_id, after=after, limit=limit, level=wanted)
            if not lines and job_reads.get(reader, job_id) is None:
                raise NotFound(f"There is no job {job_id}.")
            return lines


def allowed(actor: Actor, status: JobStatus) -> Mapping[str, str]:
    """Say of every action whether ``actor`` may take it on a job in ``status``: "" or why not.

    ``fail`` and ``fork`` are among them, which other services do.
    """
    named = (*ACTIONS, FAIL)
    may = dict.fromkeys(named, refusal(Permission.JOBS_CONTROL))
    if actor.may(Permission.JOBS_CONTROL):
        may = {action: _obstacle(status, action) for action in ACTIONS} | {FAIL: _may_fail(status)}
    return may | {FORK: _may_fork(actor, status)}


def _may_fail(status: JobStatus) -> str:
    try:
        rewinds.refuse_to_fail(status)
    except Conflict as conflict:
        return conflict.message
    return ""


def _may_fork(actor: Actor, status: JobStatus) -> str:
    if not actor.may(Permission.JOBS_CREATE):
        return refusal(Permission.JOBS_CREATE)
    return forks.RUNNING if status is JobStatus.RUNNING else ""


def _obstacle(status: JobStatus, action: Action) -> str:
    try:
        after(status, JobVerb(action))
    except Conflict as conflict:
        return conflict.message
    return ""
