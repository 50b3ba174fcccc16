"""The work sessions: the projects there are, and the sessions of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.queries import SessionQuery
from agent_console.domain.records import HandlerInfo, Page
from agent_console.domain.sessions import Project, SessionCounts, SessionStatus, WorkSession
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import PAGE_SIZE, SessionsParams, address, handover
from agent_console.ui.views import Tab, iso, percent, shown


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project that has sessions; ``waiting`` is words, empty where nothing waits."""

    id: str
    name: str
    href: str
    waiting: str
    latest_at: str


@dataclass(frozen=True, slots=True)
class AgentOption:
    """An agent to show the sessions of."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of the list. ``progress`` is percent, -1 for unknown; instants are ISO 8601.

    ``findings_href`` leads to a new session with this one's findings, where there are any.
    """

    id: str
    href: str
    title: str
    agent: str
    status: str
    note: str
    made: str
    user: str
    progress: int
    can_execute: bool
    findings_href: str
    created_at: str
    started_at: str
    completed_at: str


class Sessions(LiveState, rx.State):
    """The rows on the screen; without a ``project``, the projects there are."""

    project: str = ""
    projects: list[ProjectRow] = []
    rows: list[SessionRow] = []
    tabs: list[Tab] = []
    agents: list[AgentOption] = []
    agent: str = ""
    total: str = ""
    newest_href: str = ""
    older_href: str = ""
    clear_href: str = ""
    new_href: str = "/agents"
    filtered: bool = False
    refusal: str = ""

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the list."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def choose_agent(self, agent: str) -> Any:
        """Put the chosen agent into the address."""
        return rx.redirect(self._params().url(agent=str(agent)[:100], cursor=""))

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def execute(self, session_id: str) -> None:
        """Let a session start that waits for it, or go on."""
        sessions = bridge.services().sessions
        done = await bridge.call(sessions.execute, await self._actor(), self.project, session_id)
        if isinstance(done, Failure):
            await self._tell(done.notice)
        else:
            await self._tell(bridge.note("success", "The session is in the queue."))

    def _params(self) -> SessionsParams:
        return SessionsParams.parse(self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        allowed = actor.may(Permission.JOBS_CONTROL)
        self._put(refusal="" if allowed else refusal(Permission.JOBS_CONTROL))
        return Ask(("sessions", params), lambda: _read(actor, params), subject=params.project)

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read(actor: Actor, params: SessionsParams) -> dict[str, object]:
    sessions = bridge.services().sessions
    if not params.project:
        return {
            "project": "",
            "projects": [_project(one) for one in sessions.projects(actor)],
            "new_href": "/agents",
        }
    asked = SessionQuery(
        status=params.status.lower() or None,
        agent_type=params.agent or None,
        cursor=params.cursor or None,
        limit=PAGE_SIZE,
    )
    page = sessions.page(actor, params.project, asked)
    agents = sessions.agents(actor)
    return {
        "project": params.project,
        "rows": [session_row(one, agents) for one in page.items],
        "tabs": tabs(params, sessions.counts(actor, params.project, params.agent or None)),
        "agents": [AgentOption(one.job_type, one.title or one.job_type) for one in agents],
        "agent": params.agent,
        "total": _total(page),
        "newest_href": params.url(cursor="") if params.cursor else "",
        "older_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
        "clear_href": SessionsParams(project=params.project).url(),
        "new_href": address("/agents", {"project": params.project}),
        "filtered": bool(params.status or params.agent),
    }


def _project(project: Project) -> ProjectRow:
    count = project.pending_review
    return ProjectRow(
        id=project.id,
        name=shown(project.id, 200),
        href=SessionsParams(project=project.id).url(),
        waiting=f"{count:,} to review" if count else "",
        latest_at=iso(project.latest_at),
    )


def session_row(session: WorkSession, agents: Sequence[HandlerInfo]) -> SessionRow:
    """Return the row for ``session``; an agent that is gone keeps its type as its name."""
    titles = {one.job_type: one.title for one in agents}
    running = session.status is SessionStatus.IN_PROGRESS
    progress = session.progress if running else None
    return SessionRow(
        id=session.id,
        href=f"/jobs/{session.id}",
        title=shown(session.task_description, 200) or session.agent_type,
        agent=titles.get(session.agent_type) or session.agent_type,
        status=session.status.value,
        note=shown(_note(session), 200),
        made=_count(session.artifacts_count, "artifact") if session.artifacts_count else "",
        user=session.user_name or session.user_id or "",
        progress=percent(progress.fraction if progress else None),
        can_execute=session.status is SessionStatus.INITIALIZED,
        findings_href=handover(session.project_id, session.id) if session.has_findings else "",
        created_at=iso(session.created_at),
        started_at=iso(session.started_at),
        completed_at=iso(session.completed_at),
    )


def _note(session: WorkSession) -> str:
    """Return what there is to say beside the status: progress, a reason, a failure."""
    match session.status:
        case SessionStatus.IN_PROGRESS:
            return session.progress.message if session.progress else ""
        case SessionStatus.PENDING_REVIEW:
            return _count(session.pending_checkpoints, "checkpoint") + " to decide"
        case SessionStatus.PAUSED:
            return session.park_reason or ""
        case SessionStatus.FAILED:
            return session.error.message if session.error else ""
    return ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _total(page: Page[WorkSession]) -> str:
    if page.total is None:
        return ""
    number = f"{page.total:,}{'+' if page.total_capped else ''}"
    return f"{number} session" if page.total == 1 else f"{number} sessions"


def tabs(params: SessionsParams, counts: SessionCounts) -> list[Tab]:
    """Return a tab for all and one per status; beyond the bound, numbers are at least that."""
    more = "+" if counts.capped else ""
    entries = [("", "All", sum(counts.by_status.values()))]
    entries += [(one.value, one.value, counts.by_status.get(one, 0)) for one in SessionStatus]
    return [
        Tab(
            label,
            params.url(status=value, cursor=""),
            f"{count:,}{more if count else ''}",
            params.status.lower() == value,
        )
        for value, label, count in entries
    ]
