"""Jobs that a run asks for, each with the recorded call that asked."""

from __future__ import annotations

from dataclasses import replace

from agent_console.domain.access import Actor
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.jobs import NewJob
from agent_console.domain.payload import dumps
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.engine_values import NewStep, RunKey
from agent_console.store.job_writes import RequestKey
from agent_console.store.runs import hold, insert_step
from agent_console.store.transactions import Tx


def record_child(
    db: Database,
    key: RunKey,
    step: NewStep,
    child_id: str,
    new: NewJob,
    *,
    max_attempts: int,
    actor: Actor,
    asker: Actor,
    request: RequestKey,
    traceparent: str | None,
) -> str:
    """Make a job as ``asker``'s and record its id as the call's result; return that id.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
        Conflict: another job has the unique key.
    """

    def work(tx: Tx) -> str:
        hold(tx, key)
        made = job_writes.enqueue(
            tx,
            child_id,
            new,
            max_attempts=max_attempts,
            actor=actor,
            key=request,
            traceparent=traceparent,
            asker=asker,
        )
        # The id is the call's result: on replay the handler gets the same one.
        insert_step(tx, key, replace(step, result=dumps(made.job.id)))
        crashpoint("step.before_commit")
        return made.job.id

    made = db.write(work)
    crashpoint("step.committed")
    return made
