"""The context envelope: which documents, in which version, a job works from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, digest
from agent_console.domain.sessions import context_ids
from agent_console.runtime.entries import JobFacts
from agent_console.runtime.errors import Diverged
from agent_console.runtime.library import ContextLibrary, ContextText
from agent_console.store import envelopes
from agent_console.store.database import Database

STEP = "context"  # the name of the step that records the envelope


def document_ids(job: JobFacts) -> tuple[str, ...]:
    """Return the ids of the job's documents: those that its requester was allowed to use."""
    metadata = job.metadata if isinstance(job.metadata, dict) else {}
    return context_ids(job.context_document_id, metadata)


def pin(db: Database, ids: Sequence[str]) -> dict[str, Json]:
    """Return the envelope of the documents' latest versions, with its own digest.

    Raises:
        Invalid: there is no such document.
    """
    found = envelopes.latest(db, ids)
    for each, pinned in zip(ids, found, strict=True):
        if pinned is None:
            raise Invalid.field("contextDocumentId", f"there is no context document {each}")
    documents: list[Json] = [asdict(pinned) for pinned in found if pinned is not None]
    return {"documents": documents, "digest": digest(canonical(documents))}


def open_library(db: Database, envelope: Json) -> ContextLibrary:
    """Return the library of a recorded ``envelope``.

    Raises:
        Diverged: a text is gone, or is not the one that was pinned.
    """
    recorded = cast("Mapping[str, Any]", envelope)
    pins: list[dict[str, Any]] = recorded["documents"]
    texts = envelopes.texts(db, [(each["id"], each["version"]) for each in pins])
    documents = [_document(each, text) for each, text in zip(pins, texts, strict=True)]
    return ContextLibrary(documents, recorded["digest"])


def _document(pinned: Mapping[str, Any], content: str | None) -> ContextText:
    if content is None or digest(content) != pinned["digest"]:
        state = "is gone" if content is None else "is not the one this job began with"
        raise Diverged(
            f"The text of context document {pinned['id']}, version {pinned['version']}, {state}."
        )
    return ContextText(
        id=pinned["id"],
        version=pinned["version"],
        title=pinned["title"],
        media_type=pinned["media_type"],
        digest=pinned["digest"],
        content=content,
    )
