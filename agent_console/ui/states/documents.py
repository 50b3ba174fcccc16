"""The context documents: the list with its search, and keeping a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.context import ContextDocument, ContextMediaType
from agent_console.domain.queries import ContextQuery
from agent_console.domain.records import Page
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.document_forms import by_field, new_document
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import size_text
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import MAX_TEXT, PAGE_SIZE, DocumentsParams
from agent_console.ui.views import Tab, iso, shown

FORMATS = {ContextMediaType.MARKDOWN: "Markdown", ContextMediaType.PLAIN: "Plain text"}


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A row of the list; ``scope`` is its project, or that it is for all."""

    id: str
    href: str
    title: str
    format: str
    version: str
    size: str
    scope: str
    by: str
    updated_at: str


class Documents(LiveState, rx.State):
    """The rows on the screen."""

    rows: list[DocumentRow] = []
    tabs: list[Tab] = []
    q: str = ""
    total: str = ""
    newest_href: str = ""
    older_href: str = ""
    clear_href: str = ""
    filtered: bool = False
    archived: bool = False
    refusal: str = ""
    errors: dict[str, str] = {}
    form_key: str = ""

    @rx.event(background=True)
    @guarded(Permission.CONTEXT_READ)
    async def watch(self) -> Any:
        """Follow the list."""
        return await follow(self)

    @rx.event
    @guarded(Permission.CONTEXT_READ)
    def search(self, form: dict[str, Any]) -> Any:
        """Put the typed search into the address."""
        text = str(form.get("q", "")).strip()[:MAX_TEXT]
        return rx.redirect(self._params().url(q=text, cursor=""))

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def add(self, form: dict[str, Any]) -> Any:
        """Keep a document, or say which fields stand in the way."""
        context = bridge.services().context
        made = await bridge.call(context.create, await self._actor(), new_document(form))
        if isinstance(made, Failure):
            self.errors = by_field(made.fields)
            if not made.fields:
                await self._tell(made.notice)
            return None
        self.errors, self.form_key = {}, bridge.request_id()
        await self._tell(bridge.note("success", "The document is kept."))
        return rx.redirect(f"/context/{made.document.id}")

    def _params(self) -> DocumentsParams:
        return DocumentsParams.parse(self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        allowed = actor.may(Permission.CONTEXT_WRITE)
        self._put(refusal="" if allowed else refusal(Permission.CONTEXT_WRITE))
        return Ask(("documents", params), lambda: _read(actor, params))

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read(actor: Actor, params: DocumentsParams) -> dict[str, object]:
    asked = ContextQuery(
        search=params.q,
        archived=bool(params.shelf),
        cursor=params.cursor or None,
        limit=PAGE_SIZE,
    )
    page = bridge.services().context.page(actor, asked)
    return {
        "rows": [document_row(one) for one in page.items],
        "tabs": [
            Tab("Offered", params.url(shelf="", cursor=""), "", not params.shelf),
            Tab("Archived", params.url(shelf="archived", cursor=""), "", bool(params.shelf)),
        ],
        "q": params.q,
        "total": _total(page),
        "newest_href": params.url(cursor="") if params.cursor else "",
        "older_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
        "clear_href": params.url(q="", cursor=""),
        "filtered": bool(params.q),
        "archived": bool(params.shelf),
    }


def document_row(document: ContextDocument) -> DocumentRow:
    """Return the row for ``document``."""
    return DocumentRow(
        id=document.id,
        href=f"/context/{document.id}",
        title=shown(document.title, 200),
        format=FORMATS[document.media_type],
        version=f"version {document.version}",
        size=size_text(document.size),
        scope=shown(document.project_id or "every project", 100),
        by=document.created_by_name or "",
        updated_at=iso(document.updated_at),
    )


def _total(page: Page[ContextDocument]) -> str:
    if page.total is None:
        return ""
    number = f"{page.total:,}{'+' if page.total_capped else ''}"
    return f"{number} document" if page.total == 1 else f"{number} documents"
