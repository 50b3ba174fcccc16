"""Wire models of context documents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, StringConstraints

from agent_console.api.schemas.base import (
    In,
    Instant,
    Out,
    Pagination,
    Success,
    attributes,
    example,
)
from agent_console.domain.context import (
    MAX_TITLE,
    ContextDocumentDetail,
    ContextMediaType,
    NewContextDocument,
)

_Title = Annotated[StrictStr, StringConstraints(max_length=MAX_TITLE, pattern=r"\S")]
_Content = Annotated[StrictStr, StringConstraints(pattern=r"\S")]


class NewContextDocumentIn(In):
    """A text for agents to work from; without ``projectId`` it is for every project."""

    model_config = example(
        title="Rollout plan", content="# Rollout\n\nThe pilot starts with two sites."
    )

    title: _Title
    content: _Content
    media_type: ContextMediaType = ContextMediaType.MARKDOWN
    project_id: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)] | None = None

    def to_new_document(self) -> NewContextDocument:
        """Return the domain's value."""
        return NewContextDocument(
            title=self.title,
            content=self.content,
            media_type=self.media_type.value,
            project_id=self.project_id,
        )


class NewContextVersionIn(In):
    """A new text of a document.

    ``baseVersion`` is the version you changed: if it is not the latest any more, nothing is saved.
    """

    model_config = example(content="# Rollout\n\nThe pilot starts with three sites.", baseVersion=1)

    content: _Content
    title: _Title | None = None
    base_version: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None


class ContextActionIn(In):
    """What to do with a document: ``archive`` puts it away, ``restore`` takes it out again."""

    model_config = example(action="archive")

    action: Literal["archive", "restore"]


class ContextDocumentOut(Out):
    """A document; ``version``, ``size`` (bytes of UTF-8) and ``digest`` (SHA-256) go together.

    An archived one is offered to no new job; one that a job was given (``firstJobId``) is kept.
    """

    id: str
    title: str
    project_id: str | None
    media_type: ContextMediaType
    version: int
    size: int
    digest: str
    created_by: str | None
    created_by_name: str | None
    created_at: Instant
    updated_at: Instant
    archived_at: Instant | None
    first_job_id: str | None


class ContextVersionOut(Out):
    """A version of a document, without its text."""

    version: int
    size: int
    digest: str
    created_by: str | None
    created_at: Instant


class ContextDocumentDetailOut(ContextDocumentOut):
    """A document with the text of one version, and its newest versions, newest first."""

    latest_version: int
    content: str
    versions: list[ContextVersionOut]

    @classmethod
    def of(cls, detail: ContextDocumentDetail) -> ContextDocumentDetailOut:
        """Return the wire form of ``detail``."""
        shown = detail.shown
        document = attributes(detail.document)
        return cls(
            **document | {"version": shown.version, "size": shown.size, "digest": shown.digest},
            latest_version=detail.document.version,
            content=shown.content,
            versions=[ContextVersionOut.model_validate(one) for one in detail.versions],
        )


class ContextDocumentAnswer(Success):
    """One document as it was saved."""

    document: ContextDocumentOut


class ContextDocumentDetailAnswer(Success):
    """One document with a text of it."""

    document: ContextDocumentDetailOut


class ContextDocumentPage(Success):
    """A page of documents, newest first."""

    documents: list[ContextDocumentOut]
    pagination: Pagination
