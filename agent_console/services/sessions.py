"""Work sessions: an agent's job in a project. Jobs and decisions go the way all others go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.checkpoints import Checkpoint, Verdict
from agent_console.domain.context import MAX_DOCUMENTS
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.handover import Handover, findings_of, topic_of
from agent_console.domain.jobs import JobStatus, Json, NewJob
from agent_console.domain.payload import check_json
from agent_console.domain.queries import SessionQuery, known
from agent_console.domain.records import HandlerInfo, Page
from agent_console.domain.sessions import (
    EXECUTABLE,
    STATUS_OF,
    NewSession,
    Project,
    SessionCounts,
    SessionStatus,
    WorkSession,
    context_ids,
)
from agent_console.services import agent_types, job_requests
from agent_console.services.catalog import Catalog
from agent_console.services.jobs import Action, JobService
from agent_console.services.review import Decided, ReviewService
from agent_console.store.database import Database, Reader
from agent_console.store.reads import checkpoints, jobs, sessions

LOOKED_AT = 25  # newest completed sessions that are asked for findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The session; ``replayed`` says that the request was a repetition and made nothing new."""

    session: WorkSession
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail:
    """A session with its checkpoints, oldest first, of one moment."""

    session: WorkSession
    checkpoints: Sequence[Checkpoint]


