"""The Agents page: a card per agent, a form from its schema, context, and how it is approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.context import MAX_DOCUMENTS
from agent_console.domain.errors import ConsoleError, FieldError
from agent_console.domain.handover import Handover
from agent_console.domain.jobs import Json
from agent_console.domain.records import HandlerInfo
from agent_console.domain.sessions import (
    DEFAULT_STRATEGY,
    ConfigurationTemplate,
    NewSession,
    NewTemplate,
)
from agent_console.ui import bridge, forms
from agent_console.ui.bridge import Failure
from agent_console.ui.document_forms import new_document
from agent_console.ui.forms import Form
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, follow
from agent_console.ui.params import address, text
from agent_console.ui.states.agent_documents import (
    DocumentPicker,
    Offer,
    chosen_documents,
    offer,
)
from agent_console.ui.states.agent_findings import (
    FIELD,
    FindingPicker,
    takes,
    without_findings,
)
from agent_console.ui.states.schema_form import SchemaForm
from agent_console.ui.views import shown

DEFAULT_PROJECT = "default"
STRATEGIES = {
    "checkpoint_required": ("Ask at every checkpoint", "A person decides each time."),
    "final_only": ("Ask once, at the end", "Only the result is shown for a decision."),
    "auto_approve_low_risk": (
        "Let a policy approve low risk",
        "What carries no finding above LOW goes on; the journal names the policy.",
    ),
}


@dataclass(frozen=True, slots=True)
class AgentCard:
    """An agent to choose from."""

    agent_type: str
    title: str
    description: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A configuration of one's own to start from."""

    id: str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class _Answer:
    agents: Sequence[HandlerInfo]
    offer: Offer
    templates: Sequence[ConfigurationTemplate]
    handed: Handover | None
    handed_problem: str


@dataclass(frozen=True, slots=True)
class _Place:
    """What the address says: agent, template, project, a session to take findings from."""

    agent: str = ""
    template: str = ""
    project: str = ""
    source: str = ""
    documents: str = ""


