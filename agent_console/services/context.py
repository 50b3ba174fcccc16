"""Context documents: the texts that agents work from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.context import (
    MAX_CONTENT,
    MAX_DOCUMENTS,
    MAX_TITLE,
    ContextDocument,
    ContextDocumentDetail,
    ContextMediaType,
    NewContextDocument,
)
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.payload import check_json
from agent_console.domain.queries import ContextQuery, known
from agent_console.domain.records import Page
from agent_console.services import job_requests
from agent_console.store import context_writes
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.reads import context

MAX_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The document; ``replayed`` says that the request was a repetition and saved nothing."""

    document: ContextDocument
    replayed: bool


class ContextService:
    """Use cases of context documents. Every method checks the actor's permission itself."""

    def __init__(
        self, db: Database, shipped: Mapping[str, ContextDocumentDetail] | None = None
    ) -> None:
        """Work on ``db``; ``shipped`` are documents that come with the console, by id."""
        self._db = db
        self._shipped = shipped or {}

    def create(
        self, actor: Actor, new: NewContextDocument, *, idempotency_key: str | None = None
    ) -> Saved:
        """Keep a document; with a key, at most one however often the request is repeated.

        Raises:
            Invalid: a field is not acceptable.
            TooLarge: the text is larger than ``MAX_CONTENT`` bytes.
            Conflict: the key was used for a different request.
        """
        authorize(actor, Permission.CONTEXT_WRITE)
        _check_title(new.title)
        _check_content(new.content)
        known(ContextMediaType, new.media_type, "mediaType")
        job_requests.text("projectId", new.project_id, job_requests.MAX_NAME)
        key = job_requests.request_key(actor, "context create", idempotency_key, asdict(new))
        document_id = new_id("doc")
        document, replayed = self._db.write(
            lambda tx: context_writes.create(tx, document_id, new, actor, key)
        )
        return Saved(document=document, replayed=replayed)

    def add_version(
        self,
        actor: Actor,
        document_id: str,
        content: str,
        *,
        title: str | None = None,
        base_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Saved:
        """Keep a new text of the document; the ones before stay readable.

        ``base_version`` is the version the change was made from, if that matters.

        Raises:
            Invalid, TooLarge: as in ``create``.
            NotFound: there is no such document.
            Conflict: ``base_version`` is not the latest any more, the document is archived; or
                as in ``create``.
        """
        authorize(actor, Permission.CONTEXT_WRITE)
        if title is not None:
            _check_title(title)
        _check_content(content)
        body = {"content": content, "title": title, "baseVersion": base_version}
        key = job_requests.request_key(actor, f"context {document_id}", idempotency_key, body)
        document, replayed = self._db.write(
            lambda tx: context_writes.add_version(
                tx,
                document_id,
                content,
                title=title,
                base_version=base_version,
                actor=actor,
                key=key,
            )
        )
        return Saved(document=document, replayed=replayed)

    def archive(self, actor: Actor, document_id: str, *, archived: bool = True) -> ContextDocument:
        """Put the document away, so that no new job is given it, or take it out again.

        Raises:
            NotFound: there is no such document.
        """
        authorize(actor, Permission.CONTEXT_WRITE)
        return self._db.write(
            lambda tx: context_writes.archive(tx, document_id, actor, archived=archived)
        )

    def delete(self, actor: Actor, document_id: str) -> None:
        """Delete a document with all its versions; only one that no job was told to work from.

        Raises:
            NotFound: there is no such document.
            Conflict: a job works or has worked from it; names the first one.
        """
        authorize(actor, Permission.CONTEXT_WRITE)
        self._db.write(lambda tx: context_writes.delete(tx, document_id, actor))

    def some(self, actor: Actor, document_ids: Sequence[str]) -> list[ContextDocument]:
        """Return those of the documents that there are, in the order asked for, without texts.

        Raises:
            Invalid: there are more than ``MAX_DOCUMENTS``, or an id there cannot be.
        """
        authorize(actor, Permission.CONTEXT_READ)
        if len(document_ids) > MAX_DOCUMENTS:
            raise Invalid.field("contextDocumentIds", f"must be at most {MAX_DOCUMENTS} documents.")
        for one in document_ids:
            job_requests.text("contextDocumentId", one, job_requests.MAX_NAME)
        with self._db.read() as reader:
            return context.known(reader, document_ids)

    def page(self, actor: Actor, query: ContextQuery) -> Page[ContextDocument]:
        """Return one page of documents at their latest version, newest first, without texts.

        Raises:
            Invalid: a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.CONTEXT_READ)
        query.check()
        job_requests.text("projectId", query.project_id, job_requests.MAX_NAME)
        job_requests.text("search", query.search, MAX_TITLE)
        with self._db.read() as reader:
            return context.page(reader, query)

    def get(
        self, actor: Actor, document_id: str, *, version: int | None = None
    ) -> ContextDocumentDetail:
        """Return the document with the text of ``version``, by default the latest.

        Documents that come with the console are read like all others, by the ids in quotations.

        Raises:
            NotFound: there is no such document, or no such version of it.
        """
        authorize(actor, Permission.CONTEXT_READ)
        known_here = self._shipped.get(document_id)
        if known_here is not None:
            if version not in {None, known_here.shown.version}:
                raise NotFound(f"Context document {document_id} has no version {version}.")
            return known_here
        with self._db.read() as reader:
            document = context.get(reader, document_id)
            if document is None:
                raise NotFound(f"There is no context document {document_id}.")
            number = document.version if version is None else version
            in_range = 1 <= number <= MAX_VERSION
            shown = context.version(reader, document_id, number) if in_range else None
            if shown is None:
                raise NotFound(f"Context document {document_id} has no version {number}.")
            versions = context.versions(reader, document_id)
        return ContextDocumentDetail(document=document, shown=shown, versions=versions)


def check_usable(db: Database, actor: Actor, document_ids: Sequence[str]) -> None:
    """Refuse a job that would work from documents its requester may not read, or that are not.

    Raises:
        Forbidden: no permission to read documents.
        Invalid: a document does not exist.
    """
    if not document_ids:
        return
    authorize(actor, Permission.CONTEXT_READ)
    for one in document_ids:
        job_requests.text("contextDocumentId", one, job_requests.MAX_NAME)
    with db.read() as reader:
        known_ids = {one.id for one in context.known(reader, document_ids)}
    missing = [one for one in document_ids if one not in known_ids]
    if missing:
        message = f"there is no context document {missing[0]}."
        raise Invalid.field("contextDocumentId", message)


def _check_title(title: str) -> None:
    if not title.strip():
        raise Invalid.field("title", "must not be empty.")
    job_requests.text("title", title, MAX_TITLE)


def _check_content(content: str) -> None:
    if not content.strip():
        raise Invalid.field("content", "must not be empty.")
    check_json(content, "content", limit=MAX_CONTENT)