class SessionService:
    """Use cases of work sessions. Every method checks the actor's permission itself."""

    def __init__(
        self, db: Database, catalog: Catalog, jobs: JobService, review: ReviewService
    ) -> None:
        """Work on ``db`` with the agents of ``catalog``, through ``jobs`` and ``review``."""
        self._db = db
        self._catalog = catalog
        self._jobs = jobs
        self._review = review

    def agents(self, actor: Actor) -> Sequence[HandlerInfo]:
        """Return the agents that can be asked to do something."""
        authorize(actor, Permission.JOBS_READ)
        return agent_types.agents(self._catalog)

    def create(
        self,
        actor: Actor,
        project_id: str,
        new: NewSession,
        *,
        idempotency_key: str | None = None,
    ) -> Started:
        """Make a session: it waits for ``execute``, or starts by itself when asked to.

        Raises:
            Invalid: a field is not acceptable; those of the agent's own schema read
                ``taskConfiguration.…``.
            TooLarge: a JSON field is.
            Forbidden: no permission, or context documents that the actor may not read.
            Conflict: the key was used for a different request.
        """
        authorize(actor, Permission.JOBS_CREATE)
        try:
            job = self._job(project_id, new)
            made = self._jobs.enqueue(actor, job, idempotency_key=idempotency_key)
        except Invalid as error:
            fields = [agent_types.as_configuration(one) for one in error.fields]
            raise Invalid(None if fields else error.message, fields) from None
        with self._db.read() as reader:
            return Started(
                session=self._find(reader, project_id, made.job.id), replayed=made.replayed
            )

    def page(self, actor: Actor, project_id: str, query: SessionQuery) -> Page[WorkSession]:
        """Return one page of the project's sessions, newest first.

        Raises:
            Invalid: an unknown status, a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.JOBS_READ)
        query.check()
        known(SessionStatus, query.status, "status")
        job_requests.text("projectId", project_id, job_requests.MAX_NAME)
        job_requests.text("agentType", query.agent_type, job_requests.MAX_NAME)
        with self._db.read() as reader:
            return sessions.page(reader, project_id, query, agent_types.names(self._catalog))

    def counts(self, actor: Actor, project_id: str, agent_type: str | None = None) -> SessionCounts:
        """Return how many sessions of the project, or of one agent, there are in every status.

        Raises:
            Invalid: a project's name that there cannot be.
        """
        authorize(actor, Permission.JOBS_READ)
        job_requests.text("projectId", project_id, job_requests.MAX_NAME)
        job_requests.text("agentType", agent_type, job_requests.MAX_NAME)
        types = [one for one in agent_types.names(self._catalog) if agent_type in (None, one)]
        with self._db.read() as reader:
            return sessions.counts(reader, project_id, types)

    def projects(self, actor: Actor) -> list[Project]:
        """Return the projects that have sessions, the one with the newest session first."""
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            return sessions.projects(reader, agent_types.names(self._catalog))

    def get(self, actor: Actor, project_id: str, session_id: str) -> SessionDetail:
        """Return the session with its checkpoints.

        Raises:
            NotFound: the project has no such session.
        """
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            return SessionDetail(
                session=self._find(reader, project_id, session_id),
                checkpoints=checkpoints.of_job(reader, session_id),
            )

    def findings(self, actor: Actor, session_id: str) -> Handover:
        """Return the approved findings of a finished session, to hand on to another.

        Raises:
            NotFound: there is no such session.
            Conflict: it is not completed, or its output holds no findings.
        """
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            job = jobs.get(reader, session_id)
        if job is None or job.job_type not in agent_types.names(self._catalog):
            raise NotFound(f"There is no work session {session_id}.")
        found = findings_of(job.output_data)
        if job.status is not JobStatus.COMPLETED or not found:
            status = STATUS_OF[job.status]
            message = f"The session is {status} and has no approved findings."
            raise Conflict(message, currentStatus=status.value)
        return Handover(
            session_id=job.id,
            project_id=job.project_id or "",
            agent_type=job.job_type,
            topic=topic_of(job.output_data, job.task_description),
            findings=found,
            context_document_ids=context_ids(job.context_document_id, _object(job.metadata)),
            completed_at=job.completed_at,
        )

    def with_findings(self, actor: Actor, project_id: str) -> list[Handover]:
        """Return those of the project's newest completed sessions that have findings to hand on.

        Raises:
            Invalid: a project's name that there cannot be.
        """
        authorize(actor, Permission.JOBS_READ)
        job_requests.text("projectId", project_id, job_requests.MAX_NAME)
        with self._db.read() as reader:
            types = agent_types.names(self._catalog)
            done = sessions.finished(reader, project_id, types, LOOKED_AT)
        return [
            Handover(
                session_id=one.id,
                project_id=one.project_id,
                agent_type=one.agent_type,
                topic=topic_of(output, one.task_description),
                findings=found,
                context_document_ids=one.context_document_ids,
                completed_at=one.completed_at,
            )
            for one, output in done
            if (found := findings_of(output))
        ]

    def execute(self, actor: Actor, project_id: str, session_id: str) -> WorkSession:
        """Let an initialized session start, or a paused one go on; returns at once.

        Raises:
            NotFound: the project has no such session.
            Conflict: it is neither initialized nor paused; names its status.
        """
        authorize(actor, Permission.JOBS_CONTROL)
        with self._db.read() as reader:
            session = self._find(reader, project_id, session_id)
        if session.status not in EXECUTABLE:
            raise Conflict(
                f"The session is {session.status}; it can be executed when it is "
                f"{' or '.join(sorted(EXECUTABLE))}.",
                currentStatus=session.status.value,
            )
        # A parked job is seen as paused too; it is let go again by another verb.
        action: Action = "resume" if session.job_status is JobStatus.PARKED else "execute"
        self._jobs.control(actor, session_id, action)
        with self._db.read() as reader:
            return self._find(reader, project_id, session_id)

    def decide(
        self,
        actor: Actor,
        project_id: str,
        session_id: str,
        checkpoint_id: str,
        verdict: Verdict,
        *,
        idempotency_key: str | None = None,
    ) -> Decided:
        """Approve or reject a checkpoint of the session, exactly as the desk does.

        Raises:
            NotFound: the project has no such session, or that no such checkpoint.
            Forbidden, Invalid, Conflict: as in ``ReviewService.decide_once``.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        with self._db.read() as reader:
            self._find(reader, project_id, session_id)
            checkpoint = checkpoints.get(reader, checkpoint_id)
        if checkpoint is None or checkpoint.job_id != session_id:
            raise NotFound(f"Session {session_id} has no checkpoint {checkpoint_id}.")
        return self._review.decide_once(
            actor, checkpoint_id, verdict, idempotency_key=idempotency_key
        )

    def _find(self, reader: Reader, project_id: str, session_id: str) -> WorkSession:
        found = sessions.get(reader, project_id, session_id, agent_types.names(self._catalog))
        if found is None:
            raise NotFound(f"There is no work session {session_id} in project {project_id}.")
        return found

    def _job(self, project_id: str, new: NewSession) -> NewJob:
        """Return the job that does what ``new`` asks for, its configuration's defaults bound."""
        if not project_id.strip():
            raise Invalid.field("projectId", "must not be empty.")
        agent_types.require(self._catalog, new.agent_type)
        job_requests.check_strategy(new.approval_strategy)
        job_requests.text("workspaceId", new.workspace_id, job_requests.MAX_NAME)
        job_requests.text("basketId", new.basket_id, job_requests.MAX_NAME)
        check_json(new.task_configuration, "taskConfiguration")
        documents = _documents(new.context_document_ids)
        return NewJob(
            job_type=new.agent_type,
            input_data=new.task_configuration,
            task_description=new.task_description,
            project_id=project_id,
            task_configuration=self._catalog.validate(new.agent_type, new.task_configuration),
            context_document_id=documents[0] if documents else None,
            approval_strategy=new.approval_strategy,
            metadata=_metadata(new, documents),
            auto_execute=new.auto_execute,
        )


def _documents(asked: tuple[str, ...]) -> list[str]:
    """Return the ids without repetitions; whether they exist is the job's own check."""
    if len(asked) > MAX_DOCUMENTS:
        raise Invalid.field("contextDocumentIds", f"must be at most {MAX_DOCUMENTS} documents.")
    return list(dict.fromkeys(asked))


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _metadata(new: NewSession, documents: list[str]) -> dict[str, Json]:
    given: dict[str, Json] = {**new.metadata}
    if new.workspace_id is not None:
        given["workspaceId"] = new.workspace_id
    if new.basket_id is not None:
        given["basketId"] = new.basket_id
    given.pop("contextDocumentIds", None)
    if len(documents) > 1:
        given["contextDocumentIds"] = [*documents]
    return given
