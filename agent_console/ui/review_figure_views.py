"""Review figures as the overview shows them: tiles, points of charts, a table of kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_console.domain.review_figures import (
    Age,
    Outcome,
    ReviewFigures,
    ReviewPoint,
    Reviews,
    Stage,
)
from agent_console.domain.risk import NO_RISK, Severity
from agent_console.domain.visible import reveal
from agent_console.ui.views import iso

POINTS = 60  # at most so many are drawn
KINDS = 12  # job types that the table shows, those with most reviews
DESK = "/admin/agent-checkpoints"
STAGES = {
    Stage.SEEN: "Asked to first seen",
    Stage.DECIDED: "Seen to decided",
    Stage.RESUMED: "Approved to gone on",
}
TILES = {
    Stage.SEEN: "First seen in",
    Stage.DECIDED: "Decided in",
    Stage.RESUMED: "Gone on in",
}
ENDS = {
    Outcome.APPROVED: "Approved",
    Outcome.EDITED: "Edited",
    Outcome.CHANGES_REQUESTED: "Changes requested",
    Outcome.REJECTED: "Rejected",
    Outcome.EXPIRED: "Expired",
    Outcome.POLICY: "By policy",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its name; ``tone`` colours what should be looked at; ``href`` leads there."""

    label: str
    value: str
    href: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """Reviews of one job type, or with one gravest finding."""

    name: str
    ended: str
    seen: str
    decided: str
    expired: str
    edited: str
    changes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsView:
    """How reviewing went. Points are what the charts take: numbers by name."""

    tiles: list[Tile] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)
    ages: list[dict[str, Any]] = field(default_factory=list)
    rows: list[KindRow] = field(default_factory=list)
    has_times: bool = False
    has_ends: bool = False
    waiting: int = 0
    summary: str = ""


def reviews_view(figures: ReviewFigures) -> ReviewsView:
    """Return what the page shows of ``figures``."""
    total, waiting = figures.total, sum(one.count for one in figures.pending)
    points = list(_joined(figures.points))
    return ReviewsView(
        tiles=_tiles(total),
        points=[_point(one) for one in points],
        ages=[{"at": age_name(one), "Waiting": one.count} for one in figures.pending],
        rows=_rows(figures),
        has_times=any(total.times[stage].count for stage in Stage),
        has_ends=bool(total.ended),
        waiting=waiting,
        summary=f"{total.ended:,} reviews ended, {total.by_people:,} by people; "
        f"{waiting:,} wait now.",
    )


def age_name(age: Age) -> str:
    """Return the name of an age of what waits."""
    return f"up to {seconds(age.up_to)}" if age.up_to is not None else "longer"


def seconds(value: float | None) -> str:
    """Return a duration as people read it, two units at most; a dash for none."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def share(rate: float | None) -> str:
    """Return a share in percent; a dash for none."""
    return "–" if rate is None else f"{rate:.1%}".replace(".0%", "%")


def _tiles(total: Reviews) -> list[Tile]:
    rates, status = total.rates(), f"{DESK}?status="
    late = rates["expired"] is not None and rates["expired"] > 0.1
    times = [
        Tile(f"{name}, median", seconds(total.times[stage].quantile(0.5)), DESK, "")
        for stage, name in TILES.items()
    ]
    return [
        *times,
        Tile("Expired", share(rates["expired"]), f"{status}EXPIRED", "red" if late else ""),
        Tile("Edited", share(rates["edited"]), f"{status}APPROVED", ""),
        Tile("Changes requested", share(rates["changes"]), f"{status}CHANGES_REQUESTED", ""),
        Tile("By policy", share(rates["policy"]), f"{status}APPROVED", ""),
        Tile("On one's own", share(rates["self"]), f"{status}ALL", ""),
    ]


def _joined(points: Sequence[ReviewPoint]) -> Iterator[ReviewPoint]:
    size = -(-len(points) // POINTS) or 1
    for first in range(0, len(points), size):
        whole = Reviews()
        for point in points[first : first + size]:
            whole.include(point.reviews)
        yield ReviewPoint(at=points[first].at, reviews=whole)


def _point(point: ReviewPoint) -> dict[str, Any]:
    reviews = point.reviews
    medians = {name: reviews.times[stage].quantile(0.5) for stage, name in STAGES.items()}
    return {
        "at": iso(point.at),
        **{name: None if found is None else round(found, 3) for name, found in medians.items()},
        **{name: reviews.outcomes[outcome] for outcome, name in ENDS.items()},
    }


def _rows(figures: ReviewFigures) -> list[KindRow]:
    risks = [NO_RISK, *reversed(Severity)]
    found = [(f"Risk {risk}", figures.by_risk[risk]) for risk in risks if risk in figures.by_risk]
    most = sorted(figures.by_job_type.items(), key=lambda one: -one[1].ended)[:KINDS]
    return [_row(name, reviews) for name, reviews in (*most, *found)]


def _row(name: str, reviews: Reviews) -> KindRow:
    rates = reviews.rates()
    return KindRow(
        name=reveal(name).text,
        ended=f"{reviews.ended:,}",
        seen=seconds(reviews.times[Stage.SEEN].quantile(0.5)),
        decided=seconds(reviews.times[Stage.DECIDED].quantile(0.5)),
        expired=share(rates["expired"]),
        edited=share(rates["edited"]),
        changes=share(rates["changes"]),
    )
