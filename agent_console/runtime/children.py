"""``ctx.enqueue``: a job that a handler asks for, made once and in the name of its own asker."""

from __future__ import annotations

from agent_console.domain import trace
from agent_console.domain.access import Actor
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import NewJob
from agent_console.domain.payload import digest, dumps
from agent_console.runtime import entries
from agent_console.runtime.replay import Turn
from agent_console.runtime.run import Run
from agent_console.services import job_requests
from agent_console.store.claims import worker_actor
from agent_console.store.ids import new_id
from agent_console.store.job_writes import RequestKey
from agent_console.store.run_children import record_child

ENQUEUE = "enqueue"  # kind of the recorded call
SCOPE = "handler"  # of idempotency keys


def enqueue(run: Run, new: NewJob) -> str:
    """Make the job and its record in one transaction; return its id, in every run the same.

    Raises:
        Invalid: a field is not acceptable, or only people may ask for such jobs.
        Conflict: another job has its unique key.
    """
    registry = run.surroundings.registry
    bound, attempts = job_requests.checked(new, registry)
    handler = registry.describe(bound.job_type)
    if handler is not None and handler.needs is not None:
        raise Invalid.field("jobType", f"{bound.job_type} is asked for by people only.")
    with run.turn(ENQUEUE, bound.job_type) as turn:
        if turn.recorded is None:
            return _make(run, turn, bound, attempts)
        return str(turn.recorded.result)


def _make(run: Run, turn: Turn, new: NewJob, attempts: int) -> str:
    claimed = run.claimed
    child_id = new_id("job")
    body = digest(dumps(job_requests.body_of(new)))
    place = trace.current()
    asker = Actor(kind="user", id=claimed.user_id, name=claimed.user_name or "")
    made = run.persist(
        turn,
        lambda: record_child(
            run.surroundings.db,
            run.key,
            entries.new_step(run, turn, ENQUEUE, new.job_type),
            child_id,
            new,
            max_attempts=attempts,
            actor=worker_actor(run.key.worker_id),
            asker=asker,
            # After a refusal the record is cut and its positions are taken anew: the same request
            # at the same place is the same child, another one is not.
            request=RequestKey(
                scope=SCOPE, key=f"{run.key.job_id}:{turn.position}:{body[:16]}", digest=body
            ),
            traceparent=claimed.traceparent if place is None else str(place),
        ),
    )
    return str(made)
