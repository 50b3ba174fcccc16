"""Which job types are agents: the console's own, and those a handler declares itself to be."""

from __future__ import annotations

from dataclasses import replace

from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.records import HandlerInfo
from agent_console.domain.sessions import AGENT_TYPES
from agent_console.services.catalog import Catalog


def agents(catalog: Catalog) -> list[HandlerInfo]:
    """Return the agents that can be asked to do something."""
    return [one for one in catalog.handlers() if one.agent or one.job_type in AGENT_TYPES]


def names(catalog: Catalog) -> list[str]:
    """Return the types whose jobs are sessions; sessions outlive the agent that ran them."""
    return sorted({*AGENT_TYPES, *(one.job_type for one in agents(catalog))})


def require(catalog: Catalog, agent_type: str) -> HandlerInfo:
    """Return the agent of that type.

    Raises:
        Invalid: there is none.
    """
    known = agents(catalog)
    found = next((one for one in known if one.job_type == agent_type), None)
    if found is None:
        listed = ", ".join(one.job_type for one in known) or "none"
        raise Invalid.field("agentType", f"unknown agent; known are {listed}.")
    return found


def as_configuration(error: FieldError) -> FieldError:
    """Return the error under the name that clients of sessions know the field by."""
    if error.field == "inputData" or error.field.startswith("inputData."):
        return replace(error, field="taskConfiguration" + error.field.removeprefix("inputData"))
    return error
