"""A new job begins at once where the worker of this process has a slot free.

It is stored as one that this worker holds, in the transaction that makes it: no claim of it has to
be made, nobody is woken for it, and who enqueues waits for nothing more than before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import ConsoleError, Unavailable
from agent_console.domain.jobs import NewJob
from agent_console.store.engine_values import Claimed, RunKey


class Slot(Protocol):
    """A slot of a worker, kept for a job that is about to be made as claimed with ``key``."""

    @property
    def key(self) -> RunKey:
        """The claim under which the job is to be stored."""

    def begin(self, claimed: Claimed) -> None:
        """Run the job: it is committed."""

    def release(self, *, unsure: bool) -> None:
        """Give the slot back; ``unsure``: the job may be committed all the same."""


class Starter(Protocol):
    """The worker of this process, as far as new jobs are concerned."""

    def reserve(self, job_id: str, job_type: str) -> Slot | None:
        """Keep a slot for the job; None if it has to wait for a claim."""


class Place:
    """Where a new job begins: with ``worker_id``, or with whoever claims it if that is None."""

    def __init__(self, worker_id: str | None) -> None:
        """Say nothing yet of the job."""
        self.worker_id = worker_id
        self.begun: Claimed | None = None  # set once it is committed


@contextmanager
def place_for(starter: Starter | None, job_id: str, new: NewJob) -> Iterator[Place]:
    """Yield where ``new`` begins; it does at the end of the block if that has set ``begun``."""
    slot = None
    if starter is not None and _at_once(new):
        slot = starter.reserve(job_id, new.job_type)
    if slot is None:
        yield Place(None)
        return
    place, unsure = Place(slot.key.worker_id), True
    try:
        yield place
        unsure = False
    except ConsoleError as error:
        unsure = isinstance(error, Unavailable)
        raise
    finally:
        if place.begun is None:
            slot.release(unsure=unsure)
        else:
            crashpoint("begin.committed")
            slot.begin(place.begun)


def _at_once(new: NewJob) -> bool:
    """Say whether nothing but a slot is needed: who shares a key takes the way of all."""
    later = new.run_at is not None or bool(new.delay_seconds)
    return new.auto_execute and not later and new.unique is None
