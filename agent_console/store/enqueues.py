"""Many jobs in one transaction: all are there afterwards, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus, Json, NewJob
from agent_console.store import idempotency, job_writes, new_jobs, uniques
from agent_console.store.ids import new_id
from agent_console.store.job_writes import RequestKey
from agent_console.store.new_jobs import COLUMNS
from agent_console.store.tables import AiJob
from agent_console.store.transactions import Params, Tx

CLAIM = """
INSERT INTO idempotency_keys (scope, key, request_digest, subject_id, created_at)
SELECT v.scope, v.key, v.digest, v.subject, {now} FROM v WHERE true ORDER BY v.scope, v.key
ON CONFLICT (scope, key) DO NOTHING RETURNING subject_id
"""
CLAIMED_AT_ONCE = 200  # keys per statement
_NAME = re.compile(r"(?<!:):([a-z_]+)")


class Item(NamedTuple):
    """The job ``number`` (from 0) of a batch; ``new`` as the services have checked it.

    A tuple, as what becomes of it: there are a thousand in a batch.
    """

    number: int
    job_id: str
    new: NewJob
    max_attempts: int
    key: RequestKey | None = None
    traceparent: str | None = None


class Queued(NamedTuple):
    """What became of one job of a batch; the flags as in ``Made``."""

    id: str
    job_type: str
    status: JobStatus
    replayed: bool = False
    existing: bool = False


def enqueue_many(
    tx: Tx, items: Sequence[Item], actor: Actor, key: RequestKey | None = None
) -> tuple[list[Queued], bool]:
    """Insert the jobs with their journal; the flag says that the whole batch was a repetition.

    Raises:
        Conflict: a key was used for a different request, or another job is in the way of one;
            ``item`` is the number of that one.
    """
    if key is not None:
        batch_id = new_id("bat")
        earlier = idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=batch_id
        )
        if earlier is not None:
            return _remembered(tx, earlier), True
    answers = _insert(tx, items, actor)
    if key is not None:
        idempotency.remember(tx, batch_id, [_plain(one) for one in answers])
    return answers, False


def insert_rows(tx: Tx, rows: Sequence[Params]) -> None:
    """Insert the rows of new jobs, as ``new_jobs.params_of`` makes them, in one statement."""
    tx.insert_many("ai_jobs", COLUMNS, param_types(), rows)


@cache
def param_types() -> Mapping[str, str]:
    """Return the parameters of ``COLUMNS`` with their types on PostgreSQL."""
    columns = AiJob.__table__.c  # type: ignore[attr-defined]
    names = [name for value in COLUMNS.values() for name in _NAME.findall(value)]
    kinds = {column.name: str(column.type).lower() for column in columns} | {"delay": "bigint"}
    return {name: kinds[name] for name in names}


def _insert(tx: Tx, items: Sequence[Item], actor: Actor) -> list[Queued]:
    """Insert the jobs without a unique key all at once, the others in their order."""
    keyed = [item for item in items if item.new.unique is None and item.key is not None]
    original = _claim(tx, keyed)
    made: dict[str, Queued] = {}
    rows: list[Params] = []
    for item in items:
        if item.new.unique is None and item.job_id not in original:
            row = new_jobs.params_of(
                item.job_id,
                item.new,
                actor,
                None if item.key is None else item.key.key,
                max_attempts=item.max_attempts,
                traceparent=item.traceparent,
            )
            rows.append(row)
            status = JobStatus(str(row["status"]))
            made[item.job_id] = Queued(id=item.job_id, job_type=item.new.job_type, status=status)
    insert_rows(tx, rows)
    tx.record(*(job_writes.created(q.id, q.job_type, q.status, actor) for q in made.values()))
    made |= _one_by_one(tx, items, actor, original)
    return [made[item.job_id] for item in items]


def _claim(tx: Tx, items: Sequence[Item]) -> dict[str, str]:
    """Take the keys of ``items``; return the first job by new job of those that repeat one."""
    # In one order everywhere: two batches with the same keys never wait for each other.
    rows = sorted((k.scope, k.key, k.digest, i.job_id) for i in items if (k := i.key) is not None)
    taken: set[str] = set()
    for start in range(0, len(rows), CLAIMED_AT_ONCE):
        part = rows[start : start + CLAIMED_AT_ONCE]
        taken.update(str(row[0]) for row in tx.values("scope, key, digest, subject", CLAIM, part))
    numbers = {item.job_id: item.number for item in items}
    found: dict[str, str] = {}
    for scope, key, digest, job_id in rows:
        if job_id not in taken:
            with _naming(numbers[job_id]):
                first = idempotency.find(tx, scope=scope, key=key, digest=digest)
            found[job_id] = first or job_id
    return found


def _one_by_one(
    tx: Tx, items: Sequence[Item], actor: Actor, original: Mapping[str, str]
) -> dict[str, Queued]:
    """Answer repetitions, and make the jobs with a unique key."""
    unique = {
        (item.new.job_type, item.new.unique.settled()): item.job_id
        for item in items
        if item.new.unique is not None
    }
    for (job_type, key), job_id in sorted(unique.items()):  # before any: see _claim
        uniques.lock(tx, job_type, key, job_id)
    made: dict[str, Queued] = {}
    for item in items:
        if item.new.unique is None and item.job_id not in original:
            continue
        with _naming(item.number):
            if item.new.unique is None and item.key is not None:
                one = job_writes.repeated(tx, original[item.job_id], actor, item.key)
            else:
                one = job_writes.enqueue(
                    tx,
                    item.job_id,
                    item.new,
                    max_attempts=item.max_attempts,
                    actor=actor,
                    key=item.key,
                    traceparent=item.traceparent,
                )
        made[item.job_id] = Queued(
            id=one.job.id,
            job_type=one.job.job_type,
            status=one.job.status,
            replayed=one.replayed,
            existing=one.existing,
        )
    return made


@contextmanager
def _naming(number: int) -> Iterator[None]:
    """Say of a conflict inside which job of the batch met it."""
    try:
        yield
    except Conflict as conflict:
        raise Conflict(
            f"jobs.{number}: {conflict.message}", **conflict.context, item=number
        ) from None


def _plain(one: Queued) -> list[Json]:
    return [one.id, one.job_type, one.status.value, one.replayed, one.existing]


def _remembered(tx: Tx, batch_id: str) -> list[Queued]:
    return [
        Queued(
            id=one[0], job_type=one[1], status=JobStatus(one[2]), replayed=one[3], existing=one[4]
        )
        for one in idempotency.remembered(tx, batch_id)
    ]
