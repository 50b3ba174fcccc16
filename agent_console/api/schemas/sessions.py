"""Wire models of work sessions and configuration templates."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictStr, StringConstraints

from agent_console.api.schemas.base import (
    In,
    Instant,
    JsonOut,
    Out,
    Pagination,
    Success,
    attributes,
    example,
)
from agent_console.api.schemas.checkpoints import CheckpointOut
from agent_console.api.schemas.jobs import ApprovalStrategy, JobErrorOut, ProgressOut
from agent_console.domain.context import MAX_DOCUMENTS
from agent_console.domain.jobs import JobStatus
from agent_console.domain.sessions import NewSession, NewTemplate, SessionStatus, WorkSession
from agent_console.services.sessions import SessionDetail

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_JsonObject = dict[str, Any]


class NewSessionIn(In):
    """What an agent shall do. ``taskConfiguration`` is checked against the agent's own schema."""

    model_config = example(
        agentType="research",
        taskDescription="What does the pilot need before it starts?",
        taskConfiguration={
            "topic": "The pilot",
            "questions": ["What does the pilot need before it starts?"],
        },
        approvalStrategy="checkpoint_required",
        autoExecute=False,
    )

    agent_type: _Name
    task_description: Annotated[StrictStr, StringConstraints(max_length=4_000)] = ""
    task_configuration: _JsonObject = Field(default_factory=dict)
    context_document_id: _Name | None = None
    context_document_ids: Annotated[
        list[_Name],
        Field(
            max_length=MAX_DOCUMENTS,
            description="More documents it may work from, beside contextDocumentId.",
        ),
    ] = Field(default_factory=list)
    approval_strategy: ApprovalStrategy = ApprovalStrategy.CHECKPOINT_REQUIRED
    workspace_id: _Name | None = None
    basket_id: _Name | None = None
    metadata: _JsonObject = Field(default_factory=dict)
    auto_execute: StrictBool = Field(
        False, description="True: it starts by itself; false: it waits, initialized, for execute."
    )

    def to_new_session(self) -> NewSession:
        """Return the domain's value."""
        first = () if self.context_document_id is None else (self.context_document_id,)
        return NewSession(
            agent_type=self.agent_type,
            task_description=self.task_description,
            task_configuration=self.task_configuration,
            context_document_ids=(*first, *self.context_document_ids),
            approval_strategy=self.approval_strategy.value,
            workspace_id=self.workspace_id,
            basket_id=self.basket_id,
            metadata=self.metadata,
            auto_execute=self.auto_execute,
        )


class SessionOut(Out):
    """A work session; ``id`` is its job's id, ``status`` a view of ``jobStatus``."""

    id: str
    project_id: str
    agent_type: str
    status: SessionStatus
    job_status: JobStatus
    task_description: str
    task_configuration: JsonOut
    context_document_id: str | None
    context_document_ids: list[str]
    approval_strategy: str | None
    workspace_id: str | None
    basket_id: str | None
    user_id: str | None
    user_name: str | None
    attempts: int
    progress: ProgressOut | None
    error: JobErrorOut | None
    park_reason: str | None
    artifacts_count: int
    pending_checkpoints: int
    has_findings: bool = Field(
        description="It is completed, and the findings in its output can be handed on."
    )
    metadata: JsonOut
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None

    @classmethod
    def of(cls, session: WorkSession) -> SessionOut:
        """Return the wire form of ``session``."""
        return cls(**_members(session))


class SessionDetailOut(SessionOut):
    """A session with its checkpoints, oldest first, payloads included."""

    checkpoints: list[CheckpointOut]

    @classmethod
    def of_detail(cls, detail: SessionDetail) -> SessionDetailOut:
        """Return the wire form of ``detail``."""
        made = [CheckpointOut.of(one) for one in detail.checkpoints]
        return cls(**_members(detail.session), checkpoints=made)


def _members(session: WorkSession) -> dict[str, Any]:
    ids = session.context_document_ids
    return {**attributes(session), "context_document_id": ids[0] if ids else None}


class SessionAnswer(Success):
    """One session."""

    session: SessionOut


class SessionDetailAnswer(Success):
    """One session with its checkpoints."""

    session: SessionDetailOut


class SessionPage(Success):
    """A page of a project's sessions, newest first."""

    sessions: list[SessionOut]
    pagination: Pagination


class ProjectOut(Out):
    """A project that has sessions; ``pendingReview`` of them wait for a decision."""

    id: str
    pending_review: int
    latest_session_id: str
    latest_at: Instant


class ProjectsAnswer(Success):
    """The projects that have sessions, the one with the newest session first."""

    projects: list[ProjectOut]


class NewTemplateIn(In):
    """A task configuration to keep; fields a session needs may still be missing."""

    model_config = example(
        name="Thorough", agentType="research", taskConfiguration={"maxFindings": 12}
    )

    name: Annotated[StrictStr, StringConstraints(max_length=200, pattern=r"\S")]
    agent_type: _Name
    task_configuration: _JsonObject = Field(default_factory=dict)
    approval_strategy: ApprovalStrategy | None = None

    def to_new_template(self) -> NewTemplate:
        """Return the domain's value."""
        return NewTemplate(
            name=self.name,
            agent_type=self.agent_type,
            task_configuration=self.task_configuration,
            approval_strategy=self.approval_strategy and self.approval_strategy.value,
        )


class TemplateOut(Out):
    """A configuration of yours that you keep to use again."""

    id: str
    name: str
    agent_type: str
    task_configuration: JsonOut
    approval_strategy: str | None
    owner_id: str
    created_at: Instant


class TemplateAnswer(Success):
    """One template."""

    template: TemplateOut


class TemplatesAnswer(Success):
    """Your templates, by agent and name."""

    templates: list[TemplateOut]
