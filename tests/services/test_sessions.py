from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from agent_console.domain.jobs import JobStatus, JobVerb, NewJob
from agent_console.domain.queries import SessionQuery
from agent_console.domain.records import Page
from agent_console.domain.sessions import NewSession, SessionStatus, WorkSession
from agent_console.runtime.registry import Registry
from agent_console.services.sessions import SessionService
from agent_console.store.finishes import finish
from agent_console.testing import drain
from tests.services.conftest import Desk
from tests.support.agents import agents
from tests.support.runs import claim_one, end, journal

ASK = NewSession(
    agent_type="research",
    task_description="Where does the pilot start?",
    task_configuration={"question": "Where?"},
)
WRITE = NewSession(agent_type="content")
REPORT = NewSession(agent_type="reporting")
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="Too thin.")


@dataclass
class Project:
    """A project with somebody who asks and somebody who decides."""

    desk: Desk
    catalog: Registry
    asker: Actor
    reviewer: Actor
    id: str = "rollout"

    @property
    def sessions(self) -> SessionService:
        return self.desk.services.sessions

    def create(self, new: NewSession = ASK, **changes: Any) -> WorkSession:
        return self.sessions.create(self.asker, self.id, replace(new, **changes)).session

    def started(self, new: NewSession = ASK, **changes: Any) -> WorkSession:
        """Make a session that starts by itself, and run it as far as it goes."""
        made = self.create(new, auto_execute=True, **changes)
        self.run()
        return self.session(made.id)

    def session(self, session_id: str) -> WorkSession:
        return self.sessions.get(self.asker, self.id, session_id).session

    def execute(self, session_id: str) -> WorkSession:
        return self.sessions.execute(self.asker, self.id, session_id)

    def checkpoint(self, session_id: str) -> str:
        (one,) = self.sessions.get(self.asker, self.id, session_id).checkpoints
        return one.id

    def decide(self, session_id: str, verdict: Verdict = APPROVE) -> None:
        checkpoint_id = self.checkpoint(session_id)
        self.sessions.decide(self.reviewer, self.id, session_id, checkpoint_id, verdict)

    def run(self) -> int:
        """Run what is due; return the number of runs."""
        return drain(self.desk.db, self.catalog, clock=self.desk.clock, limit=5_000)

    def control(self, session_id: str, action: Any) -> None:
        self.desk.services.jobs.control(self.asker, session_id, action)


@pytest.fixture
def project(make_desk: Callable[..., Desk]) -> Project:
    catalog = agents()
    desk = make_desk(catalog=catalog)
    return Project(desk, catalog, desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER))


def test_a_session_waits_for_execute_with_all_it_was_given(project: Project) -> None:
    made = project.create(workspace_id="ws_1", basket_id="b_1", metadata={"team": "field"})
    assert made == project.session(made.id)
    assert made.id.startswith("job_")
    assert (made.status, made.job_status) == (SessionStatus.INITIALIZED, JobStatus.INITIALIZED)
    assert (made.project_id, made.agent_type) == ("rollout", "research")
    assert made.task_configuration == {"question": "Where?", "maxFindings": 5}
    assert made.approval_strategy == "checkpoint_required"
    assert (made.workspace_id, made.basket_id) == ("ws_1", "b_1")
    assert made.metadata == {"team": "field", "workspaceId": "ws_1", "basketId": "b_1"}
    assert (made.user_id, made.user_name) == (project.asker.id, "operator")
    assert (made.artifacts_count, made.pending_checkpoints) == (0, 0)
    assert made.context_document_ids == ()
    assert project.run() == 0
    job = project.desk.services.jobs.get(project.asker, made.id).job
    assert job.input_data == job.task_configuration == made.task_configuration
    assert journal(project.desk.db, made.id) == [("job.created", None, "INITIALIZED")]


def test_execute_review_and_resume_to_the_end(project: Project) -> None:
    made = project.create()
    assert project.execute(made.id).status is SessionStatus.IN_PROGRESS
    assert project.run() == 1
    waiting = project.session(made.id)
    assert waiting.status is SessionStatus.PENDING_REVIEW
    assert (waiting.pending_checkpoints, waiting.artifacts_count) == (1, 0)
    project.decide(made.id)
    assert project.session(made.id).status is SessionStatus.IN_PROGRESS
    assert project.run() == 1
    done = project.session(made.id)
    assert done.status is SessionStatus.COMPLETED
    assert (done.pending_checkpoints, done.artifacts_count) == (0, 1)
    assert done.completed_at is not None
    decided = [e for e in journal(project.desk.db, made.id) if e[0].startswith("checkpoint")]
    assert decided == [
        ("checkpoint.created", None, "PENDING"),
        ("checkpoint.approved", "PENDING", "APPROVED"),
    ]


