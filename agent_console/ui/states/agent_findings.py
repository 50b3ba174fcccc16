"""The basket: findings of finished sessions that a new session is to start from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Permission
from agent_console.domain.handover import Finding, Handover, joined
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import LiveState
from agent_console.ui.views import iso, percent, shown

MAX_BASKET = 90  # findings on the screen; a session takes fewer
FIELD = "findings"
_INPUT = re.compile(r"finding:(\d{1,4})")


@dataclass(frozen=True, slots=True)
class BasketRow:
    """A finding that may go with the session; ``name`` is its input's."""

    key: str
    name: str
    claim: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A finished session to take findings from."""

    id: str
    topic: str
    note: str
    completed_at: str


class FindingPicker(LiveState, mixin=True):
    """What the form needs to hand findings on. Ticks are the browser's; all are ticked at first."""

    takes_findings: bool = False
    basket: list[BasketRow] = []
    basket_key: str = ""
    sources: list[SourceRow] = []
    sources_open: bool = False
    _findings: str = "[]"  # as text: Reflex would hand out its own kind of lists
    _from: tuple[str, ...] = ()

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def offer_sources(self, project: str) -> None:
        """Show the finished sessions of the project that have findings; again: hide them."""
        if self.sources_open:
            self.sources_open = False
            return
        sessions = bridge.services().sessions
        found = await bridge.call(sessions.with_findings, await self._actor(), project.strip())
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        self.sources = [source_row(one) for one in found if one.session_id not in self._from]
        self.sources_open = True

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def take(self, session_id: str) -> None:
        """Put the findings of a finished session into the basket, beside what is there."""
        sessions = bridge.services().sessions
        found = await bridge.call(sessions.findings, await self._actor(), session_id)
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        if found.session_id not in self._from:
            self._add(found)
        self.sources_open = False

    @rx.event
    @guarded(Permission.JOBS_READ)
    def empty_basket(self) -> None:
        """Take everything out of the basket."""
        self._fill([], ())

    def _add(self, handed: Handover) -> None:
        # Ids are made anew: two sessions may both have an F1.
        everything = joined([*self._held(), *handed.findings])
        self._show_basket(everything[:MAX_BASKET], (*self._from, handed.session_id))

    def _fill(self, findings: Sequence[Finding], sessions: tuple[str, ...]) -> None:
        """Begin a new basket."""
        self.basket_key = bridge.request_id()
        self._show_basket(findings[:MAX_BASKET], sessions)

    def _show_basket(self, findings: Sequence[Finding], sessions: tuple[str, ...]) -> None:
        self._findings, self._from = dumps([*findings]), sessions
        self.basket = [basket_row(n, one) for n, one in enumerate(findings)]

    def _held(self) -> list[Finding]:
        found: list[Finding] = json.loads(self._findings)
        return found

    def _chosen_findings(self, form: Mapping[str, Any]) -> list[dict[str, Json]]:
        """Return the findings that are ticked in ``form``, in the basket's order."""
        numbers = {
            int(m[1])
            for name, value in form.items()
            if value in (True, "on", "true") and (m := _INPUT.fullmatch(name))
        }
        return joined(one for n, one in enumerate(self._held()) if n in numbers)


def takes(schema: Mapping[str, Any]) -> bool:
    """Say whether a session of that schema can be handed findings."""
    found = schema.get("properties", {}).get(FIELD)
    return isinstance(found, dict) and found.get("type") == "array"


def without_findings(schema: dict[str, Any]) -> dict[str, Any]:
    """Return ``schema`` for a form that leaves findings to the basket."""
    if not takes(schema):
        return schema
    rest = {name: one for name, one in schema["properties"].items() if name != FIELD}
    return {**schema, "properties": rest}


def basket_row(number: int, finding: Finding) -> BasketRow:
    """Return the line of the basket for ``finding``; agents may have written anything into it."""
    source, sure = finding.get("source"), finding.get("confidence")
    title = source.get("title") if isinstance(source, dict) else None
    known = isinstance(sure, int | float) and not isinstance(sure, bool)
    return BasketRow(
        key=str(number),
        name=f"finding:{number}",
        claim=shown(str(finding.get("claim", "")), 400),
        source=shown(title, 120) if isinstance(title, str) else "",
        confidence=f"confidence {percent(float(sure))} %" if known else "",  # type: ignore[arg-type]
    )


def source_row(handed: Handover) -> SourceRow:
    """Return the line for a finished session that has findings."""
    count = len(handed.findings)
    return SourceRow(
        id=handed.session_id,
        topic=shown(handed.topic, 120) or handed.agent_type,
        note=f"{count} finding" if count == 1 else f"{count} findings",
        completed_at=iso(handed.completed_at),
    )
