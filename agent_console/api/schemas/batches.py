"""Wire models of many jobs at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Out, Success, example
from agent_console.api.schemas.jobs import JobOut, NewJobIn
from agent_console.domain.bulk import MAX_IDS, JobFilter
from agent_console.domain.jobs import JobStatus
from agent_console.services.batches import MAX_BATCH

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Key = Annotated[StrictStr, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")]


class BatchedJobIn(NewJobIn):
    """One job of a batch; ``idempotencyKey`` is its own, as the header is that of one job."""

    idempotency_key: _Key | None = None


class BatchIn(In):
    """Jobs to enqueue, all or none."""

    model_config = example(
        jobs=[
            {"jobType": "simple-task", "inputData": {"userId": "u-1", "action": "greet"}},
            {"jobType": "simple-task", "inputData": {"userId": "u-2", "action": "greet"}},
        ]
    )

    jobs: Annotated[list[BatchedJobIn], Field(min_length=1, max_length=MAX_BATCH)]


class QueuedOut(Out):
    """What became of one job. ``replayed``: its key repeated an earlier request.

    ``existing``: it was there already and has the unique key.
    """

    id: str
    job_type: str
    status: JobStatus
    replayed: bool
    existing: bool


class BatchAnswer(Success):
    """The jobs in the order asked."""

    jobs: list[QueuedOut]


class JobFilterIn(In):
    """Which jobs: at least one of these, ``ids`` alone."""

    status: JobStatus | None = None
    job_type: _Name | None = None
    user_id: _Name | None = None
    project_id: _Name | None = None
    ids: Annotated[list[_Name], Field(max_length=MAX_IDS)] = Field(default_factory=list)

    def to_filter(self) -> JobFilter:
        """Return the domain's value."""
        return JobFilter(
            status=self.status and self.status.value,
            job_type=self.job_type,
            user_id=self.user_id,
            project_id=self.project_id,
            ids=tuple(self.ids),
        )


class BulkIn(In):
    """What to do to all jobs that match; ``dryRun`` only counts them."""

    model_config = example(
        action="cancel", filter={"status": "PENDING", "jobType": "simple-task"}, dryRun=True
    )

    action: Literal["cancel", "retry"]
    filter: JobFilterIn
    dry_run: StrictBool = False


class BulkStarted(Success):
    """The job that does it; its ``outputData`` says in the end what became of how many."""

    dry_run: Literal[False] = False
    job: JobOut


class BulkCounted(Success):
    """How many jobs match now; ``capped``: that many or more."""

    dry_run: Literal[True] = True
    count: int
    capped: bool
