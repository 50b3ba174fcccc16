"""What a killed process was doing: a worker that runs jobs, or a desk that enqueues and decides."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from agent_console.domain import crashpoints
from agent_console.domain.checkpoints import CheckpointSummary, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict
from agent_console.domain.limits import Caps
from agent_console.domain.queries import CheckpointQuery
from agent_console.domain.rulings import Item
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.runtime.sweeps import expire_overdue
from agent_console.services import Services, build_services
from agent_console.services.starting import Starter
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from agent_console.store.signals import Signals
from tests.crash import handlers
from tests.crash.sink import Sink
from tests.support.factories import ADA, RAY

UNFINISHED = "SELECT 1 FROM ai_jobs WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELED') LIMIT 1"


@dataclass(frozen=True)
class Order:
    """What a child is to do, and where it dies. ``label`` "" lets it live."""

    # "work", "restart" (work, drain, again), "expire" (work, and look at deadlines), "begin" (work,
    # and make jobs here) or "desk"
    role: str
    url: str
    folder: str
    label: str = ""
    nth: int = 1
    patience: float = 2.0  # seconds until the child gives up waiting for its label
    jobs: tuple[tuple[str, str], ...] = ()  # (idempotency key, type), to be made

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        fields = json.loads(text)
        return cls(**{**fields, "jobs": tuple(tuple(job) for job in fields["jobs"])})


def settings(order: Order) -> Settings:
    return Settings(
        database_url=order.url,
        data_dir=Path(order.folder),
        poll_interval=0.5,
        max_concurrent_jobs=4,
        worker_timeout=3,
        max_claims=1000,  # kills are not the jobs' fault here
        pool_min=1,
    )


def services(db: Database, chosen: Settings, starter: Starter | None = None) -> Services:
    return build_services(db, Registry(handlers.ALL), chosen, ChangeFeed(), starter=starter)


def run(order: Order) -> None:
    """Do what ``order`` says in this process; returns only if it was not killed."""
    logging.basicConfig(filename=f"{order.folder}/children.log", level=logging.WARNING)
    crashpoints.arm(_hook(order) if order.label else None)
    db = Database(order.url)
    handlers.use(Sink(Path(order.folder) / "sink", db))
    roles = {"work": _work, "restart": _restart, "expire": _expire, "begin": _begin, "desk": _desk}
    roles[order.role](order, db)


def _hook(order: Order) -> Callable[[str], None]:
    lock = threading.Lock()
    left = order.nth

    def passed(label: str) -> None:
        nonlocal left
        if label != order.label:
            return
        with lock:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return passed


class Pulse:
    """Wakes a child whenever this or another process has changed something."""

    def __init__(self, db: Database) -> None:
        self.signals = Signals(db)
        self._changed = threading.Event()
        self.signals.on_change(self._changed.set)
        self.signals.start()

    def beats(self, order: Order, longest: float) -> Iterator[None]:
        """Yield after each change, and after ``longest`` s without; ends with the patience."""
        give_up = time.monotonic() + order.patience
        while time.monotonic() < give_up:
            self._changed.clear()
            yield
            self._changed.wait(longest)


def _host(order: Order, db: Database, pulse: Pulse) -> WorkerHost:
    workspace = Workspace(Path(order.folder))
    return WorkerHost(db, Registry(handlers.ALL), settings(order), pulse.signals, workspace)


def _work(order: Order, db: Database) -> None:
    pulse = Pulse(db)
    host = _host(order, db, pulse)
    host.start()
    for _ in pulse.beats(order, 0.5):
        if not order.label and _all_done(db):
            break
    host.stop(1.0)


def _restart(order: Order, db: Database) -> None:
    pulse = Pulse(db)
    host = _host(order, db, pulse)
    host.start()
    for _ in pulse.beats(order, 0.1):
        if host.stats()["activeJobs"]:
            host.stop(0.0)
            host.start()


def _expire(order: Order, db: Database) -> None:
    pulse = Pulse(db)
    host = _host(order, db, pulse)
    host.start()
    for _ in pulse.beats(order, 0.1):
        expire_overdue(db)
    host.stop(1.0)


def _begin(order: Order, db: Database) -> None:
    pulse = Pulse(db)
    host = _host(order, db, pulse)
    host.start()
    here = services(db, settings(order), host)
    left = iter(order.jobs)
    for _ in pulse.beats(order, 0.05):
        slot = host.reserve("job_next", "quick")
        if slot is not None:  # nothing waits: one that is made now begins
            slot.release(unsure=False)
            for one in islice(left, 1):
                _make(here, order, *one)
    host.stop(1.0)


def _make(desk: Services, order: Order, key: str, job_type: str) -> None:
    made = desk.jobs.enqueue(ADA, handlers.new_job(job_type), idempotency_key=key)
    with (Path(order.folder) / "acknowledged.log").open("a") as file:
        file.write(json.dumps([key, made.job.id]) + "\n")


def _all_done(db: Database) -> bool:
    with db.read() as reader:
        return reader.row(UNFINISHED) is None


def _desk(order: Order, db: Database) -> None:
    desk = services(db, settings(order))
    for key, job_type in order.jobs:
        _make(desk, order, key, job_type)
    answers = Answers(Path(order.folder))
    if order.label:
        for turn, _ in enumerate(Pulse(db).beats(order, 0.1)):
            (decide_together if turn % 2 else decide_all)(desk)
            answers.give(desk)
            change_limits(desk)


def change_limits(desk: Services) -> None:
    """Pause a type, limit another, and let both go on: here, or wherever a desk died."""
    types = desk.job_types
    try:
        types.pause(ADA, "flaky", "for a moment")
    except Conflict as conflict:
        logging.getLogger(__name__).info("flaky: %s", conflict)
    types.limit(ADA, "agent", Caps(running=1))
    let_go_on(desk)


def let_go_on(desk: Services) -> None:
    """Resume what a desk has paused, and lift its limits."""
    for name, _ in desk.job_types.paused(ADA):
        try:
            desk.job_types.resume(ADA, name)
        except Conflict as conflict:  # another desk was faster
            logging.getLogger(__name__).info("%s: %s", name, conflict)
    desk.job_types.limit(ADA, "agent", Caps())


def open_ones(desk: Services, limit: int) -> list[CheckpointSummary]:
    """Return what waits for a decision."""
    page = desk.review.page(RAY, CheckpointQuery(limit=limit))
    return [
        item
        for item in page.items
        if item.checkpoint_type == "APPROVAL_REQUIRED" and item.status == "PENDING"
    ]


def decide_together(desk: Services, limit: int = 10) -> None:
    """Decide what is pending as ``decide_all`` does, in one transaction per verdict."""
    groups: dict[Verdict, list[Item]] = {}
    for item in open_ones(desk, limit):
        groups.setdefault(verdict(item.job_id), []).append(
            Item(checkpoint_id=item.id, payload_digest=item.payload_digest)
        )
    for said, items in groups.items():
        key = hashlib.sha256(" ".join(one.checkpoint_id for one in items).encode()).hexdigest()
        desk.review.decide_many(RAY, items, said, idempotency_key=key)


def decide_all(desk: Services, limit: int = 10) -> int:
    """Decide what is pending: every fifth job is refused. Returns how many were decided."""
    decided = 0
    for item in open_ones(desk, limit):
        try:
            desk.review.decide(RAY, item.id, verdict(item.job_id), idempotency_key=item.id)
        except Conflict:
            continue  # it expired in between
        decided += 1
    return decided


class Answers:
    """Somebody outside who answers every call; any number of them may, and each may die."""

    def __init__(self, folder: Path) -> None:
        self._asked, self._given = folder / "sink" / "asked.log", folder / "answered.log"

    def give(self, desk: Services) -> None:
        """Answer what nobody is known to have answered."""
        for line in sorted(_lines(self._asked) - _lines(self._given)):
            asked = json.loads(line)
            try:
                desk.callbacks.receive(asked["job"], asked["token"], {"job": asked["job"]})
            except Conflict as conflict:
                logging.getLogger(__name__).info("%s: %s", asked["job"], conflict)
            with self._given.open("a") as file:
                file.write(line + "\n")


def _lines(path: Path) -> set[str]:
    return set(path.read_text().splitlines()) if path.exists() else set()


def is_refused(job_id: str) -> bool:
    return int(job_id[-2:], 16) % 5 == 0


def verdict(job_id: str) -> Verdict:
    if is_refused(job_id):
        return Verdict(verb=CheckpointVerb.REJECT, reason="not this one")
    return Verdict(verb=CheckpointVerb.APPROVE)
