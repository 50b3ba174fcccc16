from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_console.domain.review_figures import (
    Age,
    Outcome,
    ReviewFigures,
    ReviewPoint,
    Reviews,
    Stage,
)
from agent_console.ui.review_figure_views import POINTS, ReviewsView, reviews_view, seconds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reviews(**counts: int) -> Reviews:
    made = Reviews()
    for outcome, count in counts.items():
        made.add(outcome, count, 0.0)
    return made


def view(points: list[Reviews], **more: object) -> ReviewsView:
    total = Reviews()
    for one in points:
        total.include(one)
    given = {"by_job_type": {}, "by_risk": {}, "pending": [], **more}
    return reviews_view(
        ReviewFigures(
            since=NOW,
            until=NOW,
            width=900,
            job_type=None,
            total=total,
            points=[
                ReviewPoint(at=NOW + number * timedelta(minutes=15), reviews=one)
                for number, one in enumerate(points)
            ],
            **given,  # type: ignore[arg-type]
        )
    )


def test_nothing_is_a_dash_and_no_chart() -> None:
    nothing = view([Reviews()])
    assert {one.value for one in nothing.tiles} == {"–"}
    assert (nothing.has_times, nothing.has_ends, nothing.waiting) == (False, False, 0)
    assert nothing.summary == "0 reviews ended, 0 by people; 0 wait now."


def test_many_slots_are_joined_to_few_points_and_none_is_lost() -> None:
    shown = view([reviews(approved=1) for _ in range(673)])
    assert len(shown.points) <= POINTS
    assert sum(point["Approved"] for point in shown.points) == 673
    assert shown.points[0]["at"] == "2026-03-01T12:00:00Z"
    assert shown.points[0]["Seen to decided"] is None


def test_what_expires_often_is_red_and_kinds_are_told_apart() -> None:
    some = reviews(approved=3, expired=1)
    some.add("decided|60.0", 2, 80.0)
    shown = view(
        [some],
        by_job_type={"write\u202e": some, "rare": reviews(edited=1)},
        by_risk={"HIGH": some, "NONE": reviews(approved=1)},
        pending=[Age(up_to=300, count=2), Age(up_to=None, count=1)],
    )
    tiles = {one.label: one for one in shown.tiles}
    assert (tiles["Expired"].value, tiles["Expired"].tone) == ("25%", "red")
    assert tiles["Decided in, median"].value == "45 s"
    assert [(row.name, row.ended) for row in shown.rows] == [
        ("write⟨U+202E⟩", "4"),
        ("rare", "1"),
        ("Risk NONE", "1"),
        ("Risk HIGH", "4"),
    ]
    assert shown.ages == [{"at": "up to 5 min", "Waiting": 2}, {"at": "longer", "Waiting": 1}]
    assert shown.waiting == 3


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (0.25, "250 ms"), (90, "1 min 30 s"), (200_000, "2 d 7 h")]
)
def test_durations_read_well(value: float | None, said: str) -> None:
    assert seconds(value) == said


def test_reviews_add_up() -> None:
    whole = reviews(approved=1)
    other = reviews(approved=2, self=1)
    other.add("seen|5.0", 1, 4.0)
    whole.include(other)
    assert (whole.outcomes[Outcome.APPROVED], whole.outcomes[Outcome.SELF], whole.ended) == (
        3,
        1,
        3,
    )
    assert (whole.times[Stage.SEEN].count, whole.times[Stage.SEEN].mean) == (1, 4.0)
