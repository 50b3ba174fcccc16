"""Workers as rows: introduction, heartbeat by the database's clock, and rescue of the dead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from agent_console.domain.access import SYSTEM
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.parking import ParkCode
from agent_console.domain.payload import dumps
from agent_console.domain.records import BreakerState, WorkerStatus
from agent_console.store.admission import GATED, gate_strays
from agent_console.store.claims import worker_actor
from agent_console.store.database import Database
from agent_console.store.engine_values import NewWorker, RunKey, WorkerOrders
from agent_console.store.job_type_writes import declare
from agent_console.store.parking import requeue_known
from agent_console.store.transactions import Params, Queries, Row, Tx

REGISTER = """
INSERT INTO agent_workers (id, host, pid, version, embedded, status, desired, active_jobs,
  max_concurrent_jobs, poll_interval_ms, job_types, started_at, heartbeat_at)
VALUES (:id, :host, :pid, :version, :embedded, 'STOPPED', :desired, 0, :capacity, :poll_ms,
  :job_types, {now}, {now})
ON CONFLICT (id) DO UPDATE SET status = 'STOPPED', heartbeat_at = excluded.heartbeat_at,
  stopped_at = NULL
"""

# A minute bridges the restart of the only worker that knows a type: its jobs wait for it.
ELSEWHERE = """
SELECT job_types FROM agent_workers WHERE id <> :id AND heartbeat_at > {now} - 60000000
"""
# In the statement that reads the orders itself: an idle worker asks for little else.
ORDERS = f"""
desired, max_concurrent_jobs, poll_interval_ms,
(SELECT {{listed}}(job_types, '\n') FROM ({ELSEWHERE}) AS others),
(SELECT {{listed}}(job_type, '\n') FROM ({GATED}) AS gated)
"""

BEAT = f"""
UPDATE agent_workers SET heartbeat_at = {{now}}, active_jobs = :active, status = :status,
  breakers = coalesce(:breakers, breakers),
  stopped_at = CASE WHEN :status = 'STOPPED' THEN coalesce(stopped_at, {{now}}) END
WHERE id = :id AND status <> 'DEAD'
RETURNING {ORDERS}
"""

HELD = "SELECT id, claim_token FROM ai_jobs WHERE worker_id = :id AND status = 'RUNNING'"

WANTED = f"""
SELECT {ORDERS} FROM agent_workers
WHERE id = :id AND status <> 'DEAD'
"""

SILENT = """
SELECT id FROM agent_workers
WHERE status IN ('RUNNING', 'DRAINING') AND heartbeat_at < {now} - :timeout AND id <> :own
"""

BURY = """
UPDATE agent_workers SET status = 'DEAD', stopped_at = {now}, active_jobs = 0
FROM v WHERE agent_workers.id = v.id AND agent_workers.status IN ('RUNNING', 'DRAINING')
RETURNING agent_workers.id, agent_workers.host, agent_workers.pid
"""

# A RUNNING job whose worker is not alive in the books is nobody's, however that came about.
# Limited, because a statement takes only so many parameters; the next sweep goes on.
ORPHANS = """
SELECT j.id FROM ai_jobs j WHERE j.status = 'RUNNING' AND NOT EXISTS (
  SELECT 1 FROM agent_workers w WHERE w.id = j.worker_id AND w.status IN ('RUNNING', 'DRAINING'))
LIMIT 5000
"""

# What a rescue looks for: a row if there is any of it.
SIGN = f"SELECT 1 FROM ({SILENT}) AS silent UNION ALL SELECT 1 FROM ({ORPHANS}) AS orphans"

RESCUE = """
UPDATE ai_jobs SET
  status = CASE WHEN claims >= CAST(v.max_claims AS INTEGER) THEN 'PARKED' ELSE 'QUEUED' END,
  park_reason = CASE WHEN claims >= CAST(v.max_claims AS INTEGER) THEN v.reason END,
  park_code = CASE WHEN claims >= CAST(v.max_claims AS INTEGER) THEN 'poison' END,
  park_detail = CASE WHEN claims >= CAST(v.max_claims AS INTEGER)
    THEN '{"claims":' || claims || '}' END,
  claim_token = claim_token + 1, worker_id = NULL, updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.status{by_id} = 'RUNNING' AND NOT EXISTS (
  SELECT 1 FROM agent_workers w
  WHERE w.id = ai_jobs.worker_id AND w.status IN ('RUNNING', 'DRAINING'))
