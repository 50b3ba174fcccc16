"""The sessions page: projects, tabs with counts, progress, and findings to hand on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.domain.jobs import JobStatus, Progress
from agent_console.domain.sessions import NewSession, SessionCounts, SessionStatus, WorkSession
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.testing import drain
from agent_console.ui import bridge
from agent_console.ui.params import SessionsParams
from agent_console.ui.states.session import Session
from agent_console.ui.states.sessions import Sessions, session_row, tabs
from tests.ui.conftest import Browser, Console, greet, run

FOUND = {"id": "F1", "claim": "It begins on Monday.", "confidence": 0.9}


@handler("research", title="Research", version="1", agent=True)
def research(_ctx: JobContext) -> dict[str, Any]:
    """Find one thing."""
    return {"topic": "The pilot", "findings": [FOUND]}


@handler("reporting", title="Reporting", version="1", agent=True)
def reporting(ctx: JobContext) -> str:
    """Ask."""
    return str(ctx.approve("Good?", action="publish").approved_by)


REGISTRY = Registry([greet, research, reporting])


@pytest.fixture
def services(console: Console) -> Services:
    """Bind services whose catalog has agents beside the ordinary job type."""
    settings = Settings()
    made = build_services(console.db, REGISTRY, settings, console.services.feed)
    bridge.bind(made, settings)
    return made


def made(console: Console, services: Services, agent: str, *, runs: bool, project: str) -> str:
    new = NewSession(agent_type=agent, task_description=f"Do {agent}", auto_execute=runs)
    session = services.sessions.create(console.actor("operator"), project, new).session
    drain(console.db, REGISTRY)
    return session.id


def page_of(console: Console, path: str, *events: Any, role: str = "operator") -> Browser:
    """Open the page, send ``events`` and return the browser."""

    async def look() -> Browser:
        async with Browser(console.sign_in(role), path) as browser:
            await browser.send(Sessions.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Sessions, "loaded") is True)
            for event in events:
                await browser.send(event)
            return browser

    return run(look())


def test_projects_are_listed_until_one_is_chosen(console: Console, services: Services) -> None:
    made(console, services, "reporting", runs=True, project="harbor & sea")
    (row,) = page_of(console, "/sessions").wire.value(Sessions, "projects")
    assert (row.name, row.waiting) == ("harbor & sea", "1 to review")
    assert row.href == "/sessions?project=harbor+%26+sea"


def test_sessions_have_tabs_with_counts_and_what_may_be_done(
    console: Console, services: Services
) -> None:
    done = made(console, services, "research", runs=True, project="p")
    asks = made(console, services, "reporting", runs=True, project="p")
    waits = made(console, services, "reporting", runs=False, project="p")
    made(console, services, "reporting", runs=False, project="other")
    wire = page_of(console, "/sessions?project=p").wire
    rows = {row.id: row for row in wire.value(Sessions, "rows")}
    assert list(rows) == [waits, asks, done]
    assert (rows[done].status, rows[done].agent) == ("completed", "Research")
    assert rows[done].findings_href == f"/agents?agent=content&project=p&from={done}"
    assert (rows[asks].status, rows[asks].note) == ("pending_review", "1 checkpoint to decide")
    assert (rows[waits].can_execute, rows[asks].can_execute) == (True, False)
    assert rows[waits].findings_href == ""
    counted = {tab.label: tab.count for tab in wire.value(Sessions, "tabs")}
    assert counted["All"] == "3"
    assert (counted["completed"], counted["pending_review"], counted["failed"]) == ("1", "1", "0")
    assert wire.value(Sessions, "total") == "3 sessions"


def test_tab_and_agent_come_from_the_address(console: Console, services: Services) -> None:
    made(console, services, "research", runs=True, project="p")
    asks = made(console, services, "reporting", runs=True, project="p")
    path = "/sessions?project=p&status=pending_review&agent=reporting"
    wire = page_of(console, path, Sessions.choose_agent("research")).wire
    assert [row.id for row in wire.value(Sessions, "rows")] == [asks]
    (current,) = [tab.label for tab in wire.value(Sessions, "tabs") if tab.current]
    assert current == "pending_review"
    assert {t.label: t.count for t in wire.value(Sessions, "tabs")}["All"] == "1"
    assert wire.redirects() == ["/sessions?project=p&status=pending_review&agent=research"]


def test_a_session_is_executed_from_the_list(console: Console, services: Services) -> None:
    waits = made(console, services, "reporting", runs=False, project="p")
    page_of(console, "/sessions?project=p", Sessions.execute(waits))
    found = services.sessions.get(console.actor("operator"), "p", waits).session
    assert found.status is SessionStatus.IN_PROGRESS
    wire = page_of(console, "/sessions?project=p", Sessions.execute(waits)).wire
    assert wire.value(Session, "notices")[-1].code == "conflict"


def test_a_viewer_executes_nothing(console: Console, services: Services) -> None:
    waits = made(console, services, "reporting", runs=False, project="p")
    wire = page_of(console, "/sessions?project=p", Sessions.execute(waits), role="viewer").wire
    assert "jobs:control" in wire.value(Sessions, "refusal")
    assert wire.value(Session, "notices")[-1].code == "forbidden"


def session(**changes: Any) -> WorkSession:
    """Return a session with nothing special about it."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    plain: dict[str, Any] = {
        "id": "job_1", "project_id": "p", "agent_type": "gone", "status": SessionStatus.IN_PROGRESS,
        "job_status": JobStatus.RUNNING, "task_description": "", "task_configuration": None,
        "context_document_ids": (), "approval_strategy": None, "workspace_id": None,
        "basket_id": None, "user_id": "usr_1", "user_name": None, "attempts": 1, "progress": None,
        "error": None, "park_reason": None, "artifacts_count": 0, "pending_checkpoints": 0,
        "has_findings": False, "metadata": {}, "created_at": now, "updated_at": now,
        "started_at": None, "completed_at": None,
    }  # fmt: skip
    return WorkSession(**plain | changes)


def test_progress_is_shown_while_a_session_runs() -> None:
    progress = Progress(fraction=0.5, message="Searching\u202e")
    running = session_row(session(progress=progress), [])
    assert (running.progress, running.note) == (50, "Searching⟨U+202E⟩")
    assert (running.title, running.agent, running.user) == ("gone", "gone", "usr_1")
    over = session_row(session(progress=progress, status=SessionStatus.COMPLETED), [])
    assert (over.progress, over.note) == (-1, "")


def test_counts_beyond_the_bound_say_so() -> None:
    counts = SessionCounts(
        by_status=dict.fromkeys(SessionStatus, 0) | {SessionStatus.FAILED: 10_001}, capped=True
    )
    shown = {tab.label: tab.count for tab in tabs(SessionsParams(project="p"), counts)}
    assert (shown["All"], shown["failed"], shown["paused"]) == ("10,001+", "10,001+", "0")
