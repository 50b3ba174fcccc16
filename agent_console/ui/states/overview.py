"""The overview: how the console does now, and how it did over a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.figures import LiveFigures, Overview, Point
from agent_console.domain.jobs import JobStatus, JobSummary
from agent_console.domain.queries import JobQuery
from agent_console.domain.review_figures import ReviewFigures
from agent_console.ui import bridge
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import address, choice
from agent_console.ui.review_figure_views import ReviewsView, Tile, reviews_view, seconds, share
from agent_console.ui.views import JobRow, Tab, iso

PATH = "/overview"
SPANS = {"1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
LENGTHS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
}
FAILURES = 5  # latest failed jobs that are shown
FRESH = 5.0  # seconds a chart may lag where nothing was published


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page shows, of one moment."""

    overview: Overview
    failures: Sequence[JobSummary]
    reviews: ReviewFigures


class OverviewPage(LiveState, rx.State):
    """The figures on the screen. Points are what the charts take: numbers by name."""

    tiles: list[Tile] = []
    spans: list[Tab] = []
    points: list[dict[str, Any]] = []
    has_runs: bool = False
    has_waits: bool = False
    has_jobs: bool = False
    summary: str = ""
    failures: list[JobRow] = []
    reviews: ReviewsView = ReviewsView()

    @rx.event(background=True)
    @guarded(Permission.METRICS_READ)
    async def watch(self) -> Any:
        """Follow the figures."""
        return await follow(self)

    def _ask(self, actor: Actor) -> Ask:
        span = choice(self.router.url.query_parameters, "span", SPANS, "1h")
        return Ask(("overview", span), lambda: read(actor, span), subject=span, every=FRESH)

    def _show(self, answer: Answer) -> None:
        points = answer.overview.points
        self._put(
            tiles=tiles(answer.overview.live),
            spans=[
                Tab(label, address(PATH, {"span": key}), "", key == self._subject)
                for key, label in SPANS.items()
            ],
            points=[_point(one) for one in points],
            has_jobs=any(one.completed or one.failed or one.enqueued for one in points),
            has_runs=any(one.duration_p50 is not None for one in points),
            has_waits=any(one.wait_p50 is not None for one in points),
            summary=summary(points),
            failures=[JobRow.of(job) for job in answer.failures],
            reviews=reviews_view(answer.reviews),
        )


def read(actor: Actor, span: str) -> Answer:
    """Read figures and the latest failures; runs in a thread."""
    services = bridge.services()
    since = datetime.now(UTC) - LENGTHS[span]
    failed = JobQuery(status=JobStatus.FAILED.value, limit=FAILURES)
    return Answer(
        services.figures.overview(actor, span),
        services.jobs.page(actor, failed).items,
        services.review_figures.read(actor, since=since),
    )


def tiles(live: LiveFigures) -> list[Tile]:
    """Return the figures of now as tiles."""
    rate = live.success_rate
    desk, jobs = "/admin/agent-checkpoints", "/jobs?status="
    return [
        Tile(
            "Pending approvals",
            f"{live.pending_checkpoints:,}",
            desk,
            "amber" if live.pending_checkpoints else "",
        ),
        Tile("Oldest wait", seconds(live.oldest_wait), desk, ""),
        Tile("Running", f"{live.running:,}", f"{jobs}RUNNING", "blue" if live.running else ""),
        Tile("In the queue", f"{live.waiting_in_queue:,}", f"{jobs}PENDING", ""),
        Tile(
            "Success, last hour",
            share(rate),
            f"{jobs}FAILED",
            "red" if rate is not None and rate < 0.9 else "",
        ),
        Tile("p95 duration", seconds(live.p95_duration), f"{jobs}COMPLETED", ""),
        Tile(
            "Workers active",
            f"{live.active_workers:,}",
            "/workers",
            "" if live.active_workers else "red",
        ),
    ]


def summary(points: Sequence[Point]) -> str:
    """Say in one sentence what the charts show, for those who cannot see them."""
    completed = sum(one.completed for one in points)
    failed = sum(one.failed for one in points)
    decided = sum(one.decided for one in points)
    return f"{completed:,} jobs completed, {failed:,} failed, {decided:,} decisions were made."


def _point(point: Point) -> dict[str, Any]:
    return {
        "at": iso(point.at),
        "Enqueued": point.enqueued,
        "Completed": point.completed,
        "Failed": point.failed,
        "Run, median": _rounded(point.duration_p50),
        "Run, p95": _rounded(point.duration_p95),
        "Wait, median": _rounded(point.wait_p50),
        "Wait, p95": _rounded(point.wait_p95),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
