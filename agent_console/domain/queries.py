"""What a list may be asked for: filters, page size and where to go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from agent_console.domain.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_OFFSET = 10_000  # beyond it a cursor is the way: an offset costs what it skips
COUNT_CAP = 10_000  # totals above it are said as "10,000+"
SEARCH_WINDOW = 5_000  # newest rows a text search looks at
MAX_SEARCH = 200  # characters

_Known = TypeVar("_Known", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where in a list to read: ``cursor`` (stable while rows arrive) or ``offset``.

    ``counted`` False: nobody looks at the total, so that a search of jobs or checkpoints is made
    once, not twice.
    """

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str | None = None
    counted: bool = True

    def check(self) -> None:
        """Refuse what would cost too much.

        Raises:
            Invalid: ``limit`` or ``offset`` out of bounds, or a cursor and an offset together.
        """
        if not 1 <= self.limit <= MAX_LIMIT:
            raise Invalid.field("limit", f"must be between 1 and {MAX_LIMIT}.")
        if not 0 <= self.offset <= MAX_OFFSET:
            message = f"must be between 0 and {MAX_OFFSET:,}; use cursor to go further."
            raise Invalid.field("offset", message)
        if self.cursor and self.offset:
            raise Invalid.field("offset", "cannot be combined with cursor.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery(Paging):
    """Jobs, newest first. ``search`` looks in id and description of the newest matches."""

    status: str | None = None
    job_type: str | None = None
    user_id: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointQuery(Paging):
    """Checkpoints: pending ones by deadline, soonest first; all others newest first.

    ``status`` None means every status. ``search`` looks in id and message of the newest matches,
    which then come newest first, pending ones too.
    """

    status: str | None = "PENDING"
    checkpoint_type: str | None = None
    job_id: str | None = None
    job_type: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactQuery(Paging):
    """Artifacts, newest first. ``search`` names words that name and content hold together."""

    job_id: str | None = None
    artifact_type: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextQuery(Paging):
    """Context documents, newest first. ``search`` looks in the titles of the newest documents.

    ``archived``: those that were put away instead of those that are offered; None: both.
    """

    project_id: str | None = None
    search: str = ""
    archived: bool | None = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery(Paging):
    """Work sessions of a project, newest first; ``status`` is a session's, not a job's."""

    status: str | None = None
    agent_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery(Paging):
    """Journal entries, newest first; ``since`` is inclusive, ``until`` exclusive."""

    action: str | None = None
    actor_id: str | None = None
    job_id: str | None = None
    checkpoint_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def known(kind: type[_Known], value: str | None, field: str) -> _Known | None:
    """Return the member of ``kind`` named ``value``; None for None.

    Raises:
        Invalid: there is no such member; lists the known ones.
    """
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        listed = ", ".join(member.value for member in kind)
        raise Invalid.field(field, f"unknown value; known are {listed}.") from None
