"""What the engine and its store say to each other about a run. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from agent_console.domain.checkpoints import DEFAULT_EXPIRY, CheckpointStatus, CheckpointType
from agent_console.domain.comments import Comment
from agent_console.domain.jobs import JobError, JobVerb, Json
from agent_console.domain.limits import Caps
from agent_console.domain.parking import ParkCode
from agent_console.domain.records import ArtifactType, LogLevel, Step
from agent_console.domain.risk import NO_RISK


class RunKey(NamedTuple):
    """The claim a run holds; every write of the run is fenced by it.

    A tuple: keys are looked up in sets and dictionaries several times per run.
    """

    job_id: str
    token: int
    worker_id: str


class Claimed(NamedTuple):
    """A job that was just claimed. ``attempt`` counts from 1; a resumed run keeps its number.

    A tuple, as ``Finish`` is: one is made for every run, in a third of the time.
    """

    key: RunKey
    job_type: str
    input_text: str
    attempt: int
    max_attempts: int
    claims: int
    resuming: bool
    fresh: bool  # never claimed before: there can be no record to load
    priority: int
    user_id: str | None
    user_name: str | None
    project_id: str | None
    task_description: str
    task_configuration: str | None
    context_document_id: str | None
    approval_strategy: str | None
    code_version: str | None
    metadata: str
    created_micros: int  # when it was made
    traceparent: str | None = None
    stored: StoredRecord | None = None  # None: to be read when the job runs, if there is any


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """The rows of a job's steps and decisions, not read into values yet; see ``run_records``."""

    steps: Sequence[tuple[Any, ...]]
    decisions: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """What was said at the checkpoint of ``position``; ``data`` texts are canonical JSON."""

    checkpoint_id: str
    position: int
    status: CheckpointStatus
    payload: str
    payload_digest: str
    edited_data: str | None
    response: str | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    rejection_reason: str | None
    feedback: str | None
    round: int = 1
    rounds: int | None = None
    message: str = ""
    comments: tuple[Comment, ...] = ()  # made before the decision


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What earlier runs of a job left: steps in order, decisions by position."""

    steps: Sequence[Step] = ()
    decisions: Mapping[int, DecisionRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to record; ``result`` is canonical JSON text."""

    position: int
    kind: str
    name: str
    result: str | None
    attempt: int
    code_version: str | None
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheckpoint:
    """A checkpoint to open; ``payload`` is the canonical text that ``payload_digest`` is of."""

    step: NewStep
    job_type: str
    checkpoint_type: CheckpointType
    message: str
    payload: str
    payload_digest: str
    metadata: str = "{}"
    edit_schema: str | None = None
    expires_in: timedelta | None = DEFAULT_EXPIRY
    rounds: int | None = None  # at most so many, counted over checkpoints; None: just this one
    risk: str = NO_RISK  # the gravest finding
    answer_schema: str | None = None  # of a question: JSON, as is the default
    answer_default: str | None = None
    insists: bool = False  # a person is wanted, whatever a policy says


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """An artifact to save; ``content`` is text, ``metadata`` canonical JSON."""

    step: NewStep
    name: str
    artifact_type: ArtifactType
    media_type: str
    content: str
    digest: str  # SHA-256 of the UTF-8 content
    metadata: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLog:
    """A log line of a run; ``data`` is canonical JSON or None."""

    key: RunKey
    level: LogLevel
    message: str
    attempt: int
    at: datetime
    data: str | None = None


class Finish(NamedTuple):
    """How a run ended: ``verb`` is COMPLETE, FAIL, RETRY_LATER, RELEASE or PARK.

    ``delay`` (seconds) applies to RETRY_LATER. A released job is not charged an attempt.
    """

    key: RunKey
    job_type: str
    verb: JobVerb
    output: str | None = None
    error: JobError | None = None
    delay: float = 0.0
    park_reason: str | None = None
    park_code: ParkCode | None = None
    park_detail: Mapping[str, Json] | None = None
    code_version: str | None = None
    logs: Sequence[NewLog] = ()
    data: Mapping[str, Json] = MappingProxyType({})  # for the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorker:
    """A worker that introduces itself."""

    id: str
    host: str
    pid: int
    version: str
    embedded: bool
    desired: str
    max_concurrent_jobs: int
    poll_interval: float
    job_types: Sequence[str]
    limits: Mapping[str, Caps] = field(default_factory=dict)  # of those types that declare some


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOrders:
    """The answer to a heartbeat: wanted state, and the runs that are no longer this worker's.

    ``dead``: others took this worker for dead and rescued its jobs; it must register anew.
    ``elsewhere``: the job types that other workers know, which lived a minute ago; ``gated``: those
    that are limited or paused.
    """

    desired: str
    max_concurrent_jobs: int
    poll_interval: float
    lost: frozenset[str]
    dead: bool = False
    elsewhere: frozenset[str] = frozenset()
    gated: frozenset[str] = frozenset()
