"""One context document: the text of a version, what changed in it, and its next version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.changes import TextChange
from agent_console.domain.context import SHIPPED, ContextDocument, ContextDocumentDetail
from agent_console.domain.visible import reveal
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.components.document_form import MAX_PASTE
from agent_console.ui.components.review_changes import change_views
from agent_console.ui.document_forms import by_field, typed_text
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import size_text
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import address
from agent_console.ui.states.documents import FORMATS
from agent_console.ui.views import Tab, iso, shown

MAX_SHOWN = 200_000  # characters of a document on the page
FIXED = "The document comes with the console and stays as it is."
ARCHIVED = "The document is archived; restore it first."
TOO_LONG = f"Texts of more than {MAX_PASTE:,} characters get their next version over REST."


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A version of a document; ``quote`` is the marked place between ``before`` and ``after``."""

    id: str = ""
    title: str = ""
    format: str = ""
    scope: str = ""
    version: str = ""
    size: str = ""
    digest: str = ""
    created_by: str = ""
    created_at: str = ""
    archived_at: str = ""
    job_id: str = ""
    job_href: str = ""
    use_href: str = ""
    before: str = ""
    quote: str = ""
    after: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class VersionOption:
    """A version to compare with."""

    value: str
    label: str


class DocumentPage(LiveState, rx.State):
    """The document on the screen. ``draft`` is the text that a next version starts from."""

    document: DocumentView = DocumentView()
    versions: list[Tab] = []
    others: list[VersionOption] = []
    against: str = ""
    changes: list[ChangeView] = []
    title: str = "Context document · agent_console"
    editing: bool = False
    draft: str = ""
    draft_title: str = ""
    draft_key: str = ""
    errors: dict[str, str] = {}
    refusal: str = ""
    edit_refusal: str = ""
    delete_refusal: str = ""
    _base: int = 0  # the version the draft was made from

    @rx.event(background=True)
    @guarded(Permission.CONTEXT_READ)
    async def watch(self) -> Any:
        """Follow the document in the address."""
        return await follow(self)

    @rx.event
    @guarded(Permission.CONTEXT_READ)
    def compare(self, against: str) -> Any:
        """Put the version to compare with into the address."""
        query = self.router.url.query_parameters
        values = {"version": query.get("version", ""), "against": str(against)[:10]}
        return rx.redirect(address(f"/context/{self._wanted()}", values))

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def edit(self) -> None:
        """Begin the next version with the text of the latest one."""
        context = bridge.services().context
        found = await bridge.call(context.get, await self._actor(), self._wanted())
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        if len(found.shown.content) > MAX_PASTE:
            await self._tell(bridge.note("warning", TOO_LONG))
            return
        self._base = found.shown.version
        self.draft, self.draft_title = found.shown.content, found.document.title
        self.draft_key, self.errors, self.editing = bridge.request_id(), {}, True

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    def leave(self) -> None:
        """Forget the next version."""
        self.editing, self.draft, self.errors = False, "", {}

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def save(self, form: dict[str, Any]) -> Any:
        """Keep the next version, unless somebody else has kept one meanwhile."""
        made = await bridge.call(
            bridge.services().context.add_version,
            await self._actor(),
            self._wanted(),
            typed_text(form),
            title=str(form.get("title", "")).strip(),
            base_version=self._base or None,
        )
        if isinstance(made, Failure):
            self.errors = by_field(made.fields)
            if not made.fields:
                await self._tell(made.notice)
            return None
        self._leave_draft()
        await self._tell(bridge.note("success", f"Version {made.document.version} is kept."))
        changed = {"version": str(made.document.version), "against": str(self._base)}
        return rx.redirect(address(f"/context/{made.document.id}", changed))

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def archive(self, archived: bool) -> None:
        """Put the document away, or take it out again."""
        context = bridge.services().context
        done = await bridge.call(
            context.archive, await self._actor(), self._wanted(), archived=archived is True
        )
        if isinstance(done, Failure):
            await self._tell(done.notice)
            return
        self._leave_draft()
        said = "It is archived: no new session is offered it." if archived else "It is back."
        await self._tell(bridge.note("success", said))

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def delete(self) -> Any:
        """Delete the document, if no job was ever given it."""
        context = bridge.services().context
        gone = await bridge.call(context.delete, await self._actor(), self._wanted())
        if isinstance(gone, Failure):
            await self._tell(gone.notice)
            return None
        await self._tell(bridge.note("success", "The document is deleted."))
        return rx.redirect("/context")

    def _leave_draft(self) -> None:
        """Close the form of the next version."""
        self._put(editing=False, draft="", errors={})

    def _wanted(self) -> str:
        parts = [part for part in self.router.url.path.split("/") if part]
        return parts[1] if len(parts) > 1 and parts[0] == "context" else ""

    def _ask(self, actor: Actor) -> Ask:
        wanted, query = self._wanted(), self.router.url.query_parameters
        if wanted != self.document.id:
            self._leave_draft()
        allowed = actor.may(Permission.CONTEXT_WRITE)
        own = FIXED if wanted.startswith(SHIPPED) else ""
        self._put(refusal=own if allowed else refusal(Permission.CONTEXT_WRITE))
        version, against = number(query, "version"), number(query, "against")
        span = (number(query, "start"), number(query, "end"))
        key = ("document", wanted, version, against, span)
        subject = f"{wanted} {version} {against}"
        return Ask(key, lambda: _read(actor, wanted, version, against, span), subject=subject)

    def _show(self, answer: Any) -> None:
        view = answer["document"]
        used = f"Job {view.job_id} works from it, so it stays." if view.job_id else ""
        self._put(
            **answer,
            edit_refusal=self.refusal or (ARCHIVED if view.archived_at else ""),
            delete_refusal=self.refusal or used,
        )


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return the whole number that ``query`` has under ``name``, or None."""
    raw = query.get(name, "")
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 10 else None


def _read(
    actor: Actor,
    document_id: str,
    version: int | None,
    against: int | None,
    span: tuple[int | None, int | None],
) -> dict[str, object]:
    context = bridge.services().context
    found = context.get(actor, document_id, version=version)
    view = document_view(found, span)
    other = None if against is None else context.get(actor, document_id, version=against)
    here = f"/context/{found.document.id}"
    return {
        "document": view,
        "versions": [
            Tab(
                f"Version {one.version}",
                address(here, {"version": str(one.version)}),
                "",
                one.version == found.shown.version,
            )
            for one in found.versions
        ],
        "others": [
            VersionOption(str(one.version), f"Changes since version {one.version}")
            for one in found.versions
            if one.version != found.shown.version
        ],
        "against": "" if other is None else str(other.shown.version),
        "changes": [] if other is None else differences(other, found),
        "title": f"{view.title} · agent_console",
    }


def differences(old: ContextDocumentDetail, new: ContextDocumentDetail) -> list[ChangeView]:
    """Return what makes ``new`` of ``old``, two versions of one document."""
    title = f"Version {old.shown.version} → {new.shown.version}"
    change = TextChange(title, old.shown.content, new.shown.content)
    return change_views([change.to_json()])[0]


def document_view(
    found: ContextDocumentDetail, span: tuple[int | None, int | None]
) -> DocumentView:
    """Return the version that was found, with the place ``span`` (characters) marked."""
    document, text, (start, end) = found.document, found.shown.content, span
    if start is None or end is None or not start < end <= len(text):
        start = end = 0
    # A place far down is shown with what stands around it.
    first = max(0, min(start - MAX_SHOWN // 2, len(text) - MAX_SHOWN))
    last = min(len(text), first + MAX_SHOWN)
    cut = f"Characters {first:,} to {last:,} of {len(text):,}."
    return DocumentView(
        **_facts(document),
        version=f"{found.shown.version} of {document.version}",
        size=size_text(found.shown.size),
        digest=found.shown.digest,
        created_at=iso(found.shown.created_at),
        before=reveal(text[first:start]).text if end else "",
        quote=reveal(text[start : min(end, last)]).text,
        after=reveal(text[max(end, first) : last]).text,
        note=cut if last - first < len(text) else "",
    )


def _facts(document: ContextDocument) -> dict[str, str]:
    """Return what is the same for every version."""
    place = {"agent": "research", "documents": document.id, "project": document.project_id or ""}
    return {
        "id": document.id,
        "title": shown(document.title, 200),
        "format": FORMATS[document.media_type],
        "scope": shown(document.project_id or "Every project", 100),
        "created_by": document.created_by_name or "",
        "archived_at": iso(document.archived_at),
        "job_id": document.first_job_id or "",
        "job_href": f"/jobs/{document.first_job_id}" if document.first_job_id else "",
        "use_href": "" if document.archived_at or document.shipped else address("/agents", place),
    }
