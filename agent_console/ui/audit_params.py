"""What the address of the audit page may say, and the query it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from agent_console.domain.queries import AuditQuery
from agent_console.domain.saved_queries import ME
from agent_console.ui.params import MAX_CURSOR, PAGE_SIZE, address, text

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AuditParams:
    """Filters of the journal and a place in it.

    ``since`` and ``until`` are days (``until`` included) or instants (``until`` excluded), in UTC.
    """

    action: str = ""
    actor: str = ""
    job: str = ""
    checkpoint: str = ""
    since: str = ""
    until: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> AuditParams:
        """Read a query; what is no instant is left out."""
        return cls(
            action=text(query, "action", 100),
            actor=text(query, "actor", 100),
            job=text(query, "job", 100),
            checkpoint=text(query, "checkpoint", 100),
            since=_if_instant(text(query, "since", 40)),
            until=_if_instant(text(query, "until", 40)),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address of this list with ``changes`` made to it."""
        new = replace(self, **changes)
        names = ("action", "actor", "job", "checkpoint", "since", "until", "cursor")
        return address("/audit", {name: getattr(new, name) for name in names})

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return replace(self, cursor="") != AuditParams()

    @property
    def first_day(self) -> str:
        """The day in the field "From"."""
        return self.since[:10]

    @property
    def last_day(self) -> str:
        """The day in the field "To"."""
        end = _end(self.until)
        return "" if end is None else (end - timedelta(microseconds=1)).date().isoformat()

    def query(self, me: str | None) -> AuditQuery:
        """Return what the store is asked for; ``me`` is the account of whoever asks."""
        return AuditQuery(
            action=self.action or None,
            actor_id=(me or ME) if self.actor == ME else self.actor or None,
            job_id=self.job or None,
            checkpoint_id=self.checkpoint or None,
            since=_begin(self.since),
            until=_end(self.until),
            limit=PAGE_SIZE,
            cursor=self.cursor or None,
        )

    def filters(self) -> dict[str, str]:
        """Return the filters as a saved query keeps them."""
        begin, end = _begin(self.since), _end(self.until)
        found = {
            "action": self.action,
            "actorId": self.actor,
            "jobId": self.job,
            "checkpointId": self.checkpoint,
            "since": "" if begin is None else begin.isoformat(),
            "until": "" if end is None else end.isoformat(),
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of(cls, filters: Mapping[str, str]) -> AuditParams:
        """Return the parameters that show what a saved query asks for."""
        return cls(
            action=filters.get("action", ""),
            actor=filters.get("actorId", ""),
            job=filters.get("jobId", ""),
            checkpoint=filters.get("checkpointId", ""),
            since=filters.get("since", ""),
            until=filters.get("until", ""),
        )


def _if_instant(value: str) -> str:
    try:
        found = _instant(value)
    except ValueError:
        return ""
    # Calendars end somewhere; a day more must still be one.
    return value if found is None or 1970 <= found.year <= 9998 else ""


def _instant(value: str) -> datetime | None:
    if not value:
        return None
    if len(value) == len("2026-11-21"):
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _begin(value: str) -> datetime | None:
    return _instant(value)


def _end(value: str) -> datetime | None:
    found = _instant(value)
    whole_day = len(value) == len("2026-11-21")
    return found + _DAY if found is not None and whole_day else found
