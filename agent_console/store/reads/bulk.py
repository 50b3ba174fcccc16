"""Jobs by filter, oldest first, for one action on all of them."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.bulk import BulkAction, JobFilter, statuses
from agent_console.domain.queries import COUNT_CAP
from agent_console.store.transactions import Params, Queries


def chosen(wanted: JobFilter, action: BulkAction) -> str:
    """Return the query of jobs on which ``action`` is possible now, after and before an id.

    A part per status: each is a walk along an index, whatever else the history holds, and the
    whole is one snapshot, so that no job hides by changing its status meanwhile.
    """
    named = [name for name, _value in wanted.given() if name != "status"]
    more = "".join(f" AND {{indexable}}{name} = :{name}" for name in named)
    one = (
        "SELECT id FROM (SELECT id FROM ai_jobs WHERE status = '{status}' AND id > :after"
        f" AND id < :before{more} ORDER BY id LIMIT :room) AS {{status}}"
    )
    wanted_statuses = [wanted.status] if wanted.status else [one.value for one in statuses(action)]
    parts = [one.replace("{status}", status) for status in wanted_statuses]
    return f"{' UNION ALL '.join(parts)} ORDER BY id LIMIT :room"


def page(
    reader: Queries, wanted: JobFilter, action: BulkAction, *, after: str, before: str, limit: int
) -> list[str]:
    """Return up to ``limit`` ids between ``after`` and ``before``, in their order."""
    if wanted.ids:
        return [one for one in sorted(set(wanted.ids)) if one > after][:limit]
    found = reader.rows(chosen(wanted, action), _params(wanted, after, before, limit))
    return [str(row[0]) for row in found]


def count(reader: Queries, wanted: JobFilter, action: BulkAction, before: str) -> tuple[int, bool]:
    """Return how many jobs there are, up to ``COUNT_CAP``; the flag says "or more"."""
    if wanted.ids:
        return len(set(wanted.ids)), False
    sql = f"SELECT count(*) FROM ({chosen(wanted, action)}) AS counted"
    row = reader.row(sql, _params(wanted, "", before, COUNT_CAP + 1))
    found = int(row[0]) if row else 0
    return min(found, COUNT_CAP), found > COUNT_CAP


def asked_by(reader: Queries, job_id: str) -> Sequence[str | None]:
    """Return kind, account and name of who made the job, from the journal."""
    row = reader.row(
        "SELECT actor_kind, actor_id, actor_name FROM audit_logs"
        " WHERE job_id = :id AND action = 'job.created' ORDER BY seq LIMIT 1",
        {"id": job_id},
    )
    return row or (None, None, None)


def _params(wanted: JobFilter, after: str, before: str, limit: int) -> Params:
    named = {name: value for name, value in wanted.given() if name != "status"}
    return {**named, "after": after, "before": before, "room": limit}
