"""``/api/configuration-templates``: task configurations an account keeps to use again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import TemplateParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Success
from agent_console.api.schemas.sessions import (
    NewTemplateIn,
    TemplateAnswer,
    TemplateOut,
    TemplatesAnswer,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Templates")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]


@router.get(
    "/api/configuration-templates",
    response_model=TemplatesAnswer,
    summary="List your configuration templates",
    responses=problems(*READING),
)
def list_templates(
    actor: Reader,
    services: ServicesDep,
    query: Annotated[TemplateParams, Query()],
) -> TemplatesAnswer:
    """Return all of yours by agent and name; there are at most 200."""
    mine = services.templates.mine(actor, query.agent_type)
    return TemplatesAnswer(templates=[TemplateOut.model_validate(one) for one in mine])


@router.post(
    "/api/configuration-templates",
    status_code=201,
    response_model=TemplateAnswer,
    summary="Keep a configuration template",
    responses=problems(*WRITING),
)
def create(actor: Creator, services: ServicesDep, body: NewTemplateIn) -> TemplateAnswer:
    """Keep it under a name that is yours alone; 409 when you have one of that name."""
    made = services.templates.create(actor, body.to_new_template())
    return TemplateAnswer(template=TemplateOut.model_validate(made))


@router.delete(
    "/api/configuration-templates/{templateId}",
    response_model=Success,
    summary="Delete a configuration template",
    responses=problems(*READING_ONE),
)
def delete(actor: Creator, services: ServicesDep, templateId: str) -> Success:  # noqa: N803
    """Delete one of yours; sessions made from it keep their configuration."""
    services.templates.delete(actor, templateId)
    return Success()
