"""Sessions by project with their counts, and findings handed from one session to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.domain.access import Actor, Role
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.handover import findings_of, joined, topic_of
from agent_console.domain.jobs import NewJob
from agent_console.domain.sessions import NewSession, SessionStatus, WorkSession
from agent_console.runtime.registry import Registry
from agent_console.store.reads import sessions
from agent_console.testing import drain
from tests.services.conftest import Desk

FOUND = {"id": "F1", "claim": "It begins on Monday.", "quote": "begins on Monday", "confidence": 1}


@handler("research", version="1")
def research(ctx: JobContext) -> dict[str, Any]:
    """Return what the task says was found."""
    return {"topic": ctx.input.get("topic", ""), "findings": ctx.input.get("found")}


@handler("reporting", version="1")
def reporting(ctx: JobContext) -> str:
    """Ask, then finish without findings."""
    ctx.approve("Good?", action="publish")
    return "done"


@handler("noop", version="1")
def noop(_ctx: JobContext) -> None:
    """Do nothing; not an agent."""


REGISTRY = Registry([research, reporting, noop])


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(catalog=REGISTRY)


@pytest.fixture
def asker(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR)


def made(
    desk: Desk,
    asker: Actor,
    found: Any = None,
    *,
    project: str = "p",
    agent: str = "research",
    runs: bool = True,
    **more: Any,
) -> WorkSession:
    """Make a session, by default run as far as it goes."""
    configuration = {"topic": "The pilot", "found": found} if agent == "research" else {}
    new = NewSession(agent_type=agent, task_configuration=configuration, auto_execute=runs, **more)
    session = desk.services.sessions.create(asker, project, new).session
    drain(desk.db, REGISTRY, clock=desk.clock)
    return session


def test_approved_findings_are_handed_on_with_their_documents(desk: Desk, asker: Actor) -> None:
    document = desk.services.context.create(
        asker, NewContextDocument(title="Plan", content="It begins on Monday.")
    ).document
    session = made(
        desk, asker, [FOUND, "noise", {"quote": "x"}], context_document_ids=(document.id,)
    )
    handed = desk.services.sessions.findings(asker, session.id)
    assert handed.findings == (FOUND,)
    assert (handed.topic, handed.project_id) == ("The pilot", "p")
    assert handed.context_document_ids == (document.id,)
    assert handed.completed_at is not None


def test_what_has_no_findings_hands_nothing_on(desk: Desk, asker: Actor) -> None:
    service = desk.services.sessions
    waiting = made(desk, asker, [FOUND], runs=False)
    with pytest.raises(Conflict) as refused:
        service.findings(asker, waiting.id)
    assert refused.value.context["currentStatus"] == "initialized"
    empty = made(desk, asker, [])
    with pytest.raises(Conflict, match="no approved findings"):
        service.findings(asker, empty.id)
    plain = desk.services.jobs.enqueue(asker, NewJob(job_type="noop")).job.id
    for strange in ("job_x", plain):
        with pytest.raises(NotFound):
            service.findings(asker, strange)


def test_a_project_lists_the_sessions_that_have_findings_newest_first(
    desk: Desk, asker: Actor
) -> None:
    first, second = made(desk, asker, [FOUND]), made(desk, asker, [FOUND, FOUND])
    made(desk, asker, [])
    made(desk, asker, [FOUND], project="other")
    made(desk, asker, [FOUND], runs=False)
    listed = desk.services.sessions.with_findings(asker, "p")
    assert [one.session_id for one in listed] == [second.id, first.id]
    assert [len(one.findings) for one in listed] == [2, 1]


def test_sessions_are_counted_by_status(desk: Desk, asker: Actor) -> None:
    for _ in range(2):
        made(desk, asker, [])
    made(desk, asker, agent="reporting")
    made(desk, asker, runs=False)
    made(desk, asker, project="other")
    desk.services.jobs.enqueue(asker, NewJob(job_type="noop", project_id="p"))
    counts = desk.services.sessions.counts(asker, "p")
    assert {status: n for status, n in counts.by_status.items() if n} == {
        SessionStatus.COMPLETED: 2,
        SessionStatus.PENDING_REVIEW: 1,
        SessionStatus.INITIALIZED: 1,
    }
    assert set(counts.by_status) == set(SessionStatus)
    assert counts.capped is False


def test_counting_is_bounded(desk: Desk, asker: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "COUNT_CAP", 2)
    for _ in range(4):
        made(desk, asker, [])
    counts = desk.services.sessions.counts(asker, "p")
    assert counts.capped is True
    assert sum(counts.by_status.values()) == 3


def test_projects_with_sessions_are_listed_the_busiest_lately_first(
    desk: Desk, asker: Actor
) -> None:
    assert desk.services.sessions.projects(asker) == []
    made(desk, asker, project="b", agent="reporting")
    last_of_b = made(desk, asker, project="b", agent="reporting")
    last_of_a = made(desk, asker, project="a")
    desk.services.jobs.enqueue(asker, NewJob(job_type="noop", project_id="no sessions"))
    desk.services.jobs.enqueue(asker, NewJob(job_type="noop"))
    found = desk.services.sessions.projects(asker)
    assert [(one.id, one.pending_review, one.latest_session_id) for one in found] == [
        ("a", 0, last_of_a.id),
        ("b", 2, last_of_b.id),
    ]


def test_joined_findings_have_ids_of_their_own() -> None:
    twice = joined([FOUND, {**FOUND, "claim": "Again."}, {"claim": "No id."}, {"id": "F2"}])
    assert [one["id"] for one in twice] == ["F1", "F2", "F3", "F4"]
    assert twice[1]["claim"] == "Again."


@pytest.mark.parametrize("output", [None, [], "text", {"findings": {}}, {"findings": [1]}])
def test_any_output_may_be_asked_for_findings(output: Any) -> None:
    assert findings_of(output) == ()
    assert topic_of(output, "as asked") == "as asked"
