"""Job types with limits, and claims under them, in one line each."""

from __future__ import annotations

from agent_console.domain.limits import Caps
from agent_console.domain.records import HandlerInfo
from agent_console.runtime.registry import Registry
from agent_console.services.job_types import JobTypeService
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed
from agent_console.store.finishes import finish
from tests.support.runs import end, introduce


class Handlers(Registry):
    """A catalog in which every name is a job type, whatever handlers there are."""

    def describe(self, job_type: str) -> HandlerInfo | None:
        return HandlerInfo(
            job_type=job_type, title=job_type, description="", version="1", input_schema={}
        )


def declare(db: Database, job_type: str, caps: Caps, worker_id: str = "wrk_limits") -> None:
    """Have a worker register whose handler of ``job_type`` declares ``caps``."""
    limits = {} if caps == Caps() else {job_type: caps}
    introduce(db, worker_id, job_type, limits=limits)


def service(db: Database) -> JobTypeService:
    return JobTypeService(db, Handlers())


def taken(db: Database, room: int = 10, worker_id: str = "w1") -> list[Claimed]:
    """Claim up to ``room`` jobs."""
    return claim(db, worker_id, room)


def complete(db: Database, *claimed: Claimed) -> None:
    """End runs well."""
    finish(db, [end(one.key) for one in claimed])
