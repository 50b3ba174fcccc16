"""What runs use of models."""

from __future__ import annotations

from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.usage import Usage
from agent_console.store.claims import worker_actor
from agent_console.store.database import Database
from agent_console.store.engine_values import NewStep, RunKey
from agent_console.store.runs import hold, insert_step
from agent_console.store.tallies import USAGE_RECORDED
from agent_console.store.transactions import Tx

USAGE = """
INSERT INTO job_usage (job_id, position, model, input_tokens, output_tokens, cost_micros, at)
VALUES (:job_id, :position, :model, :input_tokens, :output_tokens, :cost_micros, {now})
"""


def record_usage(db: Database, key: RunKey, step: NewStep, used: Usage, job_type: str) -> None:
    """Record what a call of the model ``step.name`` used, with its step, once.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        hold(tx, key)
        insert_step(tx, key, step)
        tx.execute(
            USAGE,
            {
                "job_id": key.job_id,
                "position": step.position,
                "model": step.name,
                "input_tokens": used.input_tokens,
                "output_tokens": used.output_tokens,
                "cost_micros": used.cost_micros,
            },
        )
        tx.record(
            Event(
                action=USAGE_RECORDED,
                actor=worker_actor(key.worker_id),
                job_id=key.job_id,
                job_type=job_type,
                data={
                    "model": step.name,
                    "inputTokens": used.input_tokens,
                    "outputTokens": used.output_tokens,
                    "costMicros": used.cost_micros,
                },
            )
        )

    db.write(work)
    crashpoint("usage.committed")