RETURNING ai_jobs.id, ai_jobs.job_type, ai_jobs.status, ai_jobs.claims
"""


_POISON: Mapping[str, Json] = {"code": ParkCode.POISON.value}


def register_worker(db: Database, new: NewWorker) -> None:
    """Introduce a worker, stopped; it says that it runs with its first heartbeat.

    Jobs that were parked because nobody knew their type, which it does, go back to the queue.
    The limits of its job types hold from now on, for jobs that are queued already too.
    """

    def work(tx: Tx) -> bool:
        tx.execute(
            REGISTER,
            {
                "id": new.id,
                "host": new.host,
                "pid": new.pid,
                "version": new.version,
                "embedded": int(new.embedded),
                "desired": new.desired,
                "capacity": new.max_concurrent_jobs,
                "poll_ms": int(new.poll_interval * 1000),
                "job_types": dumps(list(new.job_types)),
            },
        )
        requeue_known(tx, new.job_types)
        data: dict[str, Json] = {"host": new.host, "pid": new.pid}
        tx.record(
            Event(
                action="worker.registered",
                actor=worker_actor(new.id),
                subject_id=new.id,
                data=data,
            )
        )

        return declare(tx, new.job_types, new.limits, worker_actor(new.id))

    if db.write(work):
        gate_strays(db)


def heartbeat(
    db: Database,
    worker_id: str,
    claims: Sequence[RunKey],
    status: WorkerStatus,
    *,
    active: int | None = None,
    breakers: Mapping[str, BreakerState] | None = None,
    news: bool = True,
) -> WorkerOrders:
    """Say that the worker lives, with which ``claims``, and return what is wanted of it.

    ``active`` of them run, the others wait for their turn; None: all of them run. ``breakers``
    are the states of the hosts it calls; None: as they were. Without ``news``, that is when only
    the time is another one than last time, no other process is told.
    """
    running = len(claims) if active is None else active
    states = None if breakers is None else dumps(dict(breakers))

    def work(tx: Tx) -> WorkerOrders:
        params: Params = {"id": worker_id, "active": running, "status": status.value}
        row = tx.row(BEAT, {**params, "breakers": states})
        if news:
            tx.touch("")
        else:
            tx.beat()
        if row is None:
            lost = frozenset(key.job_id for key in claims)
            return WorkerOrders(
                desired="run", max_concurrent_jobs=1, poll_interval=5.0, lost=lost, dead=True
            )
        held: dict[str, int] = {}
        if claims:
            held.update(tx.rows(HELD, {"id": worker_id}))
        gone = (key.job_id for key in claims if held.get(key.job_id) != key.token)
        return _orders(row, frozenset(gone))

    return db.write(work)


def held_by(db: Database, worker_id: str) -> list[RunKey]:
    """Return the claims that are, in the books, the worker's."""
    with db.read() as reader:
        return [RunKey(row[0], row[1], worker_id) for row in reader.rows(HELD, {"id": worker_id})]


def wanted(db: Database, worker_id: str) -> WorkerOrders | None:
    """Return what is wanted of the worker, without a heartbeat; None if it is unknown or dead."""
    with db.read() as reader:
        row = reader.row(WANTED, {"id": worker_id})
    return None if row is None else _orders(row, frozenset())


def known_types(queries: Queries) -> frozenset[str]:
    """Return the job types that some worker knows which was heard of within the last minute."""
    return _types(text for (text,) in queries.rows(ELSEWHERE, {"id": ""}))


def _orders(row: Row, lost: frozenset[str]) -> WorkerOrders:
    desired, size, poll_ms, elsewhere, gated = row
    return WorkerOrders(
        desired=desired,
        max_concurrent_jobs=size,
        poll_interval=poll_ms / 1000,
        lost=lost,
        elsewhere=_types(_lines(elsewhere)),
        gated=frozenset(_lines(gated)),
    )


def _lines(text: str | None) -> list[str]:
    return text.split("\n") if text else []


def _types(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name for text in texts for name in json.loads(text))


def rescue(
    db: Database,
    timeout: float,
    max_claims: int,
    known_dead: Sequence[str] = (),
    *,
    own: str = "",
) -> int:
    """Bury workers silent for ``timeout`` seconds (or known to be dead); requeue their jobs.

    A job that was claimed ``max_claims`` times without an orderly end is parked: it is likely
    that it kills its workers. The worker ``own`` is the caller's, which lives however long it
    was silent: its machine may have slept, or its clock may have been set.

    Returns the number of jobs taken back. Reads first, so that a sweep over a healthy house
    writes nothing.
    """
    silence: Params = {"timeout": int(timeout * MICROSECONDS), "own": own}
    with db.read() as reader:
        silent = reader.rows(SILENT, silence)
        orphans = reader.row(ORPHANS)
    if not silent and not known_dead and orphans is None:
        return 0
    return db.write(lambda tx: _rescue(tx, known_dead, silence, max_claims))


def _rescue(tx: Tx, known_dead: Sequence[str], silence: Params, max_claims: int) -> int:
    # Looked at again inside the transaction: a heartbeat may have arrived since.
    silent = {row[0] for row in tx.rows(SILENT, silence)}
    dead = sorted({*silent, *known_dead})
    for worker_id, host, pid in tx.values("id", BURY, [(w,) for w in dead]):
        tx.record(
            Event(
                action="worker.died",
                actor=SYSTEM,
                subject_id=worker_id,
                data={"host": host, "pid": pid},
            )
        )
    ids = [row[0] for row in tx.rows(ORPHANS)]
    reason = f"poison: claimed {max_claims} times without an orderly end; its worker died each time"
    rows = tx.values("id, max_claims, reason", RESCUE, [(i, max_claims, reason) for i in ids])
    for job_id, job_type, status, claims in rows:
        parked = status == JobStatus.PARKED
        tx.record(
            Event(
                action="job.parked" if parked else "job.rescued",
                actor=SYSTEM,
                job_id=job_id,
                job_type=job_type,
                before=JobStatus.RUNNING,
                after=JobStatus(status),
                data={"claims": claims, **({"reason": reason, **_POISON} if parked else {})},
            )
        )
    crashpoint("rescue.before_commit")
    return len(rows)
