"""The values of recorded calls: what a run hands to the store, what a handler sees of its job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import BaseModel

from agent_console.domain.checkpoints import CheckpointType
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, check_json, digest, in_order, loads
from agent_console.domain.questions import MEMBER
from agent_console.domain.records import ArtifactType
from agent_console.domain.risk import NO_RISK
from agent_console.runtime.replay import Turn
from agent_console.runtime.run import Run
from agent_console.store.engine_values import Claimed, NewCheckpoint, NewStep

MAX_EXPIRY = timedelta(days=3650)
MAX_ROUNDS = 100


class Change(Protocol):
    """Something a reviewer is shown before and after, such as ``FileChange``."""

    def to_json(self) -> dict[str, Json]:
        """Return the change as part of the payload that is digested."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """The job a handler works on. ``attempt`` counts from 1; instants are aware UTC."""

    id: str
    type: str
    description: str
    attempt: int
    max_attempts: int
    user_id: str | None
    user_name: str | None
    project_id: str | None
    task_configuration: Json
    context_document_id: str | None
    approval_strategy: str | None
    priority: int
    metadata: Json
    created_at: datetime


def facts(claimed: Claimed) -> JobFacts:
    """Return what a handler may know of its job."""
    configuration = claimed.task_configuration
    return JobFacts(
        id=claimed.key.job_id,
        type=claimed.job_type,
        description=claimed.task_description,
        attempt=claimed.attempt,
        max_attempts=claimed.max_attempts,
        user_id=claimed.user_id,
        user_name=claimed.user_name,
        project_id=claimed.project_id,
        task_configuration=None if configuration is None else loads(configuration),
        context_document_id=claimed.context_document_id,
        approval_strategy=claimed.approval_strategy,
        priority=claimed.priority,
        metadata=loads(claimed.metadata),
        created_at=from_micros(claimed.created_micros),
    )


def new_step(
    run: Run,
    turn: Turn,
    kind: str,
    name: str,
    *,
    result: str | None = None,
    started: datetime | None = None,
) -> NewStep:
    """Return the record of a call; ``result`` is canonical JSON text."""
    now = run.surroundings.clock.now()
    return NewStep(
        position=turn.position,
        kind=kind,
        name=name,
        result=result,
        attempt=run.claimed.attempt,
        code_version=run.spec.version,
        started_at=started or now,
        finished_at=now,
    )


def checkpoint(
    run: Run,
    turn: Turn,
    kind: CheckpointType,
    *,
    name: str,
    message: str,
    payload: str,
    metadata: Mapping[str, Json] | None = None,
    expires_in: timedelta | None = None,
    edit: type[BaseModel] | None = None,
    rounds: int | None = None,
    risk: str = NO_RISK,
    insists: bool = False,
) -> NewCheckpoint:
    """Return a checkpoint with its step; ``payload`` is the canonical text that is digested.

    Raises:
        Invalid: message or metadata cannot be stored.
    """
    facts = dict(metadata or {})
    check_json({"message": message, "metadata": facts}, "checkpoint")
    call = "approve" if kind is CheckpointType.APPROVAL_REQUIRED else kind.value.lower()
    return NewCheckpoint(
        step=new_step(run, turn, call, name),
        job_type=run.claimed.job_type,
        checkpoint_type=kind,
        message=message,
        payload=payload,
        payload_digest=digest(payload),
        metadata=canonical(facts),
        edit_schema=None if edit is None else in_order(edit.model_json_schema(by_alias=True)),
        expires_in=expires_in,
        rounds=rounds,
        risk=risk,
        insists=insists,
    )


def check_rounds(rounds: int | None) -> None:
    """Refuse a number of rounds that offers no second one, or never ends.

    Raises:
        Invalid: it is not from 2 to 100.
    """
    if rounds is not None and not 2 <= rounds <= MAX_ROUNDS:
        raise Invalid.field("rounds", f"must be from 2 to {MAX_ROUNDS}.")


def check_expiry(expires_in: timedelta | None) -> None:
    """Refuse an expiry that has passed already, or that no calendar could show.

    Raises:
        Invalid: it is not above zero and at most ten years.
    """
    if expires_in is not None and not timedelta(0) < expires_in <= MAX_EXPIRY:
        raise Invalid.field("expires_in", "must be above zero and at most ten years.")


def plain(data: Json | BaseModel) -> Json:
    """Return ``data`` as JSON makes it, models under the names of the wire."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json", by_alias=True)
    check_json(data, "data")
    return loads(canonical(data))


def payload(
    action: str,
    data: Json,
    changes: Sequence[Mapping[str, Json]] = (),
    findings: Sequence[Json] = (),
    answer: Mapping[str, Json] | None = None,
) -> str:
    """Return the canonical text of what is shown, decided and digested.

    Without findings, or where no ``answer`` is asked for, the document has no such field: it reads
    as it did before there were any.
    """
    document: dict[str, Json] = {"action": action, "data": data, "changes": [*map(dict, changes)]}
    if findings:
        document["findings"] = list(findings)
    if answer is not None:
        document[MEMBER] = dict(answer)
    check_json(document, "payload")
    return canonical(document)


def artifact_type(name: str) -> ArtifactType:
    """Return the artifact type called ``name``.

    Raises:
        Invalid: there is none; the message lists them.
    """
    try:
        return ArtifactType(name)
    except ValueError:
        allowed = ", ".join(ArtifactType)
        raise Invalid.field("type", f"{name!r} is not an artifact type ({allowed})") from None
