"""A process full of people and sweeps who all want to end the same questions, each another way."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Unavailable
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.store.database import Database, StoreOptions
from agent_console.store.deadlines import expire_due
from agent_console.store.feed import ChangeFeed
from tests.support.factories import ADA

VERBS = ("approve", "approve", "reject", "reject", "request_changes", "expire", "cancel")


@dataclass(frozen=True)
class Try:
    """What one of them wanted of which question, and what they were told."""

    question: int
    verb: str
    who: str
    told: str  # "won", "nothing to do", or the status that the conflict names
    by: str = ""  # whom the conflict names


def reviewer(seat: int) -> Actor:
    """Return the account in ``seat``."""
    return Actor(
        kind="user",
        id=f"usr_{seat:03}",
        name=f"Reviewer {seat}",
        role=Role.REVIEWER,
        permissions=ROLE_PERMISSIONS[Role.REVIEWER],
    )


def run(url: str, seats: list[int], asked: list[tuple[str, str]], seed: int, p: Connection) -> None:
    """Let everybody in ``seats`` try to end each of ``asked`` (job, checkpoint), in step."""
    db = Database(url, StoreOptions(pool_min=1, pool_max=len(seats)))
    services = build_services(db, Registry([]), Settings(), ChangeFeed())
    together = threading.Barrier(len(seats), timeout=300)  # one that fails must not keep the others

    def sit(seat: int) -> list[Try]:
        rng = random.Random(seed * 1000 + seat)
        tries = []
        for number, question in enumerate(asked):
            together.wait()
            verb = rng.choice(VERBS)
            told, by = _try(db, services, reviewer(seat), verb, question)
            tries.append(Try(number, verb, reviewer(seat).name, told, by))
        return tries

    p.send("here")
    p.recv()
    with ThreadPoolExecutor(len(seats)) as pool:
        found = [each for tries in pool.map(sit, seats) for each in tries]
    db.close()
    p.send(found)


def _try(
    db: Database, services: Services, actor: Actor, verb: str, question: tuple[str, str]
) -> tuple[str, str]:
    job_id, checkpoint_id = question

    def act() -> str:
        if verb == "expire":
            return "nothing to do" if not expire_due(db) else "won"
        if verb == "cancel":
            services.jobs.control(ADA, job_id, "cancel")
            return "canceled"
        reason = "no" if verb == "reject" else None
        feedback = "more" if verb == "request_changes" else None
        verdict = Verdict(verb=CheckpointVerb(verb), reason=reason, feedback=feedback)
        services.review.decide(actor, checkpoint_id, verdict)
        return "won"

    try:
        return _until_answered(act), ""
    except Conflict as lost:
        facts: dict[str, Any] = dict(lost.context)
        return str(facts.get("currentStatus")), str(facts.get("decidedBy", ""))


def _until_answered(act: Callable[[], str]) -> str:
    """Try again while the database is too busy: nothing was done then."""
    while True:
        try:
            return act()
        except Unavailable:
            threading.Event().wait(0.05)
