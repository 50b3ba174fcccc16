"""Job types on the workers page: what runs, waits and is held; pause, resume, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.errors import FieldError
from agent_console.domain.limits import Caps, JobTypeState
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.views import iso, shown

LABELS = {
    "limits.running": "Running at once",
    "limits.perKey": "Running at once per key",
    "limits.starts": "Starts",
    "limits.per": "Seconds",
}


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A job type. ``refusal`` says why nothing can be changed; empty where it can."""

    job_type: str = ""
    title: str = ""
    running: str = ""
    queued: str = ""
    held: str = ""
    limits: str = ""
    declared: str = ""
    changed: bool = False
    keyed: bool = False
    paused: bool = False
    paused_by: str = ""
    paused_at: str = ""
    reason: str = ""
    refusal: str = ""
    set_running: str = ""
    set_per_key: str = ""
    set_starts: str = ""
    set_per: str = ""


class JobTypes(LiveState, rx.State):
    """The rows on the screen, and the dialog that is open: "pause", "limits" or none."""

    rows: list[TypeRow] = []
    asking: str = ""
    asked: TypeRow = TypeRow()
    wrong: str = ""

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the job types."""
        return await follow(self)

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    def ask_to(self, what: str, job_type: str) -> None:
        """Open the dialog in which a type is paused or limited."""
        found = next((row for row in self.rows if row.job_type == job_type), None)
        if found is not None:
            self._put(asking="limits" if what == "limits" else "pause", asked=found, wrong="")

    @rx.event
    @guarded(Permission.JOBS_READ)
    def turn(self, opened: bool) -> None:
        """Close the dialog."""
        if opened is not True:
            self._put(asking="", wrong="")

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    async def pause(self, form: dict[str, Any]) -> None:
        """Pause the type of the dialog for the reason in the form."""
        reason = str(form.get("reason", "")).strip()
        service = bridge.services().job_types
        name = self.asked.job_type
        done = await bridge.call(service.pause, await self._actor(), name, reason)
        await self._done(done, f"{name} is paused: what runs may end, nothing new starts.")

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    async def resume(self, job_type: str) -> None:
        """Let jobs of a type start again."""
        service = bridge.services().job_types
        done = await bridge.call(service.resume, await self._actor(), str(job_type))
        await self._done(done, f"{job_type} goes on.")

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    async def limit(self, form: dict[str, Any]) -> None:
        """Set the limits in the form for the type of the dialog; empty fields are as declared."""
        try:
            caps = caps_of(form)
        except ValueError as error:
            self._put(wrong=str(error))
            return
        service = bridge.services().job_types
        name = self.asked.job_type
        done = await bridge.call(service.limit, await self._actor(), name, caps)
        await self._done(done, f"The limits of {name} are set.")

    async def _done(self, done: JobTypeState | Failure, text: str) -> None:
        if isinstance(done, Failure):
            if self.asking:
                self._put(wrong=_complaint(done))
            else:
                await self._tell(done.notice)
            return
        self._put(asking="", wrong="")
        await self._tell(bridge.note("success", text))
        await self._reread(await self._actor())

    def _ask(self, actor: Actor) -> Ask:
        service = bridge.services().job_types
        may_not = (
            "" if actor.may(Permission.WORKERS_CONTROL) else refusal(Permission.WORKERS_CONTROL)
        )
        return Ask(
            ("job types",), lambda: [type_row(x, may_not) for x in service.page(actor)], every=5.0
        )

    def _show(self, answer: Sequence[TypeRow]) -> None:
        self._put(rows=list(answer))


def type_row(state: JobTypeState, may_not: str) -> TypeRow:
    """Return what a row shows of ``state``."""
    more = "+" if state.capped else ""
    pause, own = state.pause, state.overrides
    return TypeRow(
        job_type=state.job_type,
        title=state.title,
        running=f"{state.running:,}",
        queued=f"{state.queued:,}{more}",
        held=f"{state.held:,}{more}",
        limits=state.limits.words or "not limited",
        declared=state.declared.words or "not limited",
        changed=state.limits != state.declared,
        keyed=state.keyed,
        paused=pause is not None,
        paused_by=pause.by if pause else "",
        paused_at=iso(pause.at) if pause else "",
        reason=shown(pause.reason, 500) if pause else "",
        refusal=may_not,
        set_running=_typed(own.running),
        set_per_key=_typed(own.per_key),
        set_starts=_typed(own.starts),
        set_per=_typed(own.per),
    )


def _typed(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def caps_of(form: dict[str, Any]) -> Caps:
    """Return the limits that were typed.

    Raises:
        ValueError: names the field that is no number.
    """
    return Caps(
        running=_count(form, "running", "limits.running"),
        per_key=_count(form, "perKey", "limits.perKey"),
        starts=_count(form, "starts", "limits.starts"),
        per=_seconds(form),
    )


def _count(form: dict[str, Any], name: str, field: str) -> int | None:
    typed = str(form.get(name) or "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 8):
        raise ValueError(f"{LABELS[field]}: enter a whole number, or nothing.")
    return int(typed)


def _seconds(form: dict[str, Any]) -> float | None:
    typed = str(form.get("per") or "").strip()
    if not typed:
        return None
    try:
        return float(typed)
    except ValueError:
        raise ValueError(f"{LABELS['limits.per']}: enter a number, or nothing.") from None


def _complaint(failure: Failure) -> str:
    fields: Sequence[FieldError] = failure.fields
    if not fields:
        return failure.notice.text
    return " ".join(f"{LABELS.get(one.field, one.field)}: {one.message}" for one in fields)