def test_a_session_may_start_by_itself(project: Project) -> None:
    made = project.create(REPORT, auto_execute=True)
    assert made.status is SessionStatus.IN_PROGRESS
    assert project.run() == 1
    assert project.session(made.id).status is SessionStatus.COMPLETED


def test_a_rejected_session_fails_with_the_reason(project: Project) -> None:
    waiting = project.started()
    project.decide(waiting.id, REJECT)
    project.run()
    failed = project.session(waiting.id)
    assert failed.status is SessionStatus.FAILED
    assert failed.error is not None
    assert "Too thin." in failed.error.message


def test_execute_is_refused_by_name_unless_initialized_or_paused(project: Project) -> None:
    running = project.create(auto_execute=True)
    with pytest.raises(Conflict) as refused:
        project.execute(running.id)
    assert refused.value.context["currentStatus"] == "in_progress"
    project.run()
    canceled = project.create()
    project.control(canceled.id, "cancel")
    others = {
        "pending_review": running.id,
        "canceled": canceled.id,
        "completed": project.started(REPORT).id,
        "failed": project.started(WRITE).id,
    }
    for status, session_id in others.items():
        with pytest.raises(Conflict, match=status) as refused:
            project.execute(session_id)
        assert refused.value.context["currentStatus"] == status


def test_a_paused_session_goes_on_where_it_was_held(project: Project) -> None:
    queued, waiting = project.create(auto_execute=True), project.create(auto_execute=True)
    project.control(queued.id, "pause")
    assert project.run() == 1
    project.control(waiting.id, "pause")
    for session_id in (queued.id, waiting.id):
        assert project.session(session_id).status is SessionStatus.PAUSED
    assert project.execute(queued.id).status is SessionStatus.IN_PROGRESS
    assert project.execute(waiting.id).status is SessionStatus.PENDING_REVIEW
    project.decide(waiting.id)
    assert project.run() == 2
    assert project.session(waiting.id).status is SessionStatus.COMPLETED


def test_a_parked_session_is_paused_with_its_reason_and_can_be_executed(project: Project) -> None:
    made = project.create(REPORT, auto_execute=True)
    key = claim_one(project.desk.db).key
    finish(project.desk.db, [end(key, JobVerb.PARK, park_reason="its handler is gone")])
    parked = project.session(made.id)
    assert (parked.status, parked.job_status) == (SessionStatus.PAUSED, JobStatus.PARKED)
    assert parked.park_reason == "its handler is gone"
    assert project.execute(made.id).status is SessionStatus.IN_PROGRESS
    project.run()
    assert project.session(made.id).status is SessionStatus.COMPLETED


def test_a_session_of_another_project_is_not_there(project: Project) -> None:
    mine = project.started()
    checkpoint_id = project.checkpoint(mine.id)
    other = replace(project, id="other")
    for act in (other.session, other.execute):
        with pytest.raises(NotFound, match="in project other"):
            act(mine.id)
    with pytest.raises(NotFound):
        project.sessions.decide(project.reviewer, "other", mine.id, checkpoint_id, APPROVE)
    assert other.sessions.page(project.asker, "other", SessionQuery()).items == []
    assert project.session(mine.id).status is SessionStatus.PENDING_REVIEW


def test_a_checkpoint_of_another_session_is_not_there(project: Project) -> None:
    mine, other = project.started(), project.started()
    with pytest.raises(NotFound, match="has no checkpoint"):
        project.sessions.decide(
            project.reviewer, project.id, mine.id, project.checkpoint(other.id), APPROVE
        )
    assert project.session(other.id).status is SessionStatus.PENDING_REVIEW


