"""Configuration templates: kept per account, found by agent type."""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.payload import dumps
from agent_console.domain.sessions import ConfigurationTemplate, NewTemplate
from agent_console.store import rows
from agent_console.store.transactions import Queries, Tx

MAX_TEMPLATES = 200  # an account may keep


def of_owner(
    reader: Queries, owner_id: str, agent_type: str | None = None
) -> list[ConfigurationTemplate]:
    """Return the account's templates by agent type and name."""
    condition = "" if agent_type is None else " AND agent_type = :agent_type"
    found = reader.dicts(
        f"SELECT * FROM configuration_templates WHERE owner_id = :owner_id{condition}"
        " ORDER BY agent_type, name, id",
        {"owner_id": owner_id, "agent_type": agent_type},
    )
    return [rows.configuration_template(row) for row in found]


def create(
    tx: Tx, template_id: str, new: NewTemplate, owner_id: str, actor: Actor
) -> ConfigurationTemplate:
    """Insert the template.

    Raises:
        Conflict: the account has one of that name for that agent, or as many as it may keep.
    """
    count = tx.row(
        "SELECT count(*) FROM configuration_templates WHERE owner_id = :owner_id",
        {"owner_id": owner_id},
    )
    if count is not None and count[0] >= MAX_TEMPLATES:
        raise Conflict(f"You keep {MAX_TEMPLATES} templates already; delete one first.")
    made = tx.dicts(
        "INSERT INTO configuration_templates (id, name, agent_type, task_configuration,"
        " approval_strategy, owner_id, created_at) VALUES (:id, :name, :agent_type,"
        " :task_configuration, :approval_strategy, :owner_id, {now})"
        " ON CONFLICT (owner_id, agent_type, name) DO NOTHING RETURNING *",
        {
            "id": template_id,
            "name": new.name,
            "agent_type": new.agent_type,
            "task_configuration": dumps(new.task_configuration),
            "approval_strategy": new.approval_strategy,
            "owner_id": owner_id,
        },
    )
    if not made:
        raise Conflict(f"You have a template {new.name!r} for this agent already.")
    tx.record(_event("template.created", actor, template_id, new.name))
    return rows.configuration_template(made[0])


def delete(tx: Tx, template_id: str, owner_id: str, actor: Actor) -> None:
    """Delete the account's own template.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    gone = tx.rows(
        "DELETE FROM configuration_templates WHERE id = :id AND owner_id = :owner_id"
        " RETURNING name",
        {"id": template_id, "owner_id": owner_id},
    )
    if not gone:
        raise NotFound(f"There is no template {template_id}.")
    tx.record(_event("template.deleted", actor, template_id, gone[0][0]))


def _event(action: str, actor: Actor, template_id: str, name: str) -> Event:
    return Event(action=action, actor=actor, subject_id=template_id, data={"name": name})