class AgentsPage(SchemaForm, DocumentPicker, FindingPicker, rx.State):
    """The form on the screen, with context, findings and templates."""

    OWN = ("taskDescription", "projectId", "title", "content")

    cards: list[AgentCard] = []
    description: str = ""
    project: str = DEFAULT_PROJECT
    handed_problem: str = ""
    paste_key: str = ""
    strategy: str = DEFAULT_STRATEGY
    templates: list[TemplateRow] = []
    naming: bool = False
    context_refusal: str = ""
    _intent: str = "keep"
    _draft: NewTemplate | None = None
    _place: _Place = _Place()
    _shown_place: _Place | None = None

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow agents and documents."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def use_example(self) -> None:
        """Fill the form with a configuration that works."""
        self._begin(self._example)
        self._take_given(self._example)
        self.description = f"Example: {self.chosen_title}"

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    def intend(self, intent: str) -> None:
        """Say what the form is sent for next: to run, to keep the session, or as a template."""
        self._intent = intent if intent in {"run", "template"} else "keep"

    @rx.event
    @guarded(Permission.CONTEXT_WRITE)
    async def add_document(self, form: dict[str, Any]) -> None:
        """Keep a pasted text as a context document, chosen for this session."""
        context = bridge.services().context
        made = await bridge.call(context.create, await self._actor(), new_document(form))
        if isinstance(made, Failure):
            self._complain(made.fields)
            if not made.fields:
                await self._tell(made.notice)
            return
        self._complain(())
        # The list itself comes with the page's next reading, which the commit has asked for:
        # a reading that began before it must not be able to take the document away again.
        self._tick_only((*self._ticked, made.document.id))
        self.paste_key = bridge.request_id()
        await self._tell(bridge.note("success", "The document is kept and chosen."))

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def create(self, form: dict[str, Any]) -> Any:
        """Make the session, or say which fields stand in the way."""
        configuration, wrong = self._form.collect(form)
        strategy = str(form.get("approvalStrategy", DEFAULT_STRATEGY))
        if self._intent == "template":
            return self._ask_for_name(configuration, strategy, wrong)
        if wrong:
            self._complain(wrong)
            return None
        findings = self._chosen_findings(form) if self.takes_findings else []
        if findings:
            configuration[FIELD] = [*findings]
        new = NewSession(
            agent_type=self.chosen,
            task_description=str(form.get("taskDescription", "")).strip(),
            task_configuration=configuration,
            context_document_ids=chosen_documents(form),
            approval_strategy=strategy,
            basket_id=self._from[0] if findings and self._from else None,
            metadata={"findingsFrom": [*self._from]} if findings and self._from else {},
            auto_execute=self._intent == "run",
        )
        made = await bridge.call(
            bridge.services().sessions.create,
            await self._actor(),
            str(form.get("project", "")).strip(),
            new,
            idempotency_key=f"{self._once}-{self._intent}",
        )
        if isinstance(made, Failure):
            self._complain([_for_form(error) for error in made.fields])
            if not made.fields:
                await self._tell(made.notice)
            return None
        self._complain(())
        self._once = bridge.request_id()
        self._tick_only(())
        self._fill([], ())
        self._shown_place = None
        return rx.redirect(f"/jobs/{made.session.id}")

    def _ask_for_name(
        self, configuration: dict[str, Json], strategy: str, wrong: Sequence[FieldError]
    ) -> None:
        """Hold what was typed until it has a name; fields may be empty, but not wrong."""
        wrong = [one for one in wrong if one.message != forms.NEEDED]
        self._complain(wrong)
        if not wrong:
            self._draft = NewTemplate(
                name="",
                agent_type=self.chosen,
                task_configuration=configuration,
                approval_strategy=strategy,
            )
            self.naming = True

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def save_template(self, form: dict[str, Any]) -> None:
        """Keep what was held, under the name in ``form``."""
        if self._draft is None:
            return
        new = replace(self._draft, name=str(form.get("templateName", "")).strip())
        templates = bridge.services().templates
        made = await bridge.call(templates.create, await self._actor(), new)
        if isinstance(made, Failure):
            self._complain([_for_form(one) for one in made.fields if one.field != "name"])
            names = [one.message for one in made.fields if one.field == "name"]
            if names or not made.fields:
                self.errors = {"templateName": names[0] if names else made.notice.text}
            else:
                self._draft, self.naming = None, False
            return
        self._draft, self.naming, self.errors = None, False, {}
        await self._tell(bridge.note("success", "The template is kept; only you see it."))

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    def forget_name(self) -> None:
        """Do not keep a template after all."""
        self._draft, self.naming = None, False

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def delete_template(self, template_id: str) -> None:
        """Delete one of one's own templates."""
        templates = bridge.services().templates
        gone = await bridge.call(templates.delete, await self._actor(), str(template_id))
        if isinstance(gone, Failure):
            await self._tell(gone.notice)

    def _begin(self, data: Json) -> None:
        self._data, self._form = data, forms.start(self._form.schema, data)
        self._once = self.form_key = bridge.request_id()
        self.fields = self._form.fields(data)
        self.description = self.form_error = ""
        self.errors = {}

    def _ask(self, actor: Actor) -> Ask:
        for name, permission in (
            ("refusal", Permission.JOBS_CREATE),
            ("context_refusal", Permission.CONTEXT_WRITE),
        ):
            self._put(**{name: "" if actor.may(permission) else refusal(permission)})
        query = self.router.url.query_parameters
        names = {"agent": 200, "template": 200, "project": 200, "documents": 4_000}
        place = _Place(
            source=text(query, "from"),
            **{name: text(query, name, limit) for name, limit in names.items()},
        )
        if place != self._place:
            if place.documents != self._place.documents:
                self._tick_only(place.documents.split(","))
            self._place = place
        ticked, wanted = self._ticked, self.document_q
        key = ("agents", actor.id, place, ticked, wanted)
        return Ask(key, lambda: _read(actor, place, wanted, ticked), subject=repr(place))

    def _show(self, answer: _Answer) -> None:
        place, before = self._place, self._shown_place
        found = next((one for one in answer.agents if one.job_type == place.agent), None)
        self._put(
            cards=[_card(one, place) for one in answer.agents],
            templates=[_template(one) for one in answer.templates],
            handed_problem=answer.handed_problem,
        )
        handed = answer.handed
        new_source = handed is not None and (before is None or before.source != place.source)
        if handed is not None and new_source:
            self._tick_only((*self._ticked, *handed.context_document_ids))
            self._fill(handed.findings, (handed.session_id,))
        self._put(project=place.project or (handed.project_id if handed else "") or DEFAULT_PROJECT)
        self._show_documents(answer.offer)
        self._shown_place = place
        if found is None:
            self._put(chosen="", fields=[])
            return
        schema = without_findings(found.input_schema)
        if (
            new_source
            or (self.chosen, self._form.schema) != (found.job_type, schema)
            or (before is None or before.template != place.template)
        ):
            self._open_form(found, schema, answer)

    def _open_form(self, found: HandlerInfo, schema: dict[str, Any], answer: _Answer) -> None:
        """Show the form of another agent, template or source."""
        self.chosen = found.job_type
        self.chosen_title = found.title or found.job_type
        self.chosen_description = found.description
        self._example = dict(found.examples[0]) if found.examples else None
        self.has_example = bool(found.examples)
        self.takes_findings = takes(found.input_schema)
        self._form = Form(schema, {})
        wanted = self._place.template
        template = next((one for one in answer.templates if one.id == wanted), None)
        self.naming = False
        self.strategy = (template and template.approval_strategy) or DEFAULT_STRATEGY
        data: Json = template.task_configuration if template else None
        if (
            template is None
            and answer.handed is not None
            and "topic" in schema.get("properties", {})
        ):
            data = {"topic": answer.handed.topic}
        self._begin(data)
        self._take_given(data)

    def _take_given(self, data: Json) -> None:
        """Put the findings of an example or a template into the basket."""
        given = data.get(FIELD) if isinstance(data, dict) else None
        listed = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        if listed:
            self._fill(listed, ())


