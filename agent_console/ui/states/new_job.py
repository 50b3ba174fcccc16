"""The New job page: a card per job type, and a form from the chosen type's input schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY, Json, NewJob
from agent_console.domain.records import HandlerInfo
from agent_console.ui import bridge, forms, when
from agent_console.ui.bridge import Failure
from agent_console.ui.forms import Form
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, follow
from agent_console.ui.params import text
from agent_console.ui.states.schema_form import SchemaForm
from agent_console.ui.views import limits_of, shown


@dataclass(frozen=True, slots=True)
class TypeCard:
    """A job type to choose from."""

    job_type: str
    title: str
    description: str
    limits: str
    href: str
    current: bool


class NewJobPage(SchemaForm, rx.State):
    """The form on the screen, and when its job starts."""

    OWN = ("taskDescription", "priority", *when.START_FIELDS)

    cards: list[TypeCard] = []
    paused: str = ""  # by whom the chosen type is, and why
    chosen_limits: str = ""
    description: str = ""
    start: str = when.NOW

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the catalog."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def use_example(self) -> None:
        """Fill the form with input that works."""
        self._begin(self._example)
        self.description = f"Example: {self.chosen_title}"

    @rx.event
    @guarded(Permission.JOBS_READ)
    def set_start(self, start: str) -> None:
        """Start the job now, at a time, or after a delay."""
        if start in when.STARTS:
            rest = {
                name: said for name, said in self.errors.items() if name not in when.START_FIELDS
            }
            self._put(start=start, errors=rest)

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def create(self, form: dict[str, Any]) -> Any:
        """Make the job, or say which fields stand in the way."""
        data, wrong = self._form.collect(form)
        priority = priority_of(form.get("priority"), wrong)
        run_at, delay = when.start_of(form, wrong)
        if wrong:
            self._complain(wrong)
            return None
        new = NewJob(
            job_type=self.chosen,
            input_data=data,
            task_description=str(form.get("taskDescription", "")).strip(),
            priority=priority,
            run_at=run_at,
            delay_seconds=delay,
        )
        jobs = bridge.services().jobs
        actor = await self._actor()
        made = await bridge.call(jobs.enqueue, actor, new, idempotency_key=self._once)
        if isinstance(made, Failure):
            self._complain(made.fields)
            if not made.fields:
                await self._tell(made.notice)
            return None
        self._begin(None)  # who comes back begins anew
        if made.existing:
            await self._tell(bridge.note("info", "There is such a job already; this is it."))
        return rx.redirect(f"/jobs/{made.job.id}")

    def _begin(self, data: Json) -> None:
        self._data, self._form = data, forms.start(self._form.schema, data)
        self._once = self.form_key = bridge.request_id()
        self.fields = self._form.fields(data)
        self.description = self.form_error = ""
        self.start, self.errors = when.NOW, {}

    def _ask(self, actor: Actor) -> Ask:
        allowed = actor.may(Permission.JOBS_CREATE)
        self._put(refusal="" if allowed else refusal(Permission.JOBS_CREATE))
        chosen = text(self.router.url.query_parameters, "type", 200)
        return Ask(("catalog",), lambda: _read(actor), subject=f"type:{chosen}")

    def _show(self, answer: tuple[Sequence[HandlerInfo], dict[str, str]]) -> None:
        known, paused = answer
        wanted = self._subject.removeprefix("type:")
        found = next((one for one in known if one.job_type == wanted), None)
        self._put(cards=[type_card(one, wanted) for one in known], paused=paused.get(wanted, ""))
        if found is None:
            self._put(chosen="", fields=[])
        elif found.job_type != self.chosen or found.input_schema != self._form.schema:
            self.chosen = found.job_type
            self.chosen_title, self.chosen_description = found.title, found.description
            self.chosen_limits = limits_of(found)
            self._example = dict(found.examples[0]) if found.examples else None
            self.has_example = bool(found.examples)
            self._form = Form(found.input_schema, {})
            self._begin(None)


def offered(known: Sequence[HandlerInfo]) -> list[HandlerInfo]:
    """Leave out types that are asked for elsewhere, with more than a form can say."""
    return [info for info in known if info.needs is None]


def _read(actor: Actor) -> tuple[Sequence[HandlerInfo], dict[str, str]]:
    """Return the types to offer, and who paused which of them, and why."""
    services = bridge.services()
    paused = services.job_types.paused(actor)
    words = {name: f"{one.by}: {one.reason}" if one.reason else one.by for name, one in paused}
    return offered(services.jobs.catalog(actor)), {
        name: shown(word, 600) for name, word in words.items()
    }


def type_card(info: HandlerInfo, wanted: str, address: str = "/new?type=") -> TypeCard:
    """Return the card of a job type, current when it is ``wanted``; its page is at ``address``."""
    return TypeCard(
        job_type=info.job_type,
        title=info.title or info.job_type,
        description=info.description,
        limits=limits_of(info),
        href=f"{address}{info.job_type}",
        current=info.job_type == wanted,
    )


def priority_of(typed: object, wrong: list[FieldError]) -> int:
    """Return the priority that was typed; what is none is added to ``wrong``."""
    raw = str(typed or DEFAULT_PRIORITY).strip()
    if raw.isdecimal() and len(raw) < 4 and MIN_PRIORITY <= int(raw) <= MAX_PRIORITY:
        return int(raw)
    wrong.append(FieldError("priority", f"Enter a number from {MIN_PRIORITY} to {MAX_PRIORITY}."))
    return DEFAULT_PRIORITY
