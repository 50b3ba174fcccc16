"""Runs of jobs as the engine makes them, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import Checkpoint, CheckpointType, CheckpointVerb, Verdict
from agent_console.domain.jobs import JobVerb
from agent_console.domain.payload import canonical, digest, dumps
from agent_console.domain.questions import member
from agent_console.domain.records import ArtifactType, LogLevel, WorkerStatus
from agent_console.domain.rulings import Ruling
from agent_console.store import decisions
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.engine_values import (
    Claimed,
    Finish,
    NewArtifact,
    NewCheckpoint,
    NewLog,
    NewStep,
    NewWorker,
    RunKey,
    WorkerOrders,
)
from agent_console.store.liveness import heartbeat, register_worker
from agent_console.store.runs import suspend
from tests.support.factories import RAY, enqueue_many

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def introduce(db: Database, worker_id: str, *job_types: str, **more: Any) -> None:
    """Introduce a worker that knows ``job_types``; ``more`` are fields of ``NewWorker``."""
    register_worker(
        db,
        NewWorker(
            id=worker_id,
            host="host",
            pid=1,
            version="1",
            embedded=False,
            desired="run",
            max_concurrent_jobs=3,
            poll_interval=5.0,
            job_types=[*job_types],
            **more,
        ),
    )


def start_worker(db: Database, worker_id: str = "w1") -> WorkerOrders:
    """Introduce a worker and let its heart beat once."""
    introduce(db, worker_id, "noop")
    return heartbeat(db, worker_id, [], WorkerStatus.RUNNING)


def claim_one(db: Database, worker_id: str = "w1") -> Claimed:
    """Claim exactly one job."""
    (claimed,) = claim(db, worker_id, 1)
    return claimed


def step(position: int = 0, result: Any = None, *, kind: str = "step", name: str = "s") -> NewStep:
    return NewStep(
        position=position,
        kind=kind,
        name=name,
        result=dumps(result),
        attempt=1,
        code_version="v1",
        started_at=AT,
        finished_at=AT + timedelta(seconds=1),
    )


def checkpoint(
    position: int = 0,
    data: Any = None,
    kind: CheckpointType = CheckpointType.APPROVAL_REQUIRED,
    expires_in: timedelta | None = timedelta(hours=24),
    *,
    rounds: int | None = None,
    changes: Sequence[Any] = (),
    answer: Any = None,
    default: Any = None,
) -> NewCheckpoint:
    """Return a checkpoint; with ``answer``, the schema of one, it is a question."""
    document = {"action": "write", "data": data, "changes": list(changes)}
    if answer is not None:
        document["answer"] = member(answer, default)
    payload = canonical(document)
    call = "approve" if kind is CheckpointType.APPROVAL_REQUIRED else kind.value.lower()
    return NewCheckpoint(
        step=step(position, kind=call, name="write"),
        job_type="noop",
        checkpoint_type=kind,
        message="May I?",
        payload=payload,
        payload_digest=digest(payload),
        expires_in=expires_in,
        rounds=rounds,
        answer_schema=None if answer is None else dumps(answer),
        answer_default=None if default is None else dumps(default),
    )


def waiting_many(
    db: Database,
    count: int,
    expires_in: timedelta | None = timedelta(hours=24),
    changes: Sequence[Any] = (),
) -> list[str]:
    """Make jobs and run each up to a question; return the ids of the checkpoints."""
    enqueue_many(db, count)
    claimed = claim(db, "w1", count)
    assert len(claimed) == count
    asked = checkpoint(expires_in=expires_in, changes=changes)
    return [suspend(db, one.key, asked) for one in claimed]


def artifact(position: int = 0, content: str = "text") -> NewArtifact:
    return NewArtifact(
        step=step(position, kind="artifact", name="a"),
        name="a.txt",
        artifact_type=ArtifactType.FILE,
        media_type="text/plain",
        content=content,
        digest=digest(content),
    )


def line(key: RunKey, message: str) -> NewLog:
    return NewLog(key=key, level=LogLevel.INFO, message=message, attempt=1, at=AT)


def end(key: RunKey, verb: JobVerb = JobVerb.COMPLETE, **facts: Any) -> Finish:
    return Finish(key=key, job_type="noop", verb=verb, **facts)


def decide(
    db: Database,
    checkpoint_id: str,
    verb: CheckpointVerb = CheckpointVerb.APPROVE,
    *,
    actor: Actor = RAY,
    reason: str | None = None,
    feedback: str | None = None,
    edited_data: Any = None,
    response: Any = None,
) -> Checkpoint:
    """Decide as the review service does, its policy left out."""
    verdict = Verdict(
        verb=verb, reason=reason, feedback=feedback, edited_data=edited_data, response=response
    )
    outcome = db.write(
        lambda tx: decisions.decide(
            tx, checkpoint_id, verdict, actor=actor, key=None, check=lambda _tx, _case: {}
        )
    )
    if outcome.too_late is not None:
        raise outcome.too_late
    return outcome.checkpoint


def decide_many(
    db: Database,
    checkpoint_ids: Sequence[str],
    verb: CheckpointVerb = CheckpointVerb.APPROVE,
    *,
    actor: Actor = RAY,
    **said: Any,
) -> list[Ruling]:
    """Decide as the review service does, its policy left out."""
    verdicts = {one: Verdict(verb=verb, **said) for one in checkpoint_ids}
    rulings, _ = db.write(
        lambda tx: decisions.decide_many(
            tx, verdicts, actor=actor, key=None, check=lambda _tx, _case: {}
        )
    )
    return rulings


def row(db: Database, job_id: str) -> dict[str, Any]:
    """Return the job's row."""
    with db.read() as reader:
        (found,) = reader.dicts("SELECT * FROM ai_jobs WHERE id = :id", {"id": job_id})
    return found


def journal(db: Database, job_id: str) -> list[tuple[str, str | None, str | None]]:
    """Return ``(action, before, after)`` of the job's entries, oldest first."""
    with db.read() as reader:
        rows = reader.rows(
            'SELECT action, "before", "after" FROM audit_logs WHERE job_id = :id ORDER BY seq',
            {"id": job_id},
        )
    return [(action, before, after) for action, before, after in rows]
