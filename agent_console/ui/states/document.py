"""One context document: the text of a version, with the quoted place marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.context import ContextDocumentDetail
from agent_console.domain.visible import reveal
from agent_console.ui import bridge
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import size_text
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import address
from agent_console.ui.views import Tab, iso, shown

MAX_SHOWN = 200_000  # characters of a document on the page


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A version of a document; ``quote`` is the marked place between ``before`` and ``after``."""

    id: str = ""
    title: str = ""
    media_type: str = ""
    version: str = ""
    size: str = ""
    digest: str = ""
    created_by: str = ""
    created_at: str = ""
    before: str = ""
    quote: str = ""
    after: str = ""
    note: str = ""


class DocumentPage(LiveState, rx.State):
    """The document on the screen."""

    document: DocumentView = DocumentView()
    versions: list[Tab] = []
    title: str = "Context document · agent_console"

    @rx.event(background=True)
    @guarded(Permission.CONTEXT_READ)
    async def watch(self) -> Any:
        """Follow the document in the address."""
        return await follow(self)

    def _ask(self, actor: Actor) -> Ask:
        parts = [part for part in self.router.url.path.split("/") if part]
        wanted = parts[1] if len(parts) > 1 and parts[0] == "context" else ""
        query = self.router.url.query_parameters
        version, span = number(query, "version"), (number(query, "start"), number(query, "end"))
        key = ("document", wanted, version, span)
        subject = f"{wanted} {version}"
        return Ask(key, lambda: _read(actor, wanted, version, span), subject=subject)

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return the whole number that ``query`` has under ``name``, or None."""
    raw = query.get(name, "")
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 10 else None


def _read(
    actor: Actor, document_id: str, version: int | None, span: tuple[int | None, int | None]
) -> dict[str, object]:
    found = bridge.services().context.get(actor, document_id, version=version)
    view = document_view(found, span)
    return {
        "document": view,
        "versions": [
            Tab(
                f"Version {one.version}",
                address(f"/context/{found.document.id}", {"version": str(one.version)}),
                "",
                one.version == found.shown.version,
            )
            for one in found.versions
        ],
        "title": f"{view.title} · agent_console",
    }


def document_view(
    found: ContextDocumentDetail, span: tuple[int | None, int | None]
) -> DocumentView:
    """Return the version that was found, with the place ``span`` (characters) marked."""
    text, (start, end) = found.shown.content, span
    if start is None or end is None or not start < end <= len(text):
        start = end = 0
    # A place far down is shown with what stands around it.
    first = max(0, min(start - MAX_SHOWN // 2, len(text) - MAX_SHOWN))
    last = min(len(text), first + MAX_SHOWN)
    cut = f"Characters {first:,} to {last:,} of {len(text):,}."
    return DocumentView(
        id=found.document.id,
        title=shown(found.document.title, 200),
        media_type=found.document.media_type.value,
        version=f"{found.shown.version} of {found.document.version}",
        size=size_text(found.shown.size),
        digest=found.shown.digest,
        created_by=found.document.created_by_name or "",
        created_at=iso(found.shown.created_at),
        before=reveal(text[first:start]).text if end else "",
        quote=reveal(text[start : min(end, last)]).text,
        after=reveal(text[max(end, first) : last]).text,
        note=cut if last - first < len(text) else "",
    )
