"""Choosing the documents of a new session: found by title, ticked, or pasted on the spot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.context import MAX_DOCUMENTS, ContextDocument
from agent_console.domain.queries import ContextQuery
from agent_console.ui import bridge
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import size_text
from agent_console.ui.live import LiveState
from agent_console.ui.params import MAX_TEXT
from agent_console.ui.views import iso, shown

OFFERED = 25  # documents that are offered at once; the search finds the others
ID = re.compile(r"doc_[0-9a-f]{32}")
_INPUT = re.compile(r"document:(doc_[0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class DocumentChoice:
    """A context document to work from; ``name`` is its input's."""

    id: str
    name: str
    title: str
    href: str
    note: str
    updated_at: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """The documents that were ticked, those that a search finds, and whether there are more."""

    ticked: Sequence[ContextDocument]
    found: Sequence[ContextDocument]
    more: bool


class DocumentPicker(LiveState, mixin=True):
    """What the form needs to choose documents. Ticks are the browser's until the list changes.

    A ticked document stays in the list whatever is searched for, so that it is sent with the form.
    """

    documents: list[DocumentChoice] = []
    document_q: str = ""
    more_documents: bool = False
    _ticked: tuple[str, ...] = ()

    @rx.event
    @guarded(Permission.CONTEXT_READ)
    async def find_documents(self, text: str) -> None:
        """Offer the documents whose titles have these words, beside those that are ticked."""
        self.document_q = text.strip()[:MAX_TEXT]
        await self._reread(await self._actor())

    @rx.event
    @guarded(Permission.CONTEXT_READ)
    def tick(self, document_id: str, chosen: bool) -> None:
        """Remember a tick, so that another search keeps it; what is on the screen stays."""
        rest = tuple(one for one in self._ticked if one != document_id)
        if not ID.fullmatch(document_id):
            return
        self._ticked = (*rest, document_id)[-MAX_DOCUMENTS:] if chosen else rest

    def _tick_only(self, document_ids: Iterable[str]) -> None:
        """Begin with these documents ticked."""
        known = dict.fromkeys(one for one in document_ids if ID.fullmatch(one))
        self._ticked = tuple(known)[:MAX_DOCUMENTS]

    def _show_documents(self, offer: Offer) -> None:
        names = {one.id for one in offer.found}
        beside = [one for one in offer.ticked if one.id not in names]
        self._put(
            documents=[choice(one, self._ticked) for one in (*beside, *offer.found)],
            more_documents=offer.more,
        )


def offer(actor: Actor, wanted: str, ticked: Sequence[str]) -> Offer:
    """Read what is to be offered; archived documents are for no new session."""
    context = bridge.services().context
    page = context.page(actor, ContextQuery(limit=OFFERED, search=wanted))
    known = [one for one in context.some(actor, ticked) if one.archived_at is None]
    return Offer(ticked=known, found=page.items, more=page.next_cursor is not None)


def choice(document: ContextDocument, ticked: Sequence[str]) -> DocumentChoice:
    """Return the line of the picker for ``document``."""
    notes = [f"version {document.version}", size_text(document.size)]
    if document.project_id:
        notes.append(f"for {shown(document.project_id, 60)}")
    return DocumentChoice(
        id=document.id,
        name=f"document:{document.id}",
        title=shown(document.title, 200),
        href=f"/context/{document.id}",
        note=" · ".join(notes),
        updated_at=iso(document.updated_at),
        chosen=document.id in ticked,
    )


def chosen_documents(form: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the documents that are ticked in ``form``."""
    names = [name for name, value in form.items() if value in (True, "on", "true")]
    return tuple(m[1] for name in names if (m := _INPUT.fullmatch(name)))
