"""The form of a schedule: a new one, or one that is changed, with a look ahead while typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import DEFAULT_PRIORITY, Json
from agent_console.domain.records import HandlerInfo
from agent_console.domain.schedules import (
    UTC_ZONE,
    CatchUp,
    NewSchedule,
    Overlap,
    Rule,
    ScheduleChange,
    ScheduleView,
)
from agent_console.ui import bridge, forms, when
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, follow
from agent_console.ui.params import text
from agent_console.ui.schedule_views import schedule_row
from agent_console.ui.states.new_job import TypeCard, offered, priority_of, type_card
from agent_console.ui.states.schema_form import SchemaForm
from agent_console.ui.when import RunView, run_view

STRATEGIES = ("checkpoint_required", "final_only", "auto_approve_low_risk")
_RULE = ("cron", "timeZone", "intervalSeconds")


@dataclass(frozen=True, slots=True)
class ScheduleDraft:
    """What the fields hold when the form appears."""

    name: str = ""
    description: str = ""
    priority: str = str(DEFAULT_PRIORITY)
    project: str = ""
    strategy: str = ""
    cron: str = "0 3 * * *"
    time_zone: str = UTC_ZONE
    every: str = "1"
    unit: str = "hours"
    catch_up: str = CatchUp.LATEST.value
    overlap: str = Overlap.ALLOW.value


class ScheduleForm(SchemaForm, rx.State):
    """The form on the screen, with its rule and the look ahead."""

    OWN = ("name", *_RULE, "priority", "projectId", "taskDescription")

    types: list[TypeCard] = []
    editing: bool = False
    schedule_id: str = ""  # whose fields are shown; a new one has none
    draft: ScheduleDraft = ScheduleDraft()
    mode: str = "cron"
    words: str = ""
    runs: list[RunView] = []
    _rule: dict[str, str] = {}
    _of: ScheduleView | None = None  # what the fields were filled in from
    _filled: str = ""  # the loop that has filled them in

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the catalog, and the schedule in the address."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def appear(self) -> None:
        """Follow the fields, which are new on the screen: what was typed before is in none."""
        self._restart()
        await self._look_ahead()

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def set_mode(self, mode: str) -> None:
        """Count by a cron expression, or by an interval."""
        if mode in {"cron", "interval"}:
            self.mode = mode
            await self._look_ahead()

    # An event per field: a debounced one takes the place of another of its name, so that of two
    # fields filled in quickly the first would be lost.

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def type_cron(self, value: str) -> None:
        """Take over the cron expression, and look ahead."""
        await self._typed("cron", value)

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def type_zone(self, value: str) -> None:
        """Take over the time zone, and look ahead."""
        await self._typed("timeZone", value)

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def type_every(self, value: str) -> None:
        """Take over the number of units, and look ahead."""
        await self._typed("every", value)

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def type_unit(self, value: str) -> None:
        """Take over the unit, and look ahead."""
        await self._typed("everyUnit", value)

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def save(self, form: dict[str, Any]) -> Any:
        """Keep the schedule, or say which fields stand in the way."""
        data, wrong = self._form.collect(form)
        new = self._collected(form, data, wrong)
        if wrong:
            self._complain(wrong)
            return None
        service, actor = bridge.services().schedules, await self._actor()
        if self.editing:
            done = await bridge.call(service.change, actor, self.schedule_id, _change(new))
        else:
            done = await bridge.call(service.create, actor, new)
        if isinstance(done, Failure):
            self._complain(done.fields)
            if not done.fields:
                await self._tell(done.notice)
            return None
        self._put(form_key="", schedule_id="")  # who comes back begins anew
        await self._tell(bridge.note("success", f"The schedule is kept: {done.words}."))
        return rx.redirect("/schedules")

    def _collected(
        self, form: dict[str, Any], data: dict[str, Json], wrong: list[FieldError]
    ) -> NewSchedule:
        name = when.text(form, "name")
        if not name:
            wrong.append(FieldError("name", forms.NEEDED))
        return NewSchedule(
            name=name,
            job_type=self.chosen,
            rule=when.rule_of(form, self.mode, wrong),
            input_data=data,
            task_description=when.text(form, "taskDescription"),
            priority=priority_of(when.text(form, "priority"), wrong),
            project_id=when.text(form, "projectId") or None,
            approval_strategy=when.text(form, "approvalStrategy") or None,
            catch_up=_known(CatchUp, when.text(form, "catchUp"), CatchUp.LATEST),
            overlap=_known(Overlap, when.text(form, "overlap"), Overlap.ALLOW),
        )

    async def _typed(self, name: str, value: str) -> None:
        self._rule = {**self._rule, when.own(name): str(value)[:300]}
        await self._look_ahead()

    async def _look_ahead(self) -> None:
        wrong: list[FieldError] = []
        rule = when.rule_of(self._rule, self.mode, wrong)
        found: Any = None
        if not wrong:
            service = bridge.services().schedules
            found = await bridge.call(service.preview, await self._actor(), rule)
            if isinstance(found, Failure):
                wrong = list(found.fields) or [FieldError("cron", found.notice.text)]
        rest = {name: said for name, said in self.errors.items() if name not in _RULE}
        self._put(errors=rest | {one.field: one.message for one in wrong})
        self._put(words="" if wrong else found.words)
        zone = rule.time_zone
        self._put(runs=[] if wrong else [run_view(one, zone) for one in found.next_runs])

    def _ask(self, actor: Actor) -> Ask:
        query = self.router.url.query_parameters
        editing = self.router.url.path.rstrip("/").endswith("/edit")
        wanted = text(query, "id", 100) if editing else ""
        chosen = text(query, "type", 200)
        subject = f"schedule:{wanted}:{chosen}" if editing else "schedule:new"
        return Ask(
            ("schedule form", wanted, chosen, editing, actor.id),
            lambda: _read(actor, wanted, chosen, editing=editing),
            subject=subject,
        )

    def _show(self, answer: dict[str, Any]) -> None:
        schedule: ScheduleView | None = answer["schedule"]
        info: HandlerInfo | None = answer["chosen"]
        self._put(types=answer["types"], editing=answer["editing"])
        self._put(refusal=answer["refusal"])
        wanted = schedule.id if schedule else ""
        # What differs from what was filled in is the change: while somebody is here it holds still.
        elsewhere = self._filled != self._loop and not _alike(schedule, self._of)
        if wanted != self.schedule_id or not self.form_key or elsewhere:
            self._begin(schedule, wanted)
        self._filled = self._loop
        if info is None:
            self._put(chosen="", fields=[])
        elif info.job_type != self.chosen or info.input_schema != self._form.schema:
            own = schedule is not None and schedule.job_type == info.job_type
            self._data = schedule.input_data if schedule and own else None
            self._form = forms.start(info.input_schema, self._data)
            self._put(chosen=info.job_type, chosen_title=info.title or info.job_type)
            self.fields = self._form.fields(self._data)
        if self.chosen and not self.words and not self.errors and answer["runs"]:
            self._put(words=answer["words"], runs=answer["runs"])

    def _begin(self, schedule: ScheduleView | None, wanted: str) -> None:
        self._of = schedule
        self.schedule_id, self.form_key = wanted, bridge.request_id()
        self.draft = ScheduleDraft() if schedule is None else _draft(schedule)
        self._restart()
        self.chosen = ""

    def _restart(self) -> None:
        """Begin with what the draft holds."""
        interval = self._of is not None and self._of.rule.cron is None
        self.mode = "interval" if interval else "cron"
        draft = self.draft
        self._rule = {
            when.own("cron"): draft.cron,
            when.own("timeZone"): draft.time_zone,
            when.own("every"): draft.every,
            when.own("everyUnit"): draft.unit,
        }
        self.errors, self.form_error, self.words, self.runs = {}, "", "", []


def _read(actor: Actor, schedule_id: str, chosen: str, *, editing: bool) -> dict[str, Any]:
    services = bridge.services()
    catalog = services.jobs.catalog(actor)
    schedule = services.schedules.get(actor, schedule_id) if editing else None
    wanted = chosen or (schedule.job_type if schedule else "")
    rule = schedule.rule if schedule else Rule(cron=ScheduleDraft().cron)
    ahead = services.schedules.preview(actor, rule)
    same = f"/schedules/edit?id={schedule_id}&type=" if schedule_id else "/schedules/new?type="
    allowed = actor.may(Permission.JOBS_CREATE)
    why_not = "" if allowed else refusal(Permission.JOBS_CREATE)
    return {
        "types": [type_card(one, wanted, same) for one in offered(catalog)],
        "chosen": next((one for one in catalog if one.job_type == wanted), None),
        "schedule": schedule,
        "editing": editing,
        "refusal": schedule_row(schedule, actor).edit_refusal if schedule else why_not,
        "words": ahead.words,
        "runs": [run_view(one, rule.time_zone) for one in ahead.next_runs],
    }


def _alike(one: ScheduleView | None, other: ScheduleView | None) -> bool:
    """Say whether the fields would hold the same."""
    if one is None or other is None:
        return one is other
    told = [(_draft(each), each.job_type, each.input_data) for each in (one, other)]
    return told[0] == told[1]


def _draft(schedule: ScheduleView) -> ScheduleDraft:
    rule, plain = schedule.rule, ScheduleDraft()
    every, unit = (plain.every, plain.unit)
    if rule.interval_seconds is not None:
        every, unit = when.split(rule.interval_seconds)
    return ScheduleDraft(
        name=schedule.name,
        description=schedule.task_description,
        priority=str(schedule.priority),
        project=schedule.project_id or "",
        strategy=schedule.approval_strategy or "",
        cron=rule.cron or plain.cron,
        time_zone=rule.time_zone,
        every=every,
        unit=unit,
        catch_up=schedule.catch_up.value,
        overlap=schedule.overlap.value,
    )


def _change(new: NewSchedule) -> ScheduleChange:
    rule = new.rule
    return ScheduleChange(
        name=new.name,
        job_type=new.job_type,
        cron=rule.cron,
        time_zone=rule.time_zone if rule.cron is not None else None,
        interval_seconds=rule.interval_seconds,
        input_data=new.input_data,
        task_description=new.task_description,
        priority=new.priority,
        project_id=new.project_id or "",
        approval_strategy=new.approval_strategy or "",
        catch_up=new.catch_up,
        overlap=new.overlap,
    )


def _known(kind: Any, value: object, default: Any) -> Any:
    return next((one for one in kind if one.value == value), default)
