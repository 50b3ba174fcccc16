"""Batches of new jobs: checked one by one, refused or made all together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from agent_console.domain import trace
from agent_console.domain.access import Actor
from agent_console.domain.errors import FieldError, Invalid, TooLarge
from agent_console.domain.jobs import NewJob
from agent_console.domain.sessions import context_ids
from agent_console.services import job_requests
from agent_console.services.catalog import Catalog
from agent_console.services.context import check_usable
from agent_console.store import context_writes, enqueues
from agent_console.store.database import Database
from agent_console.store.enqueues import Item, Queued
from agent_console.store.ids import new_id
from agent_console.store.transactions import Tx

MAX_BATCH = 1_000  # jobs
MAX_FIELDS = 100  # refused fields that one answer names


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What became of each job, in the order asked; ``replayed``: the batch was a repetition."""

    jobs: list[Queued]
    replayed: bool


def enqueue_many(
    db: Database,
    catalog: Catalog,
    actor: Actor,
    jobs: Sequence[NewJob],
    *,
    keys: Sequence[str | None] = (),
    idempotency_key: str | None = None,
) -> Batch:
    """Make all of ``jobs`` or none; the permission to create jobs has been checked."""
    if not 1 <= len(jobs) <= MAX_BATCH:
        raise Invalid.field("jobs", f"must be 1 to {MAX_BATCH:,} jobs.")
    each = [*keys, *[None] * (len(jobs) - len(keys))]
    body = None
    if idempotency_key is not None:
        body = [[job_requests.body_of(new), key] for new, key in zip(jobs, each, strict=True)]
    key = job_requests.request_key(actor, "batch", idempotency_key, body)
    items = _checked(catalog, actor, jobs, each)
    documents = _documents(db, actor, items)

    def work(tx: Tx) -> Batch:
        made, replayed = enqueues.enqueue_many(tx, items, actor, key)
        for item in [] if replayed else items:
            job = made[item.number]
            if documents[item.number] and not (job.replayed or job.existing):
                with naming(item.number):
                    context_writes.use(tx, documents[item.number], item.job_id)
        return Batch(jobs=made, replayed=replayed)

    return db.write(work)


def _checked(
    catalog: Catalog, actor: Actor, jobs: Sequence[NewJob], keys: Sequence[str | None]
) -> list[Item]:
    """Return the jobs as they will be stored.

    Raises:
        Invalid: names the refused fields of all jobs, as ``jobs.3.inputData.path``.
    """
    items: list[Item] = []
    refused: list[FieldError] = []
    seen: dict[str, int] = {}
    for number, (new, key) in enumerate(zip(jobs, keys, strict=True)):
        try:
            _once(seen, number, key)
            items.append(_item(catalog, actor, number, new, key))
        except (Invalid, TooLarge) as error:  # not ``naming``: entering it costs each job more
            named = _named(number, error)
            if isinstance(named, TooLarge) or not named.fields:
                raise named from error
            refused += named.fields
    if refused:
        raise Invalid(fields=refused[:MAX_FIELDS])
    return items


def _item(catalog: Catalog, actor: Actor, number: int, new: NewJob, key: str | None) -> Item:
    bound, attempts = job_requests.checked(new, catalog)
    job_requests.allow(actor, bound, catalog)
    body = None if key is None else job_requests.body_of(new)
    return Item(
        number=number,
        job_id=new_id("job"),
        new=bound,
        max_attempts=attempts,
        key=job_requests.request_key(actor, "enqueue", key, body),
        traceparent=str(trace.current() or trace.beginning()),
    )


def _once(seen: dict[str, int], number: int, key: str | None) -> None:
    if key is not None and seen.setdefault(key, number) != number:
        raise Invalid.field("idempotencyKey", f"is that of jobs.{seen[key]} already.")


def _documents(db: Database, actor: Actor, items: Sequence[Item]) -> list[tuple[str, ...]]:
    """Return the context documents of every job; each different set is looked up once."""
    found = [tuple(context_ids(i.new.context_document_id, i.new.metadata)) for i in items]
    known: set[tuple[str, ...]] = {()}
    for item, documents in zip(items, found, strict=True):
        if documents not in known:
            known.add(documents)
            with naming(item.number):
                check_usable(db, actor, documents)
    return found


@contextmanager
def naming(number: int) -> Iterator[None]:
    """Say of what is refused inside which job of the batch it belongs to."""
    try:
        yield
    except (Invalid, TooLarge) as error:
        raise _named(number, error) from error


def _named(number: int, error: Invalid | TooLarge) -> Invalid | TooLarge:
    if isinstance(error, TooLarge):
        return TooLarge(f"jobs.{number}: {error.message}", **error.context)
    fields = [FieldError(_path(number, one.field), one.message) for one in error.fields]
    return Invalid(None if fields else error.message, fields)


def _path(number: int, field: str) -> str:
    name = "idempotencyKey" if field == "Idempotency-Key" else field
    return f"jobs.{number}.{name}" if name else f"jobs.{number}"
