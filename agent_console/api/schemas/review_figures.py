"""Wire models of review figures. Durations are seconds; they and shares are null without any."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from pydantic.alias_generators import to_camel

from agent_console.api.schemas.base import Instant, Out, Success
from agent_console.domain.review_figures import (
    BOUNDS,
    INF,
    Outcome,
    ReviewFigures,
    Reviews,
    Stage,
    Times,
)


class BucketOut(Out):
    """How many took at most ``le`` seconds; the last bucket, null, holds all."""

    le: float | None
    count: int


class TimesOut(Out):
    """How long one stage took."""

    count: int
    mean: float | None
    p50: float | None
    p95: float | None
    buckets: list[BucketOut] = Field(description="Cumulative, as in Prometheus.")

    @classmethod
    def of(cls, times: Times) -> TimesOut:
        """Return the wire form of ``times``."""
        buckets, seen = [], 0
        for bound in (*map(str, BOUNDS), INF):
            seen += times.buckets.get(bound, 0)
            buckets.append(BucketOut(le=None if bound == INF else float(bound), count=seen))
        return cls(
            count=times.count,
            mean=times.mean,
            p50=times.quantile(0.5),
            p95=times.quantile(0.95),
            buckets=buckets,
        )


class OutcomesOut(Out):
    """How many ended in which way; ``self`` were decided by who asked for the job."""

    approved: int
    edited: int
    changes_requested: int
    rejected: int
    expired: int
    policy: int
    own: int = Field(alias="self")


class RatesOut(Out):
    """Shares from 0 to 1: expired of what waited for people, edited of what they approved.

    Changes and self are of what people decided, policy of all that ended.
    """

    expired: float | None
    edited: float | None
    changes: float | None
    policy: float | None
    own: float | None = Field(alias="self")


class ReviewsOut(Out):
    """What happened to some reviews.

    ``seen``: from asked to first seen; ``decided``: from then to the decision; ``resumed``: from
    an approval until its job went on.
    """

    seen: TimesOut
    decided: TimesOut
    resumed: TimesOut
    outcomes: OutcomesOut
    rates: RatesOut

    @classmethod
    def of(cls, reviews: Reviews) -> ReviewsOut:
        """Return the wire form of ``reviews``."""
        return cls(
            **{stage.value: TimesOut.of(reviews.times[stage]) for stage in Stage},
            outcomes=OutcomesOut.model_validate(
                {to_camel(outcome): n for outcome, n in reviews.outcomes.items()}
            ),
            rates=RatesOut.model_validate(reviews.rates()),
        )


class ReviewPointOut(Out):
    """One slot of time."""

    at: Instant
    seen_p50: float | None
    decided_p50: float | None
    resumed_p50: float | None
    by_people: int
    by_policy: int
    expired: int


class AgeOut(Out):
    """How many wait for at most ``upTo`` seconds, and longer than the age before; null: longer."""

    up_to: int | None
    count: int


class ReviewFiguresOut(Out):
    """Figures of what ended from ``since`` to ``until``, slots of ``width`` seconds."""

    since: Instant
    until: Instant
    width: int
    job_type: str | None
    total: ReviewsOut
    by_job_type: dict[str, ReviewsOut]
    by_risk: dict[str, ReviewsOut] = Field(description="By the gravest finding; NONE without any.")
    pending: list[AgeOut] = Field(description="What waits now, by age.")
    points: list[ReviewPointOut]


class ReviewFiguresAnswer(Success):
    """How reviewing goes."""

    figures: ReviewFiguresOut

    @classmethod
    def of(cls, found: ReviewFigures) -> ReviewFiguresAnswer:
        """Return the answer that tells of ``found``."""
        return cls(
            figures=ReviewFiguresOut(
                since=found.since,
                until=found.until,
                width=found.width,
                job_type=found.job_type,
                total=ReviewsOut.of(found.total),
                by_job_type=_each(found.by_job_type),
                by_risk=_each(found.by_risk),
                pending=[AgeOut.model_validate(one) for one in found.pending],
                points=[_point(one.at, one.reviews) for one in found.points],
            )
        )


def _each(named: Mapping[str, Reviews]) -> dict[str, ReviewsOut]:
    return {name: ReviewsOut.of(reviews) for name, reviews in named.items()}


def _point(at: Instant, reviews: Reviews) -> ReviewPointOut:
    return ReviewPointOut(
        at=at,
        **{f"{stage}_p50": reviews.times[stage].quantile(0.5) for stage in Stage},
        by_people=reviews.by_people,
        by_policy=reviews.outcomes[Outcome.POLICY],
        expired=reviews.outcomes[Outcome.EXPIRED],
    )
