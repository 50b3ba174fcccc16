"""Saved queries: filters of a list that an account keeps under a name, alone or for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from agent_console.domain.access import Permission
from agent_console.domain.jobs import Json

ME = "me"  # as a user or an actor: whoever uses the query


class Resource(StrEnum):
    """What can be queried."""

    JOBS = "jobs"
    CHECKPOINTS = "checkpoints"
    AUDIT = "audit"


NEEDED: Mapping[Resource, Permission] = MappingProxyType(
    {
        Resource.JOBS: Permission.JOBS_READ,
        Resource.CHECKPOINTS: Permission.CHECKPOINTS_READ,
        Resource.AUDIT: Permission.AUDIT_READ,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSavedQuery:
    """What somebody wants to keep; ``query`` holds filters under their names on the wire."""

    name: str
    resource: str
    query: dict[str, Json]
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryChange:
    """What is to be another way; None: as it is."""

    name: str | None = None
    query: dict[str, Json] | None = None
    shared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuery:
    """A saved query as it stands in the store. Instants are aware UTC."""

    id: str
    name: str
    resource: Resource
    query: dict[str, str]
    shared: bool
    owner_id: str
    owner_name: str
    created_at: datetime
    updated_at: datetime
