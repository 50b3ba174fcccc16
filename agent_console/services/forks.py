"""Forks: a new job from a step of another, with what was recorded before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from agent_console.domain import trace
from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Conflict, Invalid
from agent_console.domain.forks import Forked, ForkPlan, ForkRequest
from agent_console.domain.jobs import Job, Json, NewJob
from agent_console.domain.payload import canonical, check_json
from agent_console.domain.review_policies import SelfApproval
from agent_console.domain.sessions import context_ids
from agent_console.services import job_requests
from agent_console.services.catalog import Catalog
from agent_console.services.context import check_usable
from agent_console.services.review_policy import still_stands
from agent_console.store import context_writes, forks, job_writes, rewinds
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.rechecks import Approval
from agent_console.store.transactions import Queries, Tx

CONTEXT_STEP = "context"  # the recorded call that pins the versions of context documents


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The new job, how often it may be attempted, and whether its handler would see other input."""

    new: NewJob
    attempts: int
    edited: bool


class ForkService:
    """The use case of forking a job. The original is never changed by it."""

    def __init__(self, db: Database, catalog: Catalog, *, self_approval: SelfApproval) -> None:
        """Work on ``db`` with the job types of ``catalog``."""
        self._db, self._catalog, self._self_approval = db, catalog, self_approval

    def plan(self, actor: Actor, job_id: str, wanted: ForkRequest) -> ForkPlan:
        """Say what a fork would take over and what it would ask again; nothing is done.

        Raises:
            NotFound, Invalid, TooLarge, Forbidden, Conflict: as in ``fork``.
        """
        authorize(actor, Permission.JOBS_CREATE)
        with self._db.read() as reader:
            original = rewinds.found(reader, job_id)
            bound = self._bound(original, wanted)
            planned = forks.plan(reader, original, self._point(actor, bound, wanted))
        self._check_documents(actor, bound.new)
        return planned

    def fork(
        self,
        actor: Actor,
        job_id: str,
        wanted: ForkRequest,
        *,
        idempotency_key: str | None = None,
    ) -> Forked:
        """Make a job that begins with a copy of the record of ``job_id``.

        Whoever forks is the one who asks for the new job.

        Raises:
            NotFound: there is no such job.
            Invalid: the record has no such point, or a field is not acceptable.
            TooLarge: the input is.
            Forbidden: no permission, or none to read the context documents it works from.
            Conflict: the original is running, or the key was used for a different request.
        """
        authorize(actor, Permission.JOBS_CREATE)
        body = {"job": job_id, **asdict(wanted)}
        key = job_requests.request_key(actor, "fork", idempotency_key, body)
        place = str(trace.current() or trace.beginning())
        made_id = new_id("job")
        with self._db.read() as reader:
            bound = self._bound(rewinds.found(reader, job_id), wanted)
        job_requests.allow(actor, bound.new, self._catalog)
        self._check_documents(actor, bound.new)

        def work(tx: Tx) -> Forked:
            original = rewinds.locked(tx, job_id)
            planned = forks.plan(tx, original, self._point(actor, bound, wanted))
            made = job_writes.enqueue(
                tx,
                made_id,
                bound.new,
                max_attempts=bound.attempts,
                actor=actor,
                key=key,
                traceparent=place,
            )
            if made.replayed:
                return Forked(job=made.job, plan=planned, replayed=True)
            if made.existing:  # the answer to a fork is never somebody else's job
                raise Conflict(
                    f"Job {made.job.id} has the unique key that the fork would have.",
                    jobId=made.job.id,
                )
            self._use_documents(tx, planned, bound.new, made_id)
            job = forks.copy_record(tx, original, made.job, planned, actor)
            return Forked(job=job, plan=planned, replayed=False)

        return self._db.write(work)

    def _bound(self, original: Job, wanted: ForkRequest) -> _Wanted:
        """Return the job that is asked for, its edited input checked and its defaults bound."""
        new = _like(original, wanted)
        handler = self._catalog.describe(original.job_type)
        same = wanted.input_data is None or _same(wanted.input_data, original.input_data)
        if handler is None and same:
            # A worker elsewhere may know it; as it was, its input has been checked.
            return _Wanted(new, original.max_attempts, _described_anew(original, new))
        bound, attempts = job_requests.checked(new, self._catalog)
        same = same or _same(bound.input_data, original.input_data)
        if same:
            bound = replace(bound, input_data=_object(original.input_data))
        elif original.task_configuration == original.input_data:  # an agent's: one and the same
            bound = replace(bound, task_configuration=bound.input_data)
        return _Wanted(bound, attempts, not same or _described_anew(original, new))

    def _point(self, actor: Actor, bound: _Wanted, wanted: ForkRequest) -> forks.Point:
        def stands(queries: Queries, approval: Approval) -> str:
            mine = replace(approval, requested_by=actor.id, requested_by_name=actor.name or None)
            return still_stands(queries, mine, self._self_approval)

        return forks.Point(position=wanted.from_position, edited=bound.edited, stands=stands)

    def _check_documents(self, actor: Actor, new: NewJob) -> None:
        check_usable(self._db, actor, context_ids(new.context_document_id, new.metadata))

    def _use_documents(self, tx: Tx, planned: ForkPlan, new: NewJob, job_id: str) -> None:
        """Note the documents that the fork will pin; versions pinned before are its already."""
        pinned = any(
            one.kind == "step" and one.name == CONTEXT_STEP for one in planned.reused_steps
        )
        if not pinned:
            context_writes.use(tx, context_ids(new.context_document_id, new.metadata), job_id)


def _like(original: Job, wanted: ForkRequest) -> NewJob:
    """Return a job like ``original`` with what ``wanted`` changes.

    Raises:
        Invalid: the input is no JSON.
    """
    if wanted.from_position < 0:
        raise Invalid.field("fromPosition", "must be 0 or more.")
    check_json(wanted.input_data, "inputData")
    given, words = wanted.input_data, wanted.task_description
    configuration = original.task_configuration
    return NewJob(
        job_type=original.job_type,
        input_data=_object(original.input_data) if given is None else given,
        task_description=original.task_description if words is None else words,
        priority=original.priority if wanted.priority is None else wanted.priority,
        project_id=original.project_id,
        task_configuration=configuration if isinstance(configuration, dict) else None,
        context_document_id=original.context_document_id,
        approval_strategy=original.approval_strategy,
        metadata=_object(original.metadata),
        auto_execute=wanted.auto_execute,
    )


def _described_anew(original: Job, new: NewJob) -> bool:
    """Say whether the description differs: handlers read it, so it is input like any other."""
    return new.task_description != original.task_description


def _same(one: Json, other: Json) -> bool:
    return canonical(one) == canonical(other)


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
