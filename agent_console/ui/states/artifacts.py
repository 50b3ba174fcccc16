"""The artifacts: the list with its tabs and search, and one artifact on a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.records import Artifact, ArtifactType, Page
from agent_console.domain.versions import round_of
from agent_console.ui import bridge
from agent_console.ui.artifact_views import (
    ICONS,
    PLURALS,
    WORDS,
    ArtifactBody,
    ArtifactFacts,
    artifact_body,
    artifact_facts,
)
from agent_console.ui.guard import guarded
from agent_console.ui.job_views import size_text
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import MAX_TEXT, PAGE_SIZE, ArtifactsParams
from agent_console.ui.version_views import VersionsView, versions_view
from agent_console.ui.views import Tab, iso, shown


@dataclass(frozen=True, slots=True)
class ListedArtifact:
    """A row of the list; ``download`` is the address of the content, ``round`` says which."""

    id: str
    href: str
    name: str
    word: str
    icon: str
    size: str
    media_type: str
    job_id: str
    job_name: str
    job_href: str
    download: str
    created_at: str
    round: str


class Artifacts(LiveState, rx.State):
    """The rows on the screen."""

    rows: list[ListedArtifact] = []
    tabs: list[Tab] = []
    q: str = ""
    job: str = ""
    total: str = ""
    newest_href: str = ""
    older_href: str = ""
    all_jobs_href: str = ""
    filtered: bool = False

    @rx.event(background=True)
    @guarded(Permission.ARTIFACTS_READ)
    async def watch(self) -> Any:
        """Follow the list."""
        return await follow(self)

    @rx.event
    @guarded(Permission.ARTIFACTS_READ)
    def search(self, form: dict[str, Any]) -> Any:
        """Put the typed search into the address."""
        text = str(form.get("q", "")).strip()[:MAX_TEXT]
        return rx.redirect(self._params().url(q=text, cursor=""))

    def _params(self) -> ArtifactsParams:
        return ArtifactsParams.parse(self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        return Ask(("artifacts", params), lambda: _read(actor, params))

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read(actor: Actor, params: ArtifactsParams) -> dict[str, object]:
    page = bridge.services().artifacts.page(
        actor,
        job_id=params.job or None,
        artifact_type=params.kind or None,
        search=params.q,
        cursor=params.cursor or None,
        limit=PAGE_SIZE,
    )
    names = bridge.services().jobs.names(actor, {one.job_id for one in page.items})
    return {
        "rows": [_row(one, names.get(one.job_id, one.job_id)) for one in page.items],
        "tabs": _tabs(params),
        "q": params.q,
        "job": params.job,
        "total": _total(page),
        "newest_href": params.url(cursor="") if params.cursor else "",
        "older_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
        "all_jobs_href": params.url(job="", cursor=""),
        "filtered": bool(params.q or params.kind or params.job),
    }


def _row(artifact: Artifact, job_name: str) -> ListedArtifact:
    number = round_of(artifact.metadata)
    return ListedArtifact(
        id=artifact.id,
        href=f"/artifacts/{artifact.id}",
        name=shown(artifact.name, 200),
        word=WORDS[artifact.artifact_type],
        icon=ICONS[artifact.artifact_type],
        size=size_text(artifact.size),
        media_type=shown(artifact.media_type, 60),
        job_id=artifact.job_id,
        job_name=shown(job_name, 200),
        job_href=f"/jobs/{artifact.job_id}",
        download=f"/api/artifacts/{artifact.id}/download",
        created_at=iso(artifact.created_at),
        round=f"Round {number}" if number is not None and number > 1 else "",
    )


def _tabs(params: ArtifactsParams) -> list[Tab]:
    every = Tab("All", params.url(kind="", cursor=""), "", not params.kind)
    kinds = [
        Tab(PLURALS[kind], params.url(kind=kind.value, cursor=""), "", params.kind == kind)
        for kind in ArtifactType
    ]
    return [every, *kinds]


def _total(page: Page[Artifact]) -> str:
    if page.total is None:
        return ""
    number = f"{page.total:,}{'+' if page.total_capped else ''}"
    return f"{number} artifact" if page.total == 1 else f"{number} artifacts"


class ArtifactPage(LiveState, rx.State):
    """The artifact on the screen; what it says never changes, but versions of it may come."""

    facts: ArtifactFacts = ArtifactFacts()
    body: ArtifactBody = ArtifactBody()
    versions: VersionsView = VersionsView()
    title: str = "Artifact · agent_console"

    @rx.event(background=True)
    @guarded(Permission.ARTIFACTS_READ)
    async def watch(self) -> Any:
        """Follow the artifact in the address."""
        return await follow(self)

    def _ask(self, actor: Actor) -> Ask:
        parts = [part for part in self.router.url.path.split("/") if part]
        wanted = parts[1] if len(parts) > 1 and parts[0] == "artifacts" else ""
        against = self.router.url.query_parameters.get("compare", "")[:MAX_TEXT] or None
        key = ("artifact", wanted, against)
        return Ask(key, lambda: _read_one(actor, wanted, against), subject=f"{wanted} {against}")

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read_one(actor: Actor, artifact_id: str, against: str | None) -> dict[str, object]:
    detail = bridge.services().artifacts.detail(actor, artifact_id, against=against)
    facts = artifact_facts(detail.artifact)
    return {
        "facts": facts,
        "body": artifact_body(detail.artifact),
        "versions": versions_view(detail),
        "title": f"{facts.name} · agent_console",
    }
