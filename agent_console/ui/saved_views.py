"""Saved queries as the pages know them: addresses of lists, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent_console.domain.access import Actor, Permission
from agent_console.domain.saved_queries import Resource, SavedQuery
from agent_console.ui.audit_params import AuditParams
from agent_console.ui.params import DeskParams, JobsParams

PATHS = {
    "/jobs": Resource.JOBS,
    "/admin/agent-checkpoints": Resource.CHECKPOINTS,
    "/audit": Resource.AUDIT,
}


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved query as a link. ``mine``: it may be deleted by whoever looks."""

    id: str
    name: str
    href: str
    title: str
    current: bool
    mine: bool


def resource_of(path: str) -> Resource | None:
    """Return what the page at ``path`` lists; None when it lists nothing that can be saved."""
    found = [one for base, one in PATHS.items() if path.rstrip("/").startswith(base)]
    return found[0] if found else None


def filters_of(resource: Resource, query: Mapping[str, str]) -> dict[str, str]:
    """Return the filters in the address of a list, as a saved query keeps them."""
    if resource is Resource.AUDIT:
        return AuditParams.parse(query).filters()
    found = _desk(query) if resource is Resource.CHECKPOINTS else _jobs(query)
    return {name: value for name, value in found.items() if value}


def address_of(resource: Resource, filters: Mapping[str, str]) -> str:
    """Return the address of the list that ``filters`` leave."""
    if resource is Resource.AUDIT:
        return AuditParams.of(filters).url()
    if resource is Resource.CHECKPOINTS:
        return DeskParams(
            status=filters.get("status", "PENDING"),
            job_type=filters.get("jobType", ""),
            job=filters.get("jobId", ""),
            kind=filters.get("checkpointType", ""),
            q=filters.get("search", ""),
        ).url()
    terms = [("type", filters.get("jobType")), ("user", filters.get("userId"))]
    words = [f"{name}:{value}" for name, value in terms if value]
    typed = " ".join([*words, filters.get("search", "")]).strip()
    return JobsParams(status=filters.get("status", ""), q=typed).url()


def saved_view(saved: SavedQuery, actor: Actor, query: Mapping[str, str]) -> SavedView:
    """Return the link of ``saved`` for ``actor``, who looks at the list with ``query``."""
    own = saved.owner_id == actor.id
    return SavedView(
        id=saved.id,
        name=saved.name,
        href=address_of(saved.resource, saved.query),
        title=f"Shared by {saved.owner_name}" if not own else "Shared" if saved.shared else "Yours",
        current=filters_of(saved.resource, query) == saved.query,
        mine=own or actor.may(Permission.USERS_MANAGE),
    )


def _jobs(query: Mapping[str, str]) -> dict[str, str]:
    params = JobsParams.parse(query)
    typed, words = params.terms()
    return {
        "status": typed.get("status", "").upper() or params.status,
        "jobType": typed.get("type", ""),
        "userId": typed.get("user", ""),
        "search": typed.get("id") or words,
    }


def _desk(query: Mapping[str, str]) -> dict[str, str]:
    params = replace(DeskParams.parse(query), cursor="")
    return {
        "status": "" if params.status == "PENDING" else params.status,
        "jobType": params.job_type,
        "jobId": params.job,
        "checkpointType": params.kind,
        "search": params.q,
    }
