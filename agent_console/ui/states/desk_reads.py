"""What the desk reads, in two steps: the list, one for all with the same rights, then the card.

Both run in a thread and bring what is shown, ready to be sent: fifty reviewers with the same list
on the screen share one reading of it and one set of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointSummary
from agent_console.domain.errors import NotFound
from agent_console.domain.queries import CheckpointQuery
from agent_console.domain.records import Page
from agent_console.services.review import CheckpointDetail
from agent_console.ui import bridge, quote_checks
from agent_console.ui.components import review_build as build
from agent_console.ui.components.comment_models import ThreadView
from agent_console.ui.components.review_models import (
    BodyView,
    ContextView,
    RowView,
    RulingView,
    TabView,
)
from agent_console.ui.params import PAGE_SIZE, DeskParams
from agent_console.ui.states import comments

BASE = "/admin/agent-checkpoints"
TABS = (
    ("Pending", "PENDING"),
    ("Approved", "APPROVED"),
    ("Changes", "CHANGES_REQUESTED"),
    ("Rejected", "REJECTED"),
    ("Expired", "EXPIRED"),
    ("All", "ALL"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskList:
    """The list that ``params`` ask for. ``refusal``: why the reader may decide nothing, or ""."""

    params: DeskParams
    rows: list[RowView]
    tabs: list[TabView]
    digests: Mapping[str, str]
    next_href: str
    announcement: str
    job_types: list[str]
    refusal: str


class Place(NamedTuple):
    """An address of the desk, what it asks for, and the checkpoint it names or ""."""

    url: str
    params: DeskParams
    named: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Which card is asked for, with the latest ``comments`` on it."""

    checkpoint_id: str
    comments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCard:
    """A card; ``detail`` is None when there is nothing to open, or it is gone."""

    opened: Opened
    detail: CheckpointDetail | None = None
    body: BodyView = field(default_factory=BodyView)
    ruling: RulingView = field(default_factory=RulingView)
    context: ContextView = field(default_factory=ContextView)
    thread: ThreadView = field(default_factory=ThreadView)


def read_list(actor: Actor, params: DeskParams) -> DeskList:
    """Read the list."""
    services = bridge.services()
    query = CheckpointQuery(
        status=None if params.status == "ALL" else params.status,
        job_type=params.job_type or None,
        job_id=params.job or None,
        checkpoint_type=params.kind or None,
        search=params.q,
        cursor=params.cursor or None,
        limit=PAGE_SIZE,
    )
    page = services.review.page(actor, query)
    waiting = [one.id for one in page.items if one.status is CheckpointStatus.PENDING]
    claims = services.claims.of(actor, waiting)
    needed = Permission.CHECKPOINTS_DECIDE
    return DeskList(
        params=params,
        rows=[
            build.row(item, params.url(f"{BASE}/{item.id}"), claims.get(item.id))
            for item in page.items
        ],
        tabs=_tabs(params),
        digests={item.id: item.payload_digest for item in page.items},
        next_href=params.url(cursor=page.next_cursor) if page.next_cursor else "",
        announcement=_announcement(params, page),
        job_types=[info.job_type for info in services.jobs.catalog(actor)],
        refusal="" if actor.may(needed) else refusal(needed),
    )


def read_card(actor: Actor, opened: Opened) -> DeskCard:
    """Read the card; nothing where none is asked for."""
    services = bridge.services()
    if not opened.checkpoint_id:
        return DeskCard(opened=opened)
    try:
        detail = services.review.get(actor, opened.checkpoint_id)
    except NotFound:
        return DeskCard(opened=opened)
    point = detail.checkpoint
    body = build.body(detail, quote_checks.checks(services.context, actor, point))
    return DeskCard(
        opened=opened,
        detail=detail,
        body=body,
        ruling=build.ruling(detail),
        context=build.context(detail),
        thread=comments.read(actor, point, opened.comments, body.changes),
    )


def _tabs(params: DeskParams) -> list[TabView]:
    return [
        TabView(
            label=label,
            href=params.url(status=status, cursor=""),
            current=params.status == status,
        )
        for label, status in TABS
    ]


def _announcement(params: DeskParams, page: Page[CheckpointSummary]) -> str:
    """Return what a screen reader is told when the list has changed."""
    shown = len(page.items)
    number = f"{shown} or more" if page.next_cursor else str(shown)
    noun = "checkpoint" if shown == 1 and not page.next_cursor else "checkpoints"
    if params.status == CheckpointStatus.PENDING:
        return f"{number} {noun} waiting for a decision"
    return f"{number} {noun} in this list"
