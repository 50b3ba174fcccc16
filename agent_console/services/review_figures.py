"""How reviewing goes: stages, outcomes and rates over a stretch of time, and what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.review_figures import ReviewFigures, ReviewPoint, Reviews
from agent_console.services.job_requests import MAX_NAME, text
from agent_console.store.database import Database
from agent_console.store.reads import review_figures as reads
from agent_console.store.review_sums import DAY, KEPT, QUARTER
from agent_console.store.tally_slots import micros

DEFAULT = timedelta(days=7)
FINE = timedelta(days=7, hours=1)  # up to here in quarters of an hour, beyond in days


class ReviewFigureService:
    """Use cases of review figures. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def read(
        self,
        actor: Actor,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        job_type: str | None = None,
    ) -> ReviewFigures:
        """Return the figures of what ended from ``since`` to ``until``, by default of seven days.

        They are of whole slots: quarters of an hour up to seven days, kept for eight days, else
        days (UTC), kept for 400.

        Raises:
            Forbidden: the actor may not read figures.
            Invalid: an instant without a time zone, an empty or too long stretch, a long type.
        """
        authorize(actor, Permission.METRICS_READ)
        text("jobType", job_type, MAX_NAME)
        with self._db.read() as reader:
            now = from_micros(reader.now())
            begin, end = _stretch(now, since, until)
            fine = end - begin <= FINE and now - begin <= timedelta(seconds=KEPT[QUARTER])
            width = QUARTER if fine else DAY
            length = micros(width)
            first, last = to_micros(begin) // length, -(-to_micros(end) // length)
            found = reads.read(reader, width=width, first=first, end=last, job_type=job_type)
            waiting = reads.pending(reader, job_type)
        return ReviewFigures(
            since=from_micros(first * length),
            until=from_micros(last * length),
            width=width,
            job_type=job_type,
            total=found.total,
            by_job_type=dict(sorted(found.by_job_type.items())),
            by_risk=dict(sorted(found.by_risk.items())),
            pending=waiting,
            points=[
                ReviewPoint(
                    at=from_micros(slot * length), reviews=found.by_slot.get(slot, Reviews())
                )
                for slot in range(first, last)
            ],
        )


def _stretch(
    now: datetime, since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    for name, instant in (("since", since), ("until", until)):
        if instant is not None and instant.tzinfo is None:
            raise Invalid.field(name, "must have a time zone.")
    end = now + timedelta(microseconds=1) if until is None else until  # this moment included
    begin = end - DEFAULT if since is None else since
    if begin >= end:
        raise Invalid.field("since", "must be before until.")
    if end - begin > timedelta(seconds=KEPT[DAY]):
        raise Invalid.field("since", f"must be at most {KEPT[DAY] // DAY} days before until.")
    return begin, end
