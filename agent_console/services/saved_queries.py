"""Saved queries: own ones, and those that others share; each is valid when it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.errors import FieldError, Forbidden, Invalid, NotFound
from agent_console.domain.jobs import Json
from agent_console.domain.payload import check_json
from agent_console.domain.queries import AuditQuery, CheckpointQuery, JobQuery, known
from agent_console.domain.saved_queries import (
    NEEDED,
    NewSavedQuery,
    QueryChange,
    Resource,
    SavedQuery,
)
from agent_console.services import job_requests, list_queries
from agent_console.store import saved_queries as store
from agent_console.store.database import Database
from agent_console.store.ids import new_id

ALL = "ALL"  # the checkpoints of every status
FILTERS: Mapping[Resource, tuple[str, ...]] = {
    Resource.JOBS: ("status", "jobType", "userId", "search"),
    Resource.CHECKPOINTS: ("status", "checkpointType", "jobId", "jobType", "search"),
    Resource.AUDIT: ("action", "actorId", "jobId", "checkpointId", "since", "until"),
}


class SavedQueryService:
    """Use cases of saved queries. A query is for those who may read what it asks for."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def page(self, actor: Actor, resource: str | None = None) -> list[SavedQuery]:
        """Return the actor's queries and the shared ones, by resource and name.

        Raises:
            Invalid: there is no such resource.
        """
        authorize(actor, Permission.JOBS_READ)
        wanted = known(Resource, resource, "resource")
        readable = [one for one in Resource if actor.may(NEEDED[one]) and wanted in {None, one}]
        with self._db.read() as reader:
            return store.visible(reader, job_requests.who(actor), readable)

    def get(self, actor: Actor, query_id: str) -> SavedQuery:
        """Return one of the actor's queries, or a shared one.

        Raises:
            NotFound: there is none, or it is somebody else's.
            Forbidden: the actor may not read what it asks for.
        """
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            found = store.get(reader, query_id)
        if found is None or not (found.shared or found.owner_id == job_requests.who(actor)):
            raise NotFound(f"There is no saved query {query_id}.")
        authorize(actor, NEEDED[found.resource])
        return found

    def create(self, actor: Actor, new: NewSavedQuery) -> SavedQuery:
        """Keep a query.

        Raises:
            Invalid: the name, the resource or a filter is not acceptable.
            Forbidden: the actor may not read what it asks for.
            Conflict: the actor has one of that name, or as many as one may keep.
        """
        authorize(actor, Permission.JOBS_READ)
        resource = known(Resource, new.resource, "resource")
        if resource is None:
            raise Invalid.field("resource", "is required.")
        authorize(actor, NEEDED[resource])
        name, query = checked_name(new.name), checked(resource, new.query)
        query_id, owner = new_id("qry"), job_requests.who(actor)
        return self._db.write(
            lambda tx: store.create(
                tx,
                query_id,
                name=name,
                resource=resource,
                query=query,
                shared=new.shared,
                owner_id=owner,
                actor=actor,
            )
        )

    def change(self, actor: Actor, query_id: str, change: QueryChange) -> SavedQuery:
        """Rename one of the actor's queries, ask for something else, share it or not.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's.
            Invalid: the name or a filter is not acceptable.
            Conflict: the actor has one of that name.
        """
        found = self._own(actor, query_id)
        name = None if change.name is None else checked_name(change.name)
        query = None if change.query is None else checked(found.resource, change.query)
        return self._db.write(
            lambda tx: store.change(
                tx, query_id, name=name, query=query, shared=change.shared, actor=actor
            )
        )

    def delete(self, actor: Actor, query_id: str) -> None:
        """Delete one of the actor's queries; who manages accounts may delete any shared one.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's.
        """
        self._own(actor, query_id, others=actor.may(Permission.USERS_MANAGE))
        self._db.write(lambda tx: store.delete(tx, query_id, actor))

    def _own(self, actor: Actor, query_id: str, *, others: bool = False) -> SavedQuery:
        found = self.get(actor, query_id)
        if found.owner_id != job_requests.who(actor) and not others:
            raise Forbidden(f"This query belongs to {found.owner_name}.")
        return found


def checked_name(name: str) -> str:
    """Return the name, trimmed.

    Raises:
        Invalid: it is empty, too long, or cannot be shown.
    """
    plain = name.strip()
    job_requests.text("name", plain, job_requests.MAX_NAME)
    if not plain or not plain.isprintable():
        raise Invalid.field("name", "must be text that can be shown.")
    return plain


def checked(resource: Resource, query: Mapping[str, Json]) -> dict[str, str]:
    """Return the filters of ``query``, empty ones left out.

    Raises:
        Invalid: a filter is unknown, no text, or asks for what there is not; under ``query.…``.
    """
    check_json(dict(query), "query", limit=8_192)
    fields = FILTERS[resource]
    plain: dict[str, str] = {}
    for name, value in query.items():
        if name not in fields:
            raise Invalid.field(f"query.{name}", f"unknown filter; known are {', '.join(fields)}.")
        if value is not None and not isinstance(value, str):
            raise Invalid.field(f"query.{name}", "must be text.")
        if value:
            plain[name] = value
    try:
        _check(resource, plain)
    except Invalid as error:
        below = [FieldError(f"query.{one.field}", one.message) for one in error.fields]
        raise Invalid(fields=below) from None
    return plain


def _check(resource: Resource, plain: Mapping[str, str]) -> None:
    if resource is Resource.JOBS:
        list_queries.check_jobs(job_query(plain))
    elif resource is Resource.CHECKPOINTS:
        list_queries.check_checkpoints(checkpoint_query(plain))
    else:
        list_queries.check_audit(audit_query(plain))


def job_query(filters: Mapping[str, str]) -> JobQuery:
    """Return the query that ``filters`` of jobs stand for."""
    return JobQuery(
        status=filters.get("status"),
        job_type=filters.get("jobType"),
        user_id=filters.get("userId"),
        search=filters.get("search", ""),
    )


def checkpoint_query(filters: Mapping[str, str]) -> CheckpointQuery:
    """Return the query that ``filters`` of checkpoints stand for; pending ones unless they say."""
    status = filters.get("status", CheckpointStatus.PENDING.value)
    return CheckpointQuery(
        status=None if status == ALL else status,
        checkpoint_type=filters.get("checkpointType"),
        search=filters.get("search", ""),
        job_id=filters.get("jobId"),
        job_type=filters.get("jobType"),
    )


def audit_query(filters: Mapping[str, str]) -> AuditQuery:
    """Return the query that ``filters`` of the journal stand for.

    Raises:
        Invalid: an instant is none.
    """
    return AuditQuery(
        action=filters.get("action"),
        actor_id=filters.get("actorId"),
        job_id=filters.get("jobId"),
        checkpoint_id=filters.get("checkpointId"),
        since=_instant("since", filters.get("since")),
        until=_instant("until", filters.get("until")),
    )


def _instant(name: str, value: str | None) -> datetime | None:
    try:
        return None if value is None else datetime.fromisoformat(value)
    except ValueError:
        raise Invalid.field(name, "use an ISO 8601 text such as 2026-11-21T07:49:38Z.") from None
