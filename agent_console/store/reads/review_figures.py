"""How reviewing goes, read from its slots of time; and how old is what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.queries import COUNT_CAP
from agent_console.domain.review_figures import AGES, Age, Reviews
from agent_console.store.reads import counts
from agent_console.store.transactions import Params, Queries

_WITHIN: Final = "FROM review_slots WHERE width = :width AND slot >= :first AND slot < :end"
BY_KIND: Final = f"""
SELECT job_type, risk, measure, sum(value), sum(seconds) {_WITHIN} /*type*/
GROUP BY job_type, risk, measure
"""
BY_SLOT: Final = f"""
SELECT slot, measure, sum(value), sum(seconds) {_WITHIN} /*type*/ GROUP BY slot, measure
"""
_WHEN: Final = " ".join(
    f"WHEN created_at >= {{now}} - {age * MICROSECONDS} THEN {number}"
    for number, age in enumerate(AGES)
)
_AGE: Final = f"CASE {_WHEN} ELSE {len(AGES)} END AS age"
# A range of the index for each age, and none for the last: it is the rest of those that wait.
PENDING: Final = "SELECT " + ", ".join(
    "(SELECT count(*) FROM agent_checkpoints"
    f" WHERE status = 'PENDING' AND created_at >= {{now}} - {age * MICROSECONDS}"
    + (f" AND created_at < {{now}} - {newer * MICROSECONDS})" if newer else ")")
    for newer, age in zip((0, *AGES), AGES, strict=False)
)
# Of one type: what is looked at is bounded, the oldest first.
PENDING_OF: Final = f"""
SELECT c.age, count(*) FROM (
  SELECT job_id, {_AGE} FROM agent_checkpoints WHERE status = 'PENDING'
  ORDER BY created_at, id LIMIT :most) c
JOIN ai_jobs j ON j.id = c.job_id WHERE j.job_type = :job_type GROUP BY 1
"""


@dataclass(slots=True)
class Found:
    """Reviews of a stretch of time: all, by job type, by risk, and by slot."""

    total: Reviews = field(default_factory=Reviews)
    by_job_type: dict[str, Reviews] = field(default_factory=dict)
    by_risk: dict[str, Reviews] = field(default_factory=dict)
    by_slot: dict[int, Reviews] = field(default_factory=dict)


def read(reader: Queries, *, width: int, first: int, end: int, job_type: str | None) -> Found:
    """Return what ended in the slots from ``first`` to before ``end``, of one type or of all."""
    params: Params = {"width": width, "first": first, "end": end}
    only = ""
    if job_type is not None:
        params["job_type"], only = job_type, "AND job_type = :job_type"
    found = Found()
    for kind, risk, measure, count, seconds in reader.rows(
        BY_KIND.replace("/*type*/", only), params
    ):
        for reviews in (
            found.total,
            found.by_job_type.setdefault(kind, Reviews()),
            found.by_risk.setdefault(risk, Reviews()),
        ):
            reviews.add(measure, int(count), float(seconds))
    for slot, measure, count, seconds in reader.rows(BY_SLOT.replace("/*type*/", only), params):
        found.by_slot.setdefault(int(slot), Reviews()).add(measure, int(count), float(seconds))
    return found


def pending(reader: Queries, job_type: str | None) -> Sequence[Age]:
    """Return how many wait, by age; of one type among the ``COUNT_CAP`` that wait longest."""
    if job_type is None:
        found = [int(count) for count in reader.row(PENDING) or ()]
        found.append(max(0, counts.pending_checkpoints(reader) - sum(found)))
    else:
        rows = reader.rows(PENDING_OF, {"job_type": job_type, "most": COUNT_CAP})
        by_age = Counter({int(age): int(count) for age, count in rows})
        found = [by_age[number] for number in range(len(AGES) + 1)]
    bounds = (*AGES, None)
    return [Age(up_to=up_to, count=count) for up_to, count in zip(bounds, found, strict=True)]
