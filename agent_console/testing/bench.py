"""A whole console in miniature for tests of handlers: real engine, real database, no threads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import NotFound
from agent_console.domain.jobs import Job, Json
from agent_console.domain.records import Artifact
from agent_console.domain.usage import JobUsage
from agent_console.gateways.http import HttpGateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.registry import Registry
from agent_console.services.callbacks import CallbackService
from agent_console.services.context import ContextService
from agent_console.services.jobs import JobDetail, JobService
from agent_console.services.review import ReviewService
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.migrate import upgrade
from agent_console.testing.clock import FakeClock
from agent_console.testing.draining import drain
from agent_console.testing.factories import new_job

OPERATOR = Actor(
    kind="user",
    id="usr_operator",
    name="Operator",
    role=Role.OPERATOR,
    permissions=ROLE_PERMISSIONS[Role.OPERATOR],
)
REVIEWER = Actor(
    kind="user",
    id="usr_reviewer",
    name="Reviewer",
    role=Role.REVIEWER,
    permissions=ROLE_PERMISSIONS[Role.REVIEWER],
)


class Bench:
    """Runs handlers as the console does; a context manager.

    Jobs run on the calling thread when ``run`` is called. ``clock`` stands still until it is
    advanced; ``workspace`` is what handlers see as ``ctx.workspace``. Without ``url`` (of a
    migrated database) an SQLite file of its own is used and deleted at the end.
    """

    clock: FakeClock
    db: Database
    workspace: Workspace

    def __init__(
        self,
        *handlers: Callable[..., object],
        url: str = "",
        http: HttpGateway | None = None,
    ) -> None:
        """Prepare to run ``handlers``, made with ``@handler``; ``http`` is their ``ctx.http``."""
        self._http = http
        self.registry = Registry(handlers)
        self.clock = FakeClock()
        self._url = url
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the database."""
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self.workspace = Workspace(folder / "workspace")
        url = self._url or f"sqlite:///{folder / 'bench.db'}"
        if not self._url:
            upgrade(url)
        self.db = Database(url, clock=self.clock)
        self._open.callback(self.db.close)
        self._callbacks = CallbackService(self.db)
        self._context = ContextService(self.db)
        self._jobs = JobService(self.db, self.registry)
        self._review = ReviewService(self.db, self_approval="auto")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database and delete what was made."""
        self._open.close()

    def enqueue(
        self, job_type: str, input_data: Mapping[str, Json] | None = None, **fields: Any
    ) -> str:
        """Create a job as an operator would and return its id; ``fields`` are of ``NewJob``.

        Raises:
            Invalid: as the console would say, naming the field.
        """
        return self._jobs.enqueue(OPERATOR, new_job(job_type, input_data, **fields)).job.id

    def run(self) -> int:
        """Run what is due until nothing is; return the number of runs."""
        return drain(
            self.db,
            self.registry,
            clock=self.clock,
            workspace=self.workspace.root,
            http=self._http,
            origin="http://bench",
        )

    def job(self, job_id: str) -> Job:
        """Return the job as it stands."""
        return self._detail(job_id).job

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """Return the job's checkpoints, oldest first."""
        return self._detail(job_id).checkpoints

    def artifacts(self, job_id: str) -> list[Artifact]:
        """Return the job's artifacts, oldest first."""
        return self._detail(job_id).artifacts

    def usage(self, job_id: str) -> JobUsage:
        """Return what the job used of models."""
        return self._detail(job_id).usage

    def document(self, title: str, content: str) -> str:
        """Keep a context document and return its id, for ``context_document_id``."""
        new = NewContextDocument(title=title, content=content)
        return self._context.create(OPERATOR, new).document.id

    def log(self, job_id: str) -> list[str]:
        """Return the messages of the job's log."""
        return [line.message for line in self._detail(job_id).logs]

    def steps(self, job_id: str) -> list[tuple[str, str]]:
        """Return kind and name of every recorded call, in order."""
        return [(step.kind, step.name) for step in self._detail(job_id).steps]

    def pending(self, job_id: str) -> Checkpoint:
        """Return the checkpoint that waits for a decision.

        Raises:
            NotFound: the job waits for nobody.
        """
        for checkpoint in self.checkpoints(job_id):
            if checkpoint.status is CheckpointStatus.PENDING:
                return checkpoint
        raise NotFound(f"Job {job_id} has no pending checkpoint; it is {self.job(job_id).status}.")

    def approve(self, job_id: str, **verdict: Any) -> Checkpoint:
        """Approve what waits, as a reviewer; ``verdict`` are fields such as ``feedback``."""
        return self._decide(job_id, CheckpointVerb.APPROVE, verdict)

    def answer(self, job_id: str, answer: Json, **verdict: Any) -> Checkpoint:
        """Answer the question that waits, as a reviewer."""
        return self._decide(job_id, CheckpointVerb.ANSWER, {"response": answer, **verdict})

    def reject(self, job_id: str, reason: str, **verdict: Any) -> Checkpoint:
        """Reject what waits, as a reviewer."""
        return self._decide(job_id, CheckpointVerb.REJECT, {"reason": reason, **verdict})

    def request_changes(self, job_id: str, feedback: str) -> Checkpoint:
        """Ask for changes of what waits, as a reviewer."""
        return self._decide(job_id, CheckpointVerb.REQUEST_CHANGES, {"feedback": feedback})

    def pass_deadlines(self) -> int:
        """Do to overdue checkpoints what a worker's sweep does; return how many there were."""
        return expire_due(self.db)

    def call_back(self, job_id: str, token: str, answer: dict[str, Json]) -> None:
        """Answer a call of the job, as somebody outside who was given ``token``."""
        self._callbacks.receive(job_id, token, answer)

    def _decide(self, job_id: str, verb: CheckpointVerb, verdict: Mapping[str, Any]) -> Checkpoint:
        shown = self.pending(job_id)
        said = Verdict(verb=verb, **{"payload_digest": shown.payload_digest, **verdict})
        return self._review.decide(REVIEWER, shown.id, said)

    def _detail(self, job_id: str) -> JobDetail:
        return self._jobs.get(OPERATOR, job_id)
