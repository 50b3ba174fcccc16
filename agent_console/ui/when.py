"""When: what people typed of times, delays and rules, and slots in words. Pure, no Reflex."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent_console.domain.errors import FieldError
from agent_console.domain.schedules import UTC_ZONE, Rule
from agent_console.services.recurrence import time_zones
from agent_console.ui.views import iso

UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
NOW, AT, AFTER = "now", "at", "after"
START_FIELDS = ("runAt", "timeZone", "delaySeconds")
STARTS = {NOW: "Now", AT: "At a time", AFTER: "After a delay"}


@dataclass(frozen=True, slots=True)
class RunView:
    """A slot ahead: its instant (ISO 8601), and the wall time of the rule's zone."""

    at: str
    wall: str


def run_view(at: datetime, zone: str) -> RunView:
    """Return the slot ``at`` as the wall of ``zone`` shows it."""
    there = at.astimezone(ZoneInfo(zone))
    offset = there.strftime("%z")
    wall = f"{there:%a} {there.day} {there:%b %Y, %H:%M:%S}".removesuffix(":00")
    return RunView(iso(at), f"{wall} (UTC{offset[:3]}:{offset[3:5]})")


def start_of(
    form: Mapping[str, Any], wrong: list[FieldError]
) -> tuple[datetime | None, float | None]:
    """Return the instant or the delay (seconds) that the form asks a job to start at."""
    start = text(form, "start") or NOW
    if start == AT:
        return _instant(form, wrong), None
    if start == AFTER:
        return None, _seconds(form, "delay", "delaySeconds", wrong)
    return None, None


def rule_of(form: Mapping[str, Any], mode: str, wrong: list[FieldError]) -> Rule:
    """Return the rule that the form describes; ``mode`` is ``cron`` or ``interval``."""
    if mode == "interval":
        seconds = _seconds(form, "every", "intervalSeconds", wrong)
        return Rule(interval_seconds=int(seconds or 0))
    cron = text(form, "cron")
    if not cron:
        wrong.append(FieldError("cron", "This is needed."))
    return Rule(cron=cron, time_zone=text(form, "timeZone") or UTC_ZONE)


def split(seconds: int) -> tuple[str, str]:
    """Return ``seconds`` as a count of the largest unit that fits exactly, and that unit."""
    unit = next(name for name in reversed(UNITS) if seconds % UNITS[name] == 0)
    return str(seconds // UNITS[unit]), unit


def own(name: str) -> str:
    """Return the name of a form's own field: none that the input of a job type could have."""
    return f"ac-{name}"


def text(form: Mapping[str, Any], name: str) -> str:
    """Return what was typed into the form's own field ``name``, trimmed."""
    return str(form.get(own(name)) or "").strip()


def _instant(form: Mapping[str, Any], wrong: list[FieldError]) -> datetime | None:
    zone = text(form, "timeZone") or UTC_ZONE
    if zone not in time_zones():
        wrong.append(FieldError("timeZone", "Choose a time zone, such as Europe/Berlin."))
        return None
    try:
        wall = datetime.fromisoformat(text(form, "runAt"))
    except ValueError:
        wrong.append(FieldError("runAt", "Choose a date and a time."))
        return None
    return wall.replace(tzinfo=ZoneInfo(zone))


def _seconds(
    form: Mapping[str, Any], name: str, field: str, wrong: list[FieldError]
) -> float | None:
    unit = UNITS.get(text(form, f"{name}Unit"), 60)
    typed = text(form, name)
    if not typed.isdecimal() or len(typed) > 9 or int(typed) < 1:
        wrong.append(FieldError(field, "Enter a whole number above 0."))
        return None
    return int(typed) * unit
