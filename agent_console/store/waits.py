"""Waits that hold no thread and no slot: for a time, or for an answer from outside by that time.

A sleeping job is back in the queue and due when it should wake. Its record holds the wait as a
call with the time at which it ends; an answer from outside makes the job due at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import LostClaim
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.domain.payload import dumps, loads
from agent_console.store.claims import worker_actor
from agent_console.store.database import Database
from agent_console.store.engine_values import NewLog, NewStep, RunKey
from agent_console.store.prepared import KEPT
from agent_console.store.runs import hold, insert_logs, insert_step
from agent_console.store.transactions import Queries, Tx

UNTIL, CALLBACK = "until", "callback"  # of an open wait's result: when it ends, what may end it

SLEEP = """
UPDATE ai_jobs SET status = 'QUEUED', worker_id = NULL, resuming = 1, claims = 0,
  code_version = coalesce(:code_version, code_version), claim_token = claim_token + 1,
  run_at = :until, updated_at = {now}
WHERE id = :job_id AND claim_token = :token AND status = 'RUNNING'
"""

SETTLE = """
UPDATE job_steps SET result = :result, finished_at = {now}
WHERE job_id = :job_id AND position = :position
"""

MINT = """
INSERT INTO job_callbacks (token_hash, job_id, position, created_at)
VALUES (:token_hash, :job_id, :position, {now})
"""

ANSWER = """
SELECT body FROM job_callbacks
WHERE job_id = :job_id AND position = :position AND received_at IS NOT NULL
"""


def instant_text(micros: int) -> str:
    """Return the instant as the record holds it: ISO 8601 in UTC."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Look:
    """What a waiting run finds: the database's clock, and the answer that came (canonical JSON)."""

    now: int
    answer: str | None


def sleep(
    db: Database,
    key: RunKey,
    step: NewStep,
    seconds: float,
    *,
    job_type: str,
    callback: int | None = None,
    logs: Sequence[NewLog] = (),
) -> None:
    """Record the wait as ``step`` and put the job to sleep for ``seconds``, in one transaction.

    ``callback`` is the position of the call whose answer ends the wait early.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        insert_logs(tx, logs)
        until = tx.now() + int(seconds * MICROSECONDS)
        _lie_down(tx, key, job_type, until, code_version=step.code_version, callback=callback)
        open_wait = {UNTIL: instant_text(until)}
        result = open_wait if callback is None else open_wait | {CALLBACK: callback}
        insert_step(tx, key, replace(step, result=dumps(cast("dict[str, Any]", result))))
        crashpoint("sleep.before_commit")

    db.write(work)
    crashpoint("sleep.committed")


def sleep_on(
    db: Database,
    key: RunKey,
    until: int,
    *,
    job_type: str,
    callback: int | None = None,
    logs: Sequence[NewLog] = (),
) -> None:
    """Let the job sleep on in a wait that is recorded and not over; ``until`` is microseconds.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        insert_logs(tx, logs)
        _lie_down(tx, key, job_type, until, code_version=None, callback=callback)

    db.write(work)


def _lie_down(
    tx: Tx,
    key: RunKey,
    job_type: str,
    until: int,
    *,
    code_version: str | None,
    callback: int | None,
) -> None:
    params: dict[str, object] = {"job_id": key.job_id, "token": key.token, "until": until}
    if not tx.execute(KEPT + SLEEP, {**params, "code_version": code_version}):
        raise LostClaim
    # The job's row is locked from here: an answer is either there now, or finds the job asleep.
    if callback is not None and _answer(tx, key.job_id, callback) is not None:
        until = tx.now()
        tx.execute("UPDATE ai_jobs SET run_at = {now} WHERE id = :job_id", {"job_id": key.job_id})
    tx.record(
        Event(
            action="job.sleeping",
            actor=worker_actor(key.worker_id),
            job_id=key.job_id,
            job_type=job_type,
            before=JobStatus.RUNNING,
            after=JobStatus.QUEUED,
            data={UNTIL: instant_text(until)} | ({} if callback is None else {CALLBACK: callback}),
        )
    )


def look(db: Database, job_id: str, callback: int | None) -> Look:
    """Return what a waiting run has to know: the time, and whether an answer came."""
    with db.read() as reader:
        answer = None if callback is None else _answer(reader, job_id, callback)
        return Look(now=reader.now(), answer=answer)


def _answer(queries: Queries, job_id: str, position: int) -> str | None:
    row = queries.row(ANSWER, {"job_id": job_id, "position": position})
    return None if row is None else str(row[0])


def settle(db: Database, key: RunKey, position: int, result: str) -> None:
    """Record how the wait at ``position`` ended; ``result`` is canonical JSON.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        hold(tx, key)
        tx.execute(KEPT + SETTLE, {"job_id": key.job_id, "position": position, "result": result})
        tx.touch(key.job_id)

    db.write(work)


def admit(db: Database, key: RunKey, position: int, token_hash: str) -> None:
    """Let the holder of a token answer the call at ``position``.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        hold(tx, key)
        tx.execute(MINT, {"token_hash": token_hash, "job_id": key.job_id, "position": position})

    db.write(work)


def open_wait(tx: Tx, job_id: str) -> dict[str, Any] | None:
    """Return the open wait with which the record of the job ends, if it does."""
    row = tx.row(
        "SELECT kind, result FROM job_steps WHERE job_id = :id ORDER BY position DESC LIMIT 1",
        {"id": job_id},
    )
    if row is None or row[0] != "wait" or row[1] is None:
        return None
    found = cast("dict[str, Any]", loads(row[1]))
    return found if UNTIL in found else None
