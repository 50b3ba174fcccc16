"""``/api/projects/{projectId}/work-sessions``: what agents do for a project."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Body, Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.deciding import (
    ANSWERED,
    APPROVED,
    CHANGES_REQUESTED,
    REJECTED,
    DecideInSession,
)
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import IdempotencyKey, SessionParams, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.checkpoints import (
    AnswerIn,
    ApproveIn,
    DecisionAnswer,
    RejectIn,
    RequestChangesIn,
)
from agent_console.api.schemas.sessions import (
    NewSessionIn,
    ProjectOut,
    ProjectsAnswer,
    SessionAnswer,
    SessionDetailAnswer,
    SessionDetailOut,
    SessionOut,
    SessionPage,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Work-sessions")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]
Controller = Annotated[Actor, requires(Permission.JOBS_CONTROL)]

_ALL = "/api/projects/{projectId}/work-sessions"
_ONE = _ALL + "/{sessionId}"
_CHECKPOINT = _ONE + "/checkpoints/{checkpointId}"


@router.get(
    "/api/projects",
    response_model=ProjectsAnswer,
    summary="List the projects that have work sessions",
    responses=problems(*READING),
)
def list_projects(actor: Reader, services: ServicesDep) -> ProjectsAnswer:
    """Return at most 200, the one with the newest session first."""
    found = services.sessions.projects(actor)
    return ProjectsAnswer(projects=[ProjectOut.model_validate(one) for one in found])


@router.post(
    _ALL,
    status_code=201,
    response_model=SessionAnswer,
    summary="Create a work session",
    responses=problems(*WRITING),
)
def create(
    *,
    actor: Creator,
    services: ServicesDep,
    projectId: str,  # noqa: N803 - the names in the address are camelCase like all others
    body: NewSessionIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> SessionAnswer:
    """Validate the configuration and make the session; it starts only if `autoExecute` says so."""
    done = services.sessions.create(
        actor, projectId, body.to_new_session(), idempotency_key=idempotency_key
    )
    address = _ONE.format(projectId=quote(projectId, safe=""), sessionId=done.session.id)
    note_made(response, f"{address}/status", replayed=done.replayed)
    return SessionAnswer(session=SessionOut.of(done.session))


@router.get(
    _ALL,
    response_model=SessionPage,
    summary="List a project's work sessions, newest first",
    responses=problems(*READING),
)
def list_sessions(
    actor: Reader,
    services: ServicesDep,
    projectId: str,  # noqa: N803
    query: Annotated[SessionParams, Query()],
) -> SessionPage:
    """Return one page; `offset` or `cursor`, not both."""
    page = services.sessions.page(actor, projectId, query.to_query())
    return SessionPage(
        sessions=[SessionOut.of(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.post(
    _ONE + "/execute",
    response_model=SessionAnswer,
    summary="Start a work session, or let it go on",
    responses=problems(*ACTING),
)
def execute(
    actor: Controller,
    services: ServicesDep,
    projectId: str,  # noqa: N803
    sessionId: str,  # noqa: N803
) -> SessionAnswer:
    """Return at once; 409 names the status unless the session is initialized or paused."""
    session = services.sessions.execute(actor, projectId, sessionId)
    return SessionAnswer(session=SessionOut.of(session))


@router.get(
    _ONE + "/status",
    response_model=SessionDetailAnswer,
    summary="Show a work session",
    responses=problems(*READING_ONE),
)
def status(
    actor: Reader,
    services: ServicesDep,
    projectId: str,  # noqa: N803
    sessionId: str,  # noqa: N803
) -> SessionDetailAnswer:
    """Return the session with its checkpoints and the number of its artifacts."""
    detail = services.sessions.get(actor, projectId, sessionId)
    return SessionDetailAnswer(session=SessionDetailOut.of_detail(detail))


@router.post(
    _CHECKPOINT + "/approve",
    response_model=DecisionAnswer,
    summary="Approve a checkpoint of a work session",
    responses=problems(*WRITING),
)
def approve(
    decide: DecideInSession, body: Annotated[ApproveIn | None, Body()] = None
) -> DecisionAnswer:
    """Approve exactly the payload that is stored; the session goes on where it stopped."""
    return decide((body or ApproveIn()).to_verdict(), APPROVED)


@router.post(
    _CHECKPOINT + "/answer",
    response_model=DecisionAnswer,
    summary="Answer a question of a work session",
    responses=problems(*WRITING),
)
def answer(decide: DecideInSession, body: AnswerIn) -> DecisionAnswer:
    """Answer what the agent asks; the session goes on with it."""
    return decide(body.to_verdict(), ANSWERED)


@router.post(
    _CHECKPOINT + "/reject",
    response_model=DecisionAnswer,
    summary="Reject a checkpoint of a work session",
    responses=problems(*WRITING),
)
def reject(decide: DecideInSession, body: RejectIn) -> DecisionAnswer:
    """Reject with a reason; the session fails with it."""
    return decide(body.to_verdict(), REJECTED)


@router.post(
    _CHECKPOINT + "/request-changes",
    response_model=DecisionAnswer,
    summary="Request changes at a checkpoint of a work session",
    responses=problems(*WRITING),
)
def request_changes(decide: DecideInSession, body: RequestChangesIn) -> DecisionAnswer:
    """Send it back with feedback: the agent proposes again. 409 where there is no next round."""
    return decide(body.to_verdict(), CHANGES_REQUESTED)
