"""One action on many jobs: which, and how they are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus, JobVerb, Json, sources
from agent_console.domain.queries import known

BULK_TYPE = "bulk-control"  # the job type that does it
BulkAction = Literal["cancel", "retry"]
BULK_ACTIONS: tuple[BulkAction, ...] = get_args(BulkAction)
MAX_IDS = 1_000
_FIELDS = {
    "status": "status",
    "job_type": "jobType",
    "user_id": "userId",
    "project_id": "projectId",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Jobs by what they have in common, or by ``ids``; never all there are."""

    status: str | None = None
    job_type: str | None = None
    user_id: str | None = None
    project_id: str | None = None
    ids: tuple[str, ...] = ()

    def given(self) -> list[tuple[str, str]]:
        """Return the columns that are asked for, with their values."""
        pairs = [(name, getattr(self, name)) for name in _FIELDS]
        return [(name, value) for name, value in pairs if value is not None]

    def check(self, action: BulkAction) -> None:
        """Refuse what names no job, too many, or jobs on which ``action`` is never possible.

        Raises:
            Invalid: names the field.
        """
        known(JobStatus, self.status, "filter.status")
        if self.ids and self.given():
            raise Invalid.field("filter.ids", "cannot be combined with other filters.")
        if len(self.ids) > MAX_IDS:
            raise Invalid.field("filter.ids", f"must be at most {MAX_IDS:,} ids.")
        if not self.ids and not self.given():
            named = ", ".join([*_FIELDS.values(), "ids"])
            raise Invalid.field("filter", f"must name at least one of {named}.")
        possible = statuses(action)
        if self.status is not None and self.status not in possible:
            listed = ", ".join(possible)
            message = f"{action} is possible only for jobs that are {listed}."
            raise Invalid.field("filter.status", message)

    def to_json(self) -> dict[str, Json]:
        """Return the filter under the names of the wire, without what is not asked for."""
        wire: dict[str, Json] = {_FIELDS[name]: value for name, value in self.given()}
        return wire | ({"ids": [*self.ids]} if self.ids else {})

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> JobFilter:
        """Return the filter of what ``to_json`` made."""
        named = {name: wire.get(field) for name, field in _FIELDS.items()}
        return cls(**named, ids=tuple(wire.get("ids") or ()))

    def words(self) -> str:
        """Return what is chosen, for people."""
        if self.ids:
            return f"{len(self.ids):,} selected"
        return ", ".join(f"{_FIELDS[name]} {value}" for name, value in self.given())


def statuses(action: BulkAction) -> tuple[JobStatus, ...]:
    """Return the statuses in which a job can be canceled, or retried."""
    return sources(JobVerb(action))
