"""Configuration templates: what an account keeps to start its next session from."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import check_json
from agent_console.domain.records import HandlerInfo
from agent_console.domain.sessions import ConfigurationTemplate, NewTemplate
from agent_console.services import agent_types, job_requests
from agent_console.services.catalog import Catalog
from agent_console.store import template_writes
from agent_console.store.database import Database
from agent_console.store.ids import new_id

MAX_CONFIGURATION = 65_536  # bytes
ROOT = "taskConfiguration"


class TemplateService:
    """Use cases of templates; everybody sees their own. Every method checks the permission."""

    def __init__(self, db: Database, catalog: Catalog) -> None:
        """Work on ``db`` with the agents of ``catalog``."""
        self._db = db
        self._catalog = catalog

    def mine(self, actor: Actor, agent_type: str | None = None) -> list[ConfigurationTemplate]:
        """Return the actor's templates, of one agent if it is named."""
        authorize(actor, Permission.JOBS_READ)
        job_requests.text("agentType", agent_type, job_requests.MAX_NAME)
        with self._db.read() as reader:
            return template_writes.of_owner(reader, job_requests.who(actor), agent_type)

    def create(self, actor: Actor, new: NewTemplate) -> ConfigurationTemplate:
        """Keep a template. It may lack fields that a session needs: they are asked for then.

        Raises:
            Invalid: a field is not acceptable; those of the agent's own schema read
                ``taskConfiguration.…``.
            TooLarge: the configuration is.
            Conflict: the name is taken for this agent, or there are too many.
        """
        authorize(actor, Permission.JOBS_CREATE)
        if not new.name.strip():
            raise Invalid.field("name", "must not be empty.")
        job_requests.text("name", new.name, job_requests.MAX_NAME)
        agent = agent_types.require(self._catalog, new.agent_type)
        job_requests.check_strategy(new.approval_strategy)
        check_json(new.task_configuration, "taskConfiguration", limit=MAX_CONFIGURATION)
        self._check_fields(agent, new.task_configuration)
        template_id, owner = new_id("tpl"), job_requests.who(actor)
        return self._db.write(lambda tx: template_writes.create(tx, template_id, new, owner, actor))

    def delete(self, actor: Actor, template_id: str) -> None:
        """Delete one of the actor's own templates.

        Raises:
            NotFound: there is none with that id, or it is somebody else's.
        """
        authorize(actor, Permission.JOBS_CREATE)
        owner = job_requests.who(actor)
        self._db.write(lambda tx: template_writes.delete(tx, template_id, owner, actor))

    def _check_fields(self, agent: HandlerInfo, configuration: dict[str, Json]) -> None:
        """Refuse what no session of ``agent`` would accept; what is left out is no fault yet."""
        errors = [
            FieldError(f"{ROOT}.{name}", f"unknown field; known are {', '.join(_names(agent))}.")
            for name in _strangers(agent, configuration)
        ]
        try:
            self._catalog.validate(agent.job_type, configuration)
        except Invalid as error:
            known = {one.field for one in errors}
            refused = [agent_types.as_configuration(one) for one in error.fields]
            missing = {f"{ROOT}.{name}" for name in _names(agent) if name not in configuration}
            errors += [one for one in refused if one.field not in known | missing]
        if errors:
            raise Invalid(fields=errors)


def _names(agent: HandlerInfo) -> list[str]:
    properties = agent.input_schema.get("properties")
    return sorted(properties) if isinstance(properties, dict) else []


def _strangers(agent: HandlerInfo, configuration: dict[str, Json]) -> list[str]:
    """Return the fields that the agent's schema does not name, unless it takes any."""
    if not _names(agent) or agent.input_schema.get("additionalProperties"):
        return []
    return [name for name in configuration if name not in _names(agent)]