def test_a_job_that_is_no_agents_is_no_session(project: Project) -> None:
    job = NewJob(job_type="noop", project_id=project.id)
    job_id = project.desk.services.jobs.enqueue(project.asker, job).job.id
    with pytest.raises(NotFound):
        project.session(job_id)
    assert project.sessions.page(project.asker, project.id, SessionQuery()).total == 0
    assert [one.job_type for one in project.sessions.agents(project.asker)] == [
        "content",
        "reporting",
        "research",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"task_configuration": {}}, "taskConfiguration.question"),
        ({"task_configuration": {"question": ""}}, "taskConfiguration.question"),
        ({"task_configuration": {"question": "?", "depth": 1}}, "taskConfiguration.depth"),
        ({"task_configuration": {"question": "\x00"}}, "taskConfiguration.question"),
        ({"agent_type": "noop"}, "agentType"),
        ({"agent_type": "unheard-of"}, "agentType"),
        ({"approval_strategy": "never"}, "approvalStrategy"),
        ({"task_description": "x" * 4001}, "taskDescription"),
        ({"workspace_id": "x" * 201}, "workspaceId"),
        ({"basket_id": "\ud800"}, "basketId"),
        ({"metadata": {"a": float("inf")}}, "metadata.a"),
        ({"context_document_ids": ("doc_x",)}, "contextDocumentId"),
        ({"context_document_ids": ("x" * 201,)}, "contextDocumentId"),
        ({"context_document_ids": tuple(map(str, range(51)))}, "contextDocumentIds"),
    ],
)
def test_what_an_agent_cannot_do_is_refused_by_field(
    project: Project, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        project.create(**changes)
    assert refused.value.fields[0].field == field
    assert project.sessions.page(project.asker, project.id, SessionQuery()).total == 0


@pytest.mark.parametrize("project_id", ["", " ", "x" * 201, "\x00"])
def test_a_session_needs_a_project(project: Project, project_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        project.sessions.create(project.asker, project_id, ASK)
    assert refused.value.fields[0].field == "projectId"


def test_a_configuration_has_a_greatest_size(project: Project) -> None:
    with pytest.raises(TooLarge) as refused:
        project.create(task_configuration={"question": "x" * 2_000_000})
    assert refused.value.context["field"] == "taskConfiguration"


def test_a_session_is_given_the_documents_it_may_read(project: Project) -> None:
    admin = project.desk.actor(Role.ADMIN)
    one, two = (
        project.desk.services.context.create(
            admin, NewContextDocument(title=title, content=title)
        ).document.id
        for title in ("one", "two")
    )
    alone = project.create(context_document_ids=(two,))
    assert alone.context_document_ids == (two,)
    assert alone.metadata == {}
    both = project.create(context_document_ids=(two, one, two), metadata={"contextDocumentIds": 1})
    assert both.context_document_ids == (two, one)
    token = project.desk.services.access.create_token(
        admin, "admin@example.com", name="narrow", scopes=["jobs:create"]
    ).token
    narrow = project.desk.services.access.actor_for_token(token)
    assert narrow is not None
    with pytest.raises(Forbidden) as refused:
        project.sessions.create(narrow, project.id, replace(ASK, context_document_ids=(one,)))
    assert refused.value.context["requiredPermission"] == "context:read"


def test_a_repeated_request_makes_one_session(project: Project) -> None:
    create = project.sessions.create
    first = create(project.asker, project.id, ASK, idempotency_key="k1")
    again = create(project.asker, project.id, ASK, idempotency_key="k1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.session == first.session
    for project_id, new in ((project.id, WRITE), ("other", ASK)):
        with pytest.raises(Conflict, match="different request"):
            create(project.asker, project_id, new, idempotency_key="k1")


def test_who_asked_may_not_decide_alone(project: Project) -> None:
    admin = project.desk.actor(Role.ADMIN)
    own = project.sessions.create(admin, project.id, replace(ASK, auto_execute=True)).session
    project.run()
    with pytest.raises(Forbidden, match="somebody else"):
        project.sessions.decide(admin, project.id, own.id, project.checkpoint(own.id), APPROVE)
    project.decide(own.id)
    with pytest.raises(Conflict) as late:
        project.decide(own.id)
    assert late.value.context["decidedBy"] == "reviewer"


def test_sessions_are_listed_by_status_and_agent(project: Project) -> None:
    waiting, done = project.started(), project.started(REPORT)
    new = project.create()
    project.create(WRITE, auto_execute=True)

    def found(**query: Any) -> list[str]:
        page = project.sessions.page(project.asker, project.id, SessionQuery(**query))
        assert page.total == len(page.items)
        return [one.id for one in page.items]

    assert len(found()) == 4
    assert found(status="pending_review") == [waiting.id]
    assert found(status="completed") == [done.id]
    assert found(agent_type="research") == [new.id, waiting.id]
    assert found(agent_type="research", status="initialized") == [new.id]
    assert found(agent_type="unheard-of") == []
    with pytest.raises(Invalid, match="pending_review"):
        found(status="WAITING")


def test_pages_stay_put_while_sessions_arrive(project: Project) -> None:
    ids = [project.create().id for _ in range(5)]

    def read(cursor: str | None) -> Page[WorkSession]:
        query = SessionQuery(limit=2, cursor=cursor)
        page = project.sessions.page(project.asker, project.id, query)
        project.create()
        return page

    pages = [read(None)]
    while pages[-1].next_cursor is not None:
        pages.append(read(pages[-1].next_cursor))
    assert [one.id for page in pages for one in page.items] == sorted(ids, reverse=True)


@pytest.mark.slow
def test_a_thousand_sessions_in_review_cost_no_thread(project: Project) -> None:
    project.started()  # whatever is started once is running now
    before = threading.active_count()
    for _ in range(999):
        project.create(auto_execute=True)
    assert project.run() == 999
    assert threading.active_count() == before
    query = SessionQuery(status="pending_review", limit=1)
    assert project.sessions.page(project.asker, project.id, query).total == 1_000
    assert project.started(REPORT).status is SessionStatus.COMPLETED
