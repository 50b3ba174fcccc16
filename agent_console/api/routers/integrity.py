"""The proof of the journal, and what retention deletes."""

from __future__ import annotations

from typing import Annotated

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.integrity import (
    HeadAnswer,
    HeadOut,
    IntegrityAnswer,
    IntegrityOut,
    RetentionAnswer,
    RetentionOut,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Audit")

Auditor = Annotated[Actor, requires(Permission.AUDIT_READ)]
_VERIFICATION = "/api/audit/verification"


@router.get(
    _VERIFICATION,
    response_model=IntegrityAnswer,
    summary="Show how far the journal is sealed and verified",
    responses=problems(*READING),
)
def verification(actor: Auditor, services: ServicesDep) -> IntegrityAnswer:
    """Return the seals' reach, the last verification, and how far one under way has come."""
    return IntegrityAnswer(verification=IntegrityOut.of(services.audit.integrity(actor)))


@router.post(
    _VERIFICATION,
    response_model=IntegrityAnswer,
    status_code=202,
    summary="Verify the journal in the background",
    responses=problems(*READING, 429),
)
def verify(actor: Auditor, services: ServicesDep) -> IntegrityAnswer:
    """Begin; `GET` tells how far it is, and in the end what was found. One at a time."""
    return IntegrityAnswer(verification=IntegrityOut.of(services.audit.start_verification(actor)))


@router.get(
    "/api/audit/head",
    response_model=HeadAnswer,
    summary="Export the signed head of the journal",
    responses=problems(*ACTING),
)
def head(actor: Auditor, services: ServicesDep) -> HeadAnswer:
    """Return the newest seal, signed: whoever keeps it can prove that the end was not cut off."""
    return HeadAnswer(head=HeadOut.of(services.audit.head(actor)))


@router.get(
    "/api/retention",
    response_model=RetentionAnswer,
    summary="Show what retention keeps and would delete",
    responses=problems(*READING),
)
def retention(actor: Auditor, services: ServicesDep) -> RetentionAnswer:
    """Return the policy, what would go now, and the last run. Nothing is deleted by asking."""
    return RetentionAnswer(retention=RetentionOut.of(services.retention.report(actor)))
