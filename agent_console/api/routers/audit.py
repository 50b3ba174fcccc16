"""``/api/audit``: the journal."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import AuditParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.records import AuditAnswer, JournalEntryOut
from agent_console.domain.access import Actor, Permission

router = resource_router("Audit")

Auditor = Annotated[Actor, requires(Permission.AUDIT_READ)]


@router.get(
    "/api/audit",
    response_model=AuditAnswer,
    summary="Read the journal, newest first",
    responses=problems(*READING),
)
def entries(
    actor: Auditor,
    services: ServicesDep,
    query: Annotated[AuditParams, Query()],
) -> AuditAnswer:
    """Return one page of what was done, by whom, with which verdict."""
    page = services.audit.page(actor, query.to_query())
    return AuditAnswer(
        entries=[JournalEntryOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )
