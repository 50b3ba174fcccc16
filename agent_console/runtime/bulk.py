"""The built-in job type ``bulk-control``: cancels or retries all jobs that match a filter.

It walks the jobs oldest first, in batches that are recorded steps: after a crash it goes on where
it was. Jobs made after it, and it itself, are left alone. It is no handler like others: it uses
the services, as whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from agent_console.domain.access import Actor, Permission
from agent_console.domain.bulk import BULK_TYPE, MAX_IDS, BulkAction, JobFilter
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.jobs import Json
from agent_console.runtime.context import JobContext
from agent_console.runtime.errors import NonRetryable
from agent_console.runtime.registry import handler
from agent_console.services.bulk import BATCH, check, current_asker
from agent_console.services.jobs import JobService
from agent_console.store.database import Database
from agent_console.store.reads import bulk

MAX_REFUSALS = 100  # shown in the output
AT_ONCE = 25  # jobs in one transaction: others wait for no more than those


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", validate_by_name=True)


class BulkFilter(_Wire):
    """Which jobs; at least one of these, ``ids`` alone."""

    status: str | None = None
    job_type: str | None = None
    user_id: str | None = None
    project_id: str | None = None
    ids: list[str] = Field(default_factory=list, max_length=MAX_IDS)


class BulkInput(_Wire):
    """What to do to which jobs."""

    action: BulkAction
    filter: BulkFilter

    @property
    def wanted(self) -> JobFilter:
        """The filter as the services know it."""
        return JobFilter.from_json(self.filter.model_dump(by_alias=True))

    @model_validator(mode="after")
    def _usable(self) -> BulkInput:
        try:
            check(self.action, self.wanted)
        except Invalid as error:
            raise ValueError(error.message) from None
        return self


def bulk_handler(db: Database, jobs: JobService) -> Callable[..., object]:
    """Return the handler, acting through ``jobs``."""

    @handler(
        BULK_TYPE,
        input=BulkInput,
        version="1",
        title="Bulk control",
        description="Cancels or retries all jobs that match a filter.",
        examples=[{"action": "cancel", "filter": {"status": "PENDING", "jobType": "simple-task"}}],
        needs=Permission.JOBS_CONTROL,
    )
    def bulk_control(ctx: JobContext) -> dict[str, Json]:
        return _Walk(ctx, db, jobs).all()

    return bulk_control


class _Walk:
    """One run of a bulk job."""

    def __init__(self, ctx: JobContext, db: Database, jobs: JobService) -> None:
        self._ctx, self._db, self._jobs = ctx, db, jobs
        self._action: BulkAction = ctx.input.action
        self._wanted: JobFilter = ctx.input.wanted
        self._done = self._refused = 0
        self._refusals: list[Json] = []
        self._total: int | None = None

    def all(self) -> dict[str, Json]:
        """Act on every job that matches; return what became of them."""
        total = self._ctx.step("count", self._count)
        self._total = total["count"] if not total["capped"] else None
        after = ""
        while True:
            number = (self._done + self._refused) // BATCH + 1
            batch = self._ctx.step(f"batch {number}", self._batch, after)
            self._done += batch["done"]
            self._refused += batch["refused"]
            self._refusals += batch["refusals"]
            self._show()
            after = batch["last"]
            if not batch["more"]:
                break
        return {
            "action": self._action,
            "done": self._done,
            "refused": self._refused,
            "refusals": self._refusals,
        }

    def _count(self) -> dict[str, Any]:
        with self._db.read() as reader:
            found, capped = bulk.count(reader, self._wanted, self._action, self._ctx.job.id)
        return {"count": found, "capped": capped}

    def _batch(self, after: str) -> dict[str, Any]:
        """Act on the next jobs after an id; ``last`` is how far it came."""
        job_id = self._ctx.job.id
        with self._db.read() as reader:
            try:
                actor = current_asker(reader, job_id)
            except Forbidden as refusal:
                raise NonRetryable(f"Stopped: {refusal.message}") from refusal
            ids = bulk.page(
                reader, self._wanted, self._action, after=after, before=job_id, limit=BATCH
            )
        refusals: list[Json] = []
        last = after
        for start in range(0, len(ids), AT_ONCE):
            if self._ctx.canceled:  # what was done so far is still recorded
                break
            part = ids[start : start + AT_ONCE]
            refusals += self._act(actor, part)
            last = part[-1]
        seen = ids.index(last) + 1 if last in ids else 0
        room = max(0, MAX_REFUSALS - len(self._refusals))
        return {
            "done": seen - len(refusals),
            "refused": len(refusals),
            "refusals": refusals[:room],
            "last": last,
            "more": len(ids) == BATCH or last != (ids[-1] if ids else after),
        }

    def _act(self, actor: Actor, ids: list[str]) -> list[Json]:
        """Act on some jobs, in one transaction; return which were refused, and why."""
        job_id = self._ctx.job.id
        others = [one for one in ids if one != job_id]
        refused = self._jobs.control_many(actor, others, self._action, cause={"bulkJob": job_id})
        if len(others) < len(ids):
            refused[job_id] = "A bulk job leaves itself alone."
        return [{"jobId": one, "message": refused[one]} for one in ids if one in refused]

    def _show(self) -> None:
        seen = self._done + self._refused
        fraction = None if not self._total else seen / self._total
        of = f" of {self._total:,}" if self._total is not None else ""
        self._ctx.progress(fraction, f"{seen:,}{of} jobs looked at")
