"""An engine without threads, and the hands and eyes a test needs on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.jobs import Job, JobVerb
from agent_console.domain.risk import RiskAssessor
from agent_console.domain.risk_rules import STANDARD
from agent_console.runtime.registry import Registry
from agent_console.store import decisions, job_writes
from agent_console.store.database import Database
from agent_console.testing import FakeClock, drain, enqueue

REVIEWER = Actor(kind="user", id="usr_1", name="Rita Reviewer")


@dataclass
class Desk:
    """Runs handlers by ``drain`` on a database whose clock is ``clock``."""

    db: Database
    clock: FakeClock
    workspace: Path
    registry: Registry = field(default_factory=Registry)
    assessors: Sequence[RiskAssessor] = STANDARD

    def add(self, *handlers: Callable[..., object]) -> None:
        """Register handlers; a later one of the same type replaces the earlier."""
        kept = [spec.function for spec in self.registry._specs.values()]
        types = {h.__agent_console_handler__.job_type for h in handlers}  # type: ignore[attr-defined]
        kept = [f for f in kept if f.__agent_console_handler__.job_type not in types]  # type: ignore[attr-defined]
        self.registry = Registry([*kept, *handlers])

    def enqueue(self, job_type: str = "test", data: dict[str, Any] | None = None, **f: Any) -> str:
        return enqueue(self.db, job_type, data, **f)

    def run(self, limit: int = 100) -> int:
        """Run what is due; return the number of runs."""
        return drain(
            self.db,
            self.registry,
            clock=self.clock,
            workspace=self.workspace,
            limit=limit,
            assessors=self.assessors,
        )

    def job(self, job_id: str) -> Job:
        return self.db.write(lambda tx: job_writes.job(tx, job_id))

    def control(self, job_id: str, verb: JobVerb) -> Job:
        return self.db.write(lambda tx: job_writes.control(tx, job_id, verb, REVIEWER))

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        with self.db.read() as reader:
            return reader.dicts(sql, params)

    def steps(self, job_id: str) -> list[tuple[int, str, str]]:
        """Return position, kind and name of every recorded call."""
        found = self.rows("SELECT * FROM job_steps WHERE job_id = :id ORDER BY position", id=job_id)
        return [(row["position"], row["kind"], row["name"]) for row in found]

    def log(self, job_id: str) -> list[str]:
        found = self.rows(
            "SELECT message FROM agent_logs WHERE job_id = :id ORDER BY id", id=job_id
        )
        return [row["message"] for row in found]

    def actions(self, job_id: str) -> list[str]:
        """Return the journal's actions on the job, in order."""
        found = self.rows(
            "SELECT action FROM audit_logs WHERE job_id = :id ORDER BY seq", id=job_id
        )
        return [row["action"] for row in found]

    def open_checkpoint(self, job_id: str) -> dict[str, Any]:
        (row,) = self.rows(
            "SELECT * FROM agent_checkpoints WHERE job_id = :id AND status = 'PENDING'", id=job_id
        )
        return row

    def approve(self, job_id: str, **verdict: Any) -> None:
        self.decide(job_id, CheckpointVerb.APPROVE, **verdict)

    def reject(self, job_id: str, reason: str) -> None:
        self.decide(job_id, CheckpointVerb.REJECT, reason=reason)

    def decide(self, job_id: str, verb: CheckpointVerb, **verdict: Any) -> None:
        checkpoint_id = self.open_checkpoint(job_id)["id"]
        self.db.write(
            lambda tx: decisions.decide(
                tx,
                checkpoint_id,
                Verdict(verb=verb, **verdict),
                actor=REVIEWER,
                key=None,
                check=lambda _tx, _found: {},
            )
        )
