"""What people want of workers: run or stop, how much at a time. Heartbeats carry it to them."""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.store.transactions import Tx


def set_desired(tx: Tx, desired: str, *, worker_id: str | None, actor: Actor) -> None:
    """Want one worker, or all that are not dead, to ``run`` or ``stop``.

    Raises:
        NotFound: there is no such worker.
        Conflict: there is none, or it is dead: nobody would hear it.
    """
    changed = tx.rows(
        "UPDATE agent_workers SET desired = :desired"
        " WHERE status <> 'DEAD' AND (:worker_id = '' OR id = :worker_id) RETURNING id",
        {"desired": desired, "worker_id": worker_id or ""},
    )
    if not changed:
        raise _nobody(tx, worker_id)
    action = "worker.start_requested" if desired == "run" else "worker.stop_requested"
    tx.record(*(Event(action=action, actor=actor, subject_id=found) for (found,) in changed))


def configure(
    tx: Tx,
    worker_id: str,
    *,
    max_concurrent_jobs: int | None,
    poll_interval: float | None,
    actor: Actor,
) -> None:
    """Change capacity and poll interval (seconds) where given.

    Raises:
        NotFound: there is no such worker.
        Conflict: it is dead.
    """
    poll_ms = None if poll_interval is None else round(poll_interval * 1000)
    changed = tx.rows(
        "UPDATE agent_workers SET"
        " max_concurrent_jobs = coalesce(:jobs, max_concurrent_jobs),"
        " poll_interval_ms = coalesce(:poll_ms, poll_interval_ms)"
        " WHERE status <> 'DEAD' AND id = :id RETURNING max_concurrent_jobs, poll_interval_ms",
        {"id": worker_id, "jobs": max_concurrent_jobs, "poll_ms": poll_ms},
    )
    if not changed:
        raise _nobody(tx, worker_id)
    jobs, interval = changed[0]
    tx.record(
        Event(
            action="worker.configured",
            actor=actor,
            subject_id=worker_id,
            data={"maxConcurrentJobs": jobs, "pollIntervalMs": interval},
        )
    )


def _nobody(tx: Tx, worker_id: str | None) -> Conflict | NotFound:
    if worker_id is None:
        return Conflict("No worker process is running; start one with: agent-console worker")
    known = tx.row("SELECT 1 FROM agent_workers WHERE id = :id", {"id": worker_id})
    if known is None:
        return NotFound(f"There is no worker {worker_id}.")
    return Conflict(f"The worker {worker_id} is DEAD; its process has to be started again.")
