"""Answers from outside to what a job asked for; each wakes the job if it sleeps for it."""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict, Unauthenticated
from agent_console.domain.events import CALLED_BACK, Event
from agent_console.domain.jobs import FINISHED
from agent_console.store.transactions import Queries, Tx
from agent_console.store.waits import CALLBACK, open_wait

# Takes the row's lock: a run that is about to sleep has either done so, or will see the answer.
LOCK = "UPDATE ai_jobs SET updated_at = {now} WHERE id = :id RETURNING status, job_type"

RECEIVE = """
UPDATE job_callbacks SET body = :body, received_at = {now}
WHERE token_hash = :token_hash AND received_at IS NULL
"""

EARLIER = """
SELECT body FROM job_callbacks
WHERE job_id = :id AND position = :position AND received_at IS NOT NULL
"""

WAKE = "UPDATE ai_jobs SET run_at = {now} WHERE id = :id AND status IN ('QUEUED', 'PAUSED')"


def position_of(queries: Queries, job_id: str, token_hash: str) -> int | None:
    """Return the position of the call that the token's holder may answer, or None."""
    row = queries.row(
        "SELECT position FROM job_callbacks WHERE token_hash = :hash AND job_id = :id",
        {"hash": token_hash, "id": job_id},
    )
    return None if row is None else int(row[0])


def receive(tx: Tx, job_id: str, token_hash: str, body: str, actor: Actor) -> bool:
    """Keep ``body`` (canonical JSON) as the answer; False: it was there already, word for word.

    Raises:
        Unauthenticated: the token is not one of this job's.
        Conflict: another answer was first, or the job has ended.
    """
    found = tx.row(LOCK, {"id": job_id})
    position = position_of(tx, job_id, token_hash)
    if found is None or position is None:
        raise Unauthenticated("The callback token is not valid for this job.")
    status, job_type = found
    earlier = tx.row(EARLIER, {"id": job_id, "position": position})
    if earlier is not None:
        if earlier[0] == body:
            return False
        raise Conflict("This call was answered before, with something else.")
    if status in FINISHED:
        raise Conflict(f"The job is {status}; nobody waits for this.", currentStatus=status)
    tx.execute(RECEIVE, {"token_hash": token_hash, "body": body})
    wait = open_wait(tx, job_id)
    if wait is not None and wait.get(CALLBACK) == position:
        tx.execute(WAKE, {"id": job_id})
    tx.record(
        Event(
            action=CALLED_BACK,
            actor=actor,
            job_id=job_id,
            job_type=job_type,
            data={"position": position},
        )
    )
    return True
