"""Writing context documents: a version is added, never changed; what a job used is kept."""

from __future__ import annotations

from collections.abc import Iterable

from agent_console.domain.access import Actor
from agent_console.domain.context import ContextDocument, NewContextDocument
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.events import Event
from agent_console.domain.payload import digest
from agent_console.store import idempotency, rows
from agent_console.store.job_writes import RequestKey
from agent_console.store.transactions import Row, Tx

ARCHIVED = "The document is archived; restore it before you change it."
LATEST = (
    "SELECT d.*, v.size, v.digest FROM context_documents d JOIN context_document_versions v"
    " ON v.document_id = d.id AND v.version = d.version WHERE d.id = :id"
)


def create(
    tx: Tx, document_id: str, new: NewContextDocument, actor: Actor, key: RequestKey | None
) -> tuple[ContextDocument, bool]:
    """Insert the document with its first version; the flag says that ``key`` was a repetition.

    Raises:
        Conflict: the key was used for a different request.
    """
    original = _claim(tx, key, document_id)
    if original is not None:
        return latest(tx, original), True
    tx.execute(
        "INSERT INTO context_documents (id, title, project_id, media_type, version, created_by,"
        " created_by_name, created_at, updated_at) VALUES (:id, :title, :project_id, :media_type,"
        " 1, :by, :by_name, {now}, {now})",
        {
            "id": document_id,
            "title": new.title,
            "project_id": new.project_id,
            "media_type": new.media_type,
            "by": actor.id,
            "by_name": actor.name or None,
        },
    )
    _insert_version(tx, document_id, 1, new.content, actor)
    made = latest(tx, document_id)
    tx.record(_event("context.created", actor, made))
    return made, False


def add_version(
    tx: Tx,
    document_id: str,
    content: str,
    *,
    title: str | None,
    base_version: int | None,
    actor: Actor,
    key: RequestKey | None,
) -> tuple[ContextDocument, bool]:
    """Add a version, and change the title if one is given; the flag is as in ``create``.

    Raises:
        NotFound: there is no such document.
        Conflict: ``base_version`` is not the latest any more, the document is archived, or the
            key was used otherwise.
    """
    original = _claim(tx, key, document_id)
    if original is not None:
        return latest(tx, original), True
    version, archived_at, _ = _locked(tx, document_id)
    if archived_at is not None:
        raise Conflict(ARCHIVED, currentStatus="archived")
    current = int(version)
    if base_version is not None and base_version != current:
        message = f"The document is at version {current} now; look at it before you change it."
        raise Conflict(message, currentVersion=current)
    tx.execute(
        "UPDATE context_documents SET version = :version, title = coalesce(:title, title),"
        " updated_at = {now} WHERE id = :id",
        {"id": document_id, "version": current + 1, "title": title},
    )
    _insert_version(tx, document_id, current + 1, content, actor)
    made = latest(tx, document_id)
    tx.record(_event("context.versioned", actor, made))
    return made, False


def archive(tx: Tx, document_id: str, actor: Actor, *, archived: bool) -> ContextDocument:
    """Put the document away, or take it out again; doing either twice changes nothing.

    Raises:
        NotFound: there is no such document.
    """
    _, archived_at, _ = _locked(tx, document_id)
    if (archived_at is not None) is archived:
        return latest(tx, document_id)
    tx.execute(
        f"UPDATE context_documents SET archived_at = {'{now}' if archived else 'NULL'}"
        " WHERE id = :id",
        {"id": document_id},
    )
    made = latest(tx, document_id)
    tx.record(_event("context.archived" if archived else "context.restored", actor, made))
    return made


def delete(tx: Tx, document_id: str, actor: Actor) -> None:
    """Delete the document with all its versions.

    Raises:
        NotFound: there is no such document.
        Conflict: a job was told to work from it.
    """
    _, _, job_id = _locked(tx, document_id)
    if job_id is not None:
        message = f"Job {job_id} works from this document, so it stays. Archive it instead."
        raise Conflict(message, currentStatus="used", jobId=job_id)
    tx.record(_event("context.deleted", actor, latest(tx, document_id)))
    for statement in (
        "DELETE FROM context_document_versions WHERE document_id = :id",
        "DELETE FROM context_documents WHERE id = :id",
    ):
        tx.execute(statement, {"id": document_id})


def use(tx: Tx, document_ids: Iterable[str], job_id: str) -> None:
    """Note that ``job_id`` was told to work from these documents: from now on they stay.

    Raises:
        Invalid: one is archived, or has gone since somebody looked.
    """
    # In one order everywhere: two jobs that name the same documents never wait for each other.
    for one in sorted(document_ids):
        tx.execute(
            "UPDATE context_documents SET first_job_id = :job"
            " WHERE id = :id AND first_job_id IS NULL",
            {"id": one, "job": job_id},
        )
        found = tx.row("SELECT archived_at FROM context_documents WHERE id = :id", {"id": one})
        if found is None:
            raise Invalid.field("contextDocumentId", f"there is no context document {one}.")
        if found[0] is not None:
            raise Invalid.field("contextDocumentId", f"context document {one} is archived.")


def _locked(tx: Tx, document_id: str) -> Row:
    """Return version, time of archiving and first job, and keep others from changing them."""
    found = tx.row(
        "SELECT version, archived_at, first_job_id FROM context_documents WHERE id = :id"
        " {for_update}",
        {"id": document_id},
    )
    if found is None:
        raise NotFound(f"There is no context document {document_id}.")
    return found


def latest(tx: Tx, document_id: str) -> ContextDocument:
    """Return the document as this transaction sees it.

    Raises:
        NotFound: there is none.
    """
    found = tx.dicts(LATEST, {"id": document_id})
    if not found:
        raise NotFound(f"There is no context document {document_id}.")
    return rows.context_document(found[0])


def _claim(tx: Tx, key: RequestKey | None, document_id: str) -> str | None:
    if key is None:
        return None
    return idempotency.claim(
        tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=document_id
    )


def _insert_version(tx: Tx, document_id: str, version: int, content: str, actor: Actor) -> None:
    tx.execute(
        "INSERT INTO context_document_versions (document_id, version, content, digest, size,"
        " created_by, created_at) VALUES (:id, :version, :content, :digest, :size, :by, {now})",
        {
            "id": document_id,
            "version": version,
            "content": content,
            "digest": digest(content),
            "size": len(content.encode()),
            "by": actor.id,
        },
    )


def _event(action: str, actor: Actor, made: ContextDocument) -> Event:
    return Event(
        action=action,
        actor=actor,
        subject_id=made.id,
        data={"title": made.title, "version": made.version, "digest": made.digest},
    )
