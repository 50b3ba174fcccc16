"""Findings that go from one work session to the next: what was approved, and where it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from agent_console.domain.jobs import Json

MAX_FINDINGS = 30  # a session may be handed

Finding = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The approved findings of a finished session, and the documents that they quote."""

    session_id: str
    project_id: str
    agent_type: str
    topic: str
    findings: tuple[Finding, ...]
    context_document_ids: tuple[str, ...]
    completed_at: datetime | None


def findings_of(output: Json) -> tuple[Finding, ...]:
    """Return the findings in a session's output; none where it has no such thing."""
    listed = output.get("findings") if isinstance(output, dict) else None
    if not isinstance(listed, list):
        return ()
    return tuple(cast("Finding", one) for one in listed if isinstance(one, dict) and "claim" in one)


def topic_of(output: Json, description: str) -> str:
    """Return what a session was about, as it says itself, or else as it was asked."""
    topic = output.get("topic") if isinstance(output, dict) else None
    return topic if isinstance(topic, str) and topic.strip() else description


def joined(findings: Iterable[Finding]) -> list[dict[str, Json]]:
    """Return findings of several sessions in one list, each with an id of its own.

    The first with an id keeps it; a later one of the same id gets the next free number.
    """
    made: list[dict[str, Json]] = []
    taken: set[Json] = set()
    for one in findings:
        name = one.get("id")
        number = len(made) + 1
        while not isinstance(name, str) or not name or name in taken:
            name, number = f"F{number}", number + 1
        taken.add(name)
        made.append({**one, "id": name})
    return made
