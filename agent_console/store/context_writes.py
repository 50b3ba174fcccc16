"""Writing context documents: a version is added, never changed."""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.context import ContextDocument, NewContextDocument
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.payload import digest
from agent_console.store import idempotency, rows
from agent_console.store.job_writes import RequestKey
from agent_console.store.transactions import Tx

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
        Conflict: ``base_version`` is not the latest any more, or the key was used otherwise.
    """
    original = _claim(tx, key, document_id)
    if original is not None:
        return latest(tx, original), True
    found = tx.row(
        "SELECT version FROM context_documents WHERE id = :id {for_update}", {"id": document_id}
    )
    if found is None:
        raise NotFound(f"There is no context document {document_id}.")
    current = int(found[0])
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
