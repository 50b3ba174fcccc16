"""Changing what holds for a job type: declared limits, an operator's overrides, pause and resume.

Only the type's row changes here. Jobs of a type that is limited from now on are held afterwards
(``admission.gate_strays``); until then no claim takes them. Jobs of one that is not limited any
more are let in by the next claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.limits import NO_CAPS, Caps, effective
from agent_console.domain.payload import dumps
from agent_console.store.rows import json_object
from agent_console.store.transactions import Params, Tx

NEW = """
INSERT INTO job_types (job_type, gated, keyed, declared, overrides, spoken_until, updated_at)
VALUES (:job_type, 0, 0, '{}', '{}', 0, {now}) ON CONFLICT (job_type) DO NOTHING
"""

FOUND = """
SELECT gated, keyed, declared, overrides, paused_at, paused_by_name FROM job_types
WHERE job_type = :job_type {for_update}
"""

# What was spoken for under another rate does not last longer than the new one's whole stock.
APPLY = """
UPDATE job_types SET gated = :gated, keyed = :keyed, declared = :declared, overrides = :overrides,
  max_running = :running, max_per_key = :per_key, starts = :starts, start_interval = :interval,
  spoken_until = CASE WHEN spoken_until > {now} + :stock THEN {now} + :stock ELSE spoken_until END,
  updated_at = {now}
WHERE job_type = :job_type
"""

PAUSE = """
UPDATE job_types SET gated = 1, paused_at = {now}, paused_by = :by, paused_by_name = :name,
  pause_reason = :reason, updated_at = {now}
WHERE job_type = :job_type
"""

RESUME = """
UPDATE job_types SET gated = :gated, paused_at = NULL, paused_by = NULL, paused_by_name = NULL,
  pause_reason = NULL, updated_at = {now}
WHERE job_type = :job_type
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What is stored of a job type, locked until the transaction ends."""

    gated: bool
    keyed: bool
    declared: Caps
    overrides: Caps
    paused: bool
    paused_by: str


def caps_text(caps: Caps) -> str:
    """Return ``caps`` as the JSON that is stored."""
    return dumps(caps.to_json())


def caps_of(text: str) -> Caps:
    """Return the caps that are stored as ``text``."""
    found = json_object(text)
    return Caps(
        running=found.get("running"),  # type: ignore[arg-type]  # as caps_text wrote it
        per_key=found.get("perKey"),  # type: ignore[arg-type]
        starts=found.get("starts"),  # type: ignore[arg-type]
        per=found.get("per"),  # type: ignore[arg-type]
    )


def declare(tx: Tx, job_types: Sequence[str], limits: Mapping[str, Caps], actor: Actor) -> bool:
    """Note what a worker's handlers declare; ``limits`` are those of ``job_types`` that have some.

    Returns whether jobs have to be held that were not before. Writes nothing where nothing
    changed: a restart must not wait for claimers.
    """
    noted: dict[str, str] = dict(tx.rows("SELECT job_type, declared FROM job_types"))
    rises = False
    for job_type in sorted(job_types):
        declared = limits.get(job_type, NO_CAPS)
        if caps_text(declared) == noted.get(job_type, "{}"):
            continue
        row = _locked(tx, job_type)
        rises = _apply(tx, job_type, row, declared, row.overrides) or rises
        tx.record(_event("declared", job_type, actor, declared))
    return rises


def limit(tx: Tx, job_type: str, overrides: Caps, actor: Actor) -> bool:
    """Let ``overrides`` hold instead of what is declared; return whether jobs must now be held."""
    row = _locked(tx, job_type)
    rises = _apply(tx, job_type, row, row.declared, overrides)
    tx.record(_event("limited", job_type, actor, overrides))
    crashpoint("job_type.before_commit")
    return rises


def pause(tx: Tx, job_type: str, reason: str, actor: Actor) -> None:
    """Let no job of the type start from the end of this transaction on.

    Waits for a claim of the type that is under way.

    Raises:
        Conflict: it is paused; names by whom.
    """
    row = _locked(tx, job_type)
    if row.paused:
        raise Conflict(f"{job_type} is paused already, by {row.paused_by}.", currentStatus="PAUSED")
    params: Params = {"job_type": job_type, "by": actor.id, "reason": reason}
    tx.execute(PAUSE, {**params, "name": actor.name or actor.kind})
    facts: dict[str, Json] = {"reason": reason} if reason else {}
    tx.record(Event(action="job_type.paused", actor=actor, job_type=job_type, data=facts))
    crashpoint("job_type.before_commit")


def resume(tx: Tx, job_type: str, reason: str, actor: Actor) -> None:
    """Let jobs of the type start again, within its limits.

    Raises:
        Conflict: it is not paused.
    """
    row = _locked(tx, job_type)
    if not row.paused:
        raise Conflict(f"{job_type} is not paused.", currentStatus="ACTIVE")
    gated = int(effective(row.declared, row.overrides).any)
    tx.execute(RESUME, {"job_type": job_type, "gated": gated})
    facts: dict[str, Json] = {"reason": reason} if reason else {}
    tx.record(Event(action="job_type.resumed", actor=actor, job_type=job_type, data=facts))
    crashpoint("job_type.before_commit")


def known(tx: Tx, job_type: str) -> Row | None:
    """Return what is stored of the type, locked; None if nothing is."""
    found = tx.row(FOUND, {"job_type": job_type})
    if found is None:
        return None
    gated, keyed, declared, overrides, paused_at, paused_by = found
    return Row(
        gated=bool(gated),
        keyed=bool(keyed),
        declared=caps_of(declared),
        overrides=caps_of(overrides),
        paused=paused_at is not None,
        paused_by=paused_by or "",
    )


def _locked(tx: Tx, job_type: str) -> Row:
    tx.execute(NEW, {"job_type": job_type})
    row = known(tx, job_type)
    assert row is not None  # noqa: S101 - inserted just now, and rows are never deleted
    return row


def _apply(tx: Tx, job_type: str, row: Row, declared: Caps, overrides: Caps) -> bool:
    caps = effective(declared, overrides)
    interval = None
    if caps.starts is not None and caps.per is not None:
        interval = max(1, round(caps.per * MICROSECONDS / caps.starts))
    gated = caps.any or row.paused
    tx.execute(
        APPLY,
        {
            "job_type": job_type,
            "gated": int(gated),
            "keyed": int(declared.per_key is not None),
            "declared": caps_text(declared),
            "overrides": caps_text(overrides),
            "running": caps.running,
            "per_key": caps.per_key,
            "starts": caps.starts,
            "interval": interval,
            "stock": (interval or 0) * (caps.starts or 0),
        },
    )
    return gated and not row.gated


def _event(what: str, job_type: str, actor: Actor, caps: Caps) -> Event:
    data = caps.to_json()
    return Event(action=f"job_type.{what}", actor=actor, job_type=job_type, data=data)
