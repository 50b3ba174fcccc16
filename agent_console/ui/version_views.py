"""The versions of an artifact and what differs between them, as view models; no Reflex."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_console.domain.changes import FileChange
from agent_console.services.artifact_text import comparable
from agent_console.services.artifacts import ArtifactDetail
from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.components.review_changes import change_views
from agent_console.ui.params import address
from agent_console.ui.views import Tab, iso, shown


@dataclass(frozen=True, slots=True)
class VersionsView:
    """What there is beside the version on the screen.

    ``changes`` differ from the version called ``since``; without one they are what an approval did
    to the file. ``compare_href`` leads to the difference from the version before, called
    ``compare_word``; ``whole_href`` back to the whole text.
    """

    tabs: list[Tab] = field(default_factory=list)
    changes: list[ChangeView] = field(default_factory=list)
    heading: str = ""
    same: bool = False
    compare_href: str = ""
    compare_word: str = ""
    whole_href: str = ""
    made_at: str = ""


def versions_view(detail: ArtifactDetail) -> VersionsView:
    """Return the switch between the versions of an artifact, and the difference asked for."""
    mine, versions = detail.artifact, detail.versions
    labels = {one.artifact.id: shown(one.label, 60) for one in versions}
    ids = list(labels)
    at = ids.index(mine.id)
    before = ids[at - 1] if at else ""
    tabs = [
        Tab(labels[one], f"/artifacts/{one}", "", one == mine.id)
        for one in (ids if len(ids) > 1 else [])
    ]
    page = f"/artifacts/{mine.id}"
    if detail.other is not None:
        since = labels[detail.other.id]
        change = FileChange(mine.name, comparable(detail.other), comparable(mine))
        return VersionsView(
            tabs=tabs,
            changes=[] if change.before == change.after else _views(change),
            heading=f"Changes since {since}",
            same=change.before == change.after,
            whole_href=page,
            made_at=iso(mine.created_at),
        )
    changed = detail.change is not None and detail.change.before is not None
    return VersionsView(
        tabs=tabs,
        changes=_views(detail.change) if changed and detail.change else [],
        heading="What was approved" if changed else "",
        compare_href=address(page, {"compare": before}) if before else "",
        compare_word=f"What changed since {labels[before]}" if before else "",
        made_at=iso(mine.created_at),
    )


def _views(change: FileChange) -> list[ChangeView]:
    views, _hidden = change_views([change.to_json()])
    return views
