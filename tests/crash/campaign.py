"""A campaign of kills: two lanes of children that die at named points until quotas are met.

The worker lane runs jobs; the desk lane enqueues and decides. They run side by side on one
database, so each death happens amid the other's work. What died is started again at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent_console.domain.crashpoints import LABELS
from agent_console.store.database import Database
from tests.crash import child, handlers
from tests.crash.child import Order
from tests.crash.forkserver import ForkServer
from tests.support.factories import ADA, RAY, employ

# Firing has no part in these lanes; ``test_firing_kills`` kills at its labels.
REACHED = tuple(x for x in LABELS if not x.startswith("schedule."))
DESK = tuple(x for x in REACHED if x.startswith(("enqueue.", "decide.", "job_type.")))
ANY_MOMENT = "(any moment)"
TYPES = ("deploy", "publish", "hurry", "flaky", "quick", "agent", "nap", "call")
IN_STOCK = 24  # claimable jobs that a worker should find
BACKLOG = 80  # what a worker that is to give jobs back must find
# What a worker has to do over and over, or it would seldom come past these.
ROLES = {
    "release.before_commit": "restart",
    "expire.before_commit": "expire",
    "begin.before_commit": "begin",
    "begin.committed": "begin",
}
SELDOM = ("rescue.", "release.", "expire.", "begin.")  # a child comes past these once or twice
PATIENCE = 90.0  # seconds to finish everything at the end

# Start one child that is to die at a label; say whether it did.
Once = Callable[[ForkServer, str, random.Random], bool]


@dataclass
class Campaign:
    """Kills ``kills`` processes on ``url``, then lets everything end; the parent survives.

    They die at ``points``, all as often, and a few at any moment.
    """

    url: str
    folder: Path
    kills: int
    seed: int
    points: tuple[str, ...] = REACHED
    killed: Counter[str] = field(default_factory=Counter)
    keys: dict[str, str] = field(default_factory=dict)  # idempotency key → job type

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._worked = threading.Event()  # the worker lane has met its quotas
        self._settings = child.settings(self._order("work"))
        self.db = Database(self.url)
        employ(self.db, RAY)  # a decision stands only as long as its account may decide
        self._services = child.services(self.db, self._settings)

    def run(self) -> None:
        """Kill until the quotas are met, then finish in peace."""
        work, desk = self._plan()
        lanes = [
            threading.Thread(target=self._work_lane, args=(work,)),
            threading.Thread(target=self._desk_lane, args=(desk,)),
        ]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if self._errors:
            raise self._errors[0]
        self._finish()

    def table(self) -> str:
        """Return how often each label killed a process."""
        rows = [(label, self.killed[label]) for label in (*self.points, ANY_MOMENT)]
        width = max(len(label) for label, _ in rows)
        lines = [f"{label:<{width}}  {count:>5}" for label, count in rows]
        return "\n".join([*lines, f"{'total':<{width}}  {self.killed.total():>5}"])

    def acknowledged(self) -> dict[str, str]:
        """Return the job id that was answered for each key, by whichever process."""
        path = self.folder / "acknowledged.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return dict(json.loads(line) for line in lines)

    def _plan(self) -> tuple[deque[str], deque[str]]:
        """Return the labels of each lane in random order, all as often, the rest at any moment."""
        rng = random.Random(self.seed)
        each = max(1, self.kills // (len(self.points) + 1))
        points = self.points * each
        rest = max(0, self.kills - len(points))
        work = [*(x for x in points if x not in DESK), *[ANY_MOMENT] * rest]
        desk = [x for x in points if x in DESK]
        rng.shuffle(work)
        rng.shuffle(desk)
        return deque(work), deque(desk)

    def _lane(self, once: Once, labels: deque[str], number: int) -> None:
        server = ForkServer()
        rng = random.Random(self.seed + number)
        misses = 0
        try:
            while labels:
                label = labels.popleft()
                if once(server, label, rng):
                    with self._lock:
                        self.killed[label] += 1
                else:
                    labels.append(label)  # nothing came past it this time; later again
                    misses += 1
                    self._give_up_after(misses, labels)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._errors.append(error)
        finally:
            server.close()

    def _work_lane(self, labels: deque[str]) -> None:
        try:
            self._lane(self._work_once, labels, 1)
        finally:
            self._worked.set()

    def _desk_lane(self, labels: deque[str]) -> None:
        self._lane(self._desk_once, labels, 2)
        child.let_go_on(self._services)  # the last desk may have died with a type paused
        # Else workers would soon find nothing but jobs that wait for somebody in vain. Seldom:
        # some are to expire before somebody looks.
        self._decide_until(self._worked, every=2.0, limit=50)

    def _decide_until(self, over: threading.Event, every: float, limit: int) -> None:
        answers = child.Answers(self.folder)
        while not over.wait(every):
            child.decide_all(self._services, limit=limit)
            answers.give(self._services)

    def _give_up_after(self, misses: int, labels: deque[str]) -> None:
        if misses > 100 + self.kills:
            raise TimeoutError(f"cannot reach {set(labels)}; see children.log")

    def _work_once(self, server: ForkServer, label: str, rng: random.Random) -> bool:
        role = ROLES.get(label, "work")
        order = self._order(role)
        if role == "restart":
            self._stock(rng, BACKLOG, ("quick",))
        elif role == "begin":  # which it can as soon as nothing else waits
            keys = self._new_keys(rng, 10, ("quick", "deploy"))
            order = replace(order, jobs=tuple(keys.items()), patience=10.0)
        else:
            self._stock(rng, IN_STOCK, TYPES)
        if role == "expire":
            self._enqueue(self._new_keys(rng, 4, ("hurry",)))
        if label == ANY_MOMENT:
            return self._at_any_moment(server, replace(order, patience=30.0), rng)
        nth = 1 if label.startswith(SELDOM) else rng.randint(1, 4)
        server.spawn(replace(order, label=label, nth=nth))
        return server.wait() == -signal.SIGKILL

    def _at_any_moment(self, server: ForkServer, order: Order, rng: random.Random) -> bool:
        pid = server.spawn(replace(order, label="(none)"))
        if not server.ends_within(rng.uniform(0.02, 0.25)):
            os.kill(pid, signal.SIGKILL)
        return server.wait() == -signal.SIGKILL

    def _desk_once(self, server: ForkServer, label: str, rng: random.Random) -> bool:
        jobs = tuple(self._new_keys(rng, 3, TYPES).items())
        order = replace(self._order("desk"), label=label, nth=rng.randint(1, 3), jobs=jobs)
        server.spawn(order)
        return server.wait() == -signal.SIGKILL

    def _order(self, role: str) -> Order:
        return Order(role=role, url=self.url, folder=str(self.folder))

    def _new_keys(self, rng: random.Random, count: int, types: tuple[str, ...]) -> dict[str, str]:
        with self._lock:
            made = {f"key-{len(self.keys) + n}": rng.choice(types) for n in range(count)}
            self.keys.update(made)
        return made

    def _stock(self, rng: random.Random, wanted: int, types: tuple[str, ...]) -> None:
        """Fill the queue up to ``wanted`` claimable jobs."""
        with self.db.read() as reader:
            found = reader.row(
                "SELECT count(*) FROM ai_jobs j WHERE j.status IN ('PENDING', 'QUEUED')"
                " AND j.run_at <= {now} AND NOT EXISTS (SELECT 1 FROM job_types t"
                " WHERE t.job_type = j.job_type AND t.paused_at IS NOT NULL)"
            )
        missing = wanted - (int(found[0]) if found else 0)
        self._enqueue(self._new_keys(rng, max(0, missing), types))

    def _enqueue(self, jobs: dict[str, str]) -> None:
        for key, job_type in jobs.items():
            self._services.jobs.enqueue(ADA, handlers.new_job(job_type), idempotency_key=key)

    def _finish(self) -> None:
        """Repeat every request, let a worker live, decide what comes up, until nothing is left."""
        self._enqueue(self.keys)
        child.let_go_on(self._services)
        server = ForkServer()
        server.spawn(replace(self._order("work"), patience=PATIENCE))
        ended = threading.Event()

        def wait() -> None:
            server.wait()
            ended.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        self._decide_until(ended, every=0.02, limit=200)
        waiter.join()
        server.close()