def _read(actor: Actor, place: _Place, wanted: str, ticked: Sequence[str]) -> _Answer:
    services = bridge.services()
    handed, problem = None, ""
    if place.source:
        try:
            handed = services.sessions.findings(actor, place.source)
        except ConsoleError as error:
            if error.status >= 500:
                raise
            problem = error.message
    more = handed.context_document_ids if handed else ()
    return _Answer(
        agents=services.sessions.agents(actor),
        offer=offer(actor, wanted, list(dict.fromkeys((*ticked, *more)))[:MAX_DOCUMENTS]),
        templates=services.templates.mine(actor, place.agent) if place.agent else [],
        handed=handed,
        handed_problem=problem,
    )


def _template(template: ConfigurationTemplate) -> TemplateRow:
    place = {"agent": template.agent_type, "template": template.id}
    return TemplateRow(template.id, shown(template.name, 100), address("/agents", place))


def _card(info: HandlerInfo, place: _Place) -> AgentCard:
    kept = {"project": place.project, "from": place.source, "documents": place.documents}
    return AgentCard(
        agent_type=info.job_type,
        title=info.title or info.job_type,
        description=info.description,
        href=address("/agents", {"agent": info.job_type, **kept}),
        current=info.job_type == place.agent,
    )


def _for_form(error: FieldError) -> FieldError:
    """Return the error under the name that the form knows the field by."""
    prefix = "taskConfiguration"
    if error.field == prefix or error.field.startswith(f"{prefix}."):
        return replace(error, field=forms.ROOT + error.field.removeprefix(prefix))
    return error
