"""Context documents: the texts that agents work from, and the passages found in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

MAX_CONTENT = 1_000_000  # bytes of UTF-8: with its JSON around it, below the largest request
MAX_TITLE = 200  # characters
SHIPPED = "library:"  # what the ids of documents that come with the console begin with
MAX_DOCUMENTS = 50  # one session may be given


class ContextMediaType(StrEnum):
    """What kind of text a document is."""

    PLAIN = "text/plain"
    MARKDOWN = "text/markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContextDocument:
    """A document to keep; ``project_id`` None: for every project."""

    title: str
    content: str
    media_type: str = ContextMediaType.MARKDOWN.value
    project_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDocument:
    """A document as it is listed: its latest version, without the text.

    ``size`` is bytes of UTF-8, ``digest`` the SHA-256 of the text. An archived document is read
    by the jobs that have it and offered to no new one. ``first_job_id`` is the first job that was
    told to work from it: a document with one is never deleted.
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
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    first_job_id: str | None

    @property
    def shipped(self) -> bool:
        """Say whether it comes with the console: it is read and quoted, and never changed."""
        return self.id.startswith(SHIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDocumentVersion:
    """One text a document has had; ``content`` is empty where versions are listed."""

    document_id: str
    version: int
    size: int
    digest: str
    created_by: str | None
    created_at: datetime
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDocumentDetail:
    """A document with the text of one version, and the versions there are, newest first.

    ``document`` tells of the latest version, ``shown`` of the one whose text this is.
    """

    document: ContextDocument
    shown: ContextDocumentVersion
    versions: Sequence[ContextDocumentVersion]


def shipped_document(
    document_id: str, title: str, text: str, *, version: int, at: datetime
) -> ContextDocumentDetail:
    """Return a document that comes with the console: to be read, never changed or given away."""
    data = text.encode()
    size, digest = len(data), hashlib.sha256(data).hexdigest()
    shown = ContextDocumentVersion(
        document_id=document_id,
        version=version,
        size=size,
        digest=digest,
        created_by=None,
        created_at=at,
        content=text,
    )
    document = ContextDocument(
        id=document_id,
        title=title,
        project_id=None,
        media_type=ContextMediaType.MARKDOWN,
        version=version,
        size=size,
        digest=digest,
        created_by=None,
        created_by_name="agent_console",
        created_at=at,
        updated_at=at,
        archived_at=None,
        first_job_id=None,
    )
    return ContextDocumentDetail(
        document=document, shown=shown, versions=[replace(shown, content="")]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document: characters ``start`` to ``end`` of that version's text.

    ``score`` is the retriever's own: higher fits better, comparable within one search only.
    """

    document_id: str
    version: int
    title: str
    start: int
    end: int
    text: str
    score: float
