"""The real store behind the words of the model, so that one rule drives both and they compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from agent_console.domain.checkpoints import CheckpointType, CheckpointVerb
from agent_console.domain.errors import Conflict, LostClaim, Unauthenticated
from agent_console.domain.jobs import JobError, JobVerb, NewJob, Progress
from agent_console.domain.payload import dumps
from agent_console.domain.records import WorkerStatus
from agent_console.domain.usage import Usage
from agent_console.services.callbacks import CALLER, digest_of
from agent_console.store import callbacks, job_writes, previews, runs, waits
from agent_console.store.claims import claim, give_back
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.engine_values import RunKey
from agent_console.store.finishes import finish
from agent_console.store.liveness import heartbeat, rescue
from agent_console.store.policy_approvals import put_up
from agent_console.store.run_usage import record_usage
from agent_console.testing import FakeClock
from tests.chaos.model import CONFLICT, LOST, SECOND, Key
from tests.support.factories import ADA
from tests.support.runs import artifact, checkpoint, decide, end, line, start_worker, step


class Real:
    """One database; checkpoints are known by the number that the model gives them."""

    def __init__(self, db: Database, clock: FakeClock) -> None:
        self.db = db
        self._clock = clock
        self.questions: list[str] = []
        self.tampered = 0
        self._asked: dict[str, int] = {}

    def enqueue(self, job_id: str, priority: int, delay: int, attempts: int, start: bool) -> None:
        run_at = self._at(delay) if delay else None
        new = NewJob(job_type="noop", priority=priority, run_at=run_at, auto_execute=start)
        self.db.write(
            lambda tx: job_writes.enqueue(
                tx, job_id, new, max_attempts=attempts, actor=ADA, key=None
            )
        )

    def begin(self, job_id: str, worker: str, priority: int, attempts: int) -> Key | None:
        new = NewJob(job_type="noop", priority=priority)
        made = self.db.write(
            lambda tx: job_writes.enqueue(
                tx, job_id, new, max_attempts=attempts, actor=ADA, key=None, worker_id=worker
            )
        )
        return None if made.begun is None else tuple(made.begun.key)

    def _at(self, delay: int) -> datetime:
        return self._clock.now() + timedelta(microseconds=delay)

    def control(self, job_id: str, verb: str) -> str:
        def work() -> str:
            done = self.db.write(lambda tx: job_writes.control(tx, job_id, JobVerb(verb), ADA))
            return done.status.value

        return refused(work)

    def decide(self, number: int, verb: str) -> str:
        try:
            return decide(self.db, self.questions[number], CheckpointVerb(verb)).status.value
        except Conflict as conflict:
            return f"{CONFLICT}: {conflict.context['currentStatus']}"

    def expire_due(self) -> int:
        return expire_due(self.db)

    def receive(self, job_id: str, token: str, body: str) -> str:
        def work() -> str:
            hashed = digest_of(token)
            taken = self.db.write(lambda tx: callbacks.receive(tx, job_id, hashed, body, CALLER))
            return str(taken)

        return refused(work)

    def tamper(self, number: int) -> None:
        # Another one each time: what was put under review again may be changed once more.
        self.tampered += 1
        given = {"id": self.questions[number], "payload": dumps({"action": f"x{self.tampered}"})}
        sql = "UPDATE agent_checkpoints SET payload = :payload WHERE id = :id"
        self.db.write(lambda tx: tx.execute(sql, given))

    def claim(self, worker: str, room: int) -> list[Key]:
        return [(c.key.job_id, c.key.token, worker) for c in claim(self.db, worker, room)]

    def record(self, key: Key, kind: str, position: int) -> str:
        return refused(lambda: self._record(RunKey(*key), kind, position))

    def _record(self, run: RunKey, kind: str, position: int) -> str:
        if kind == "note":
            note = checkpoint(position, kind=CheckpointType.INFO)
            self.questions.append(runs.record_note(self.db, run, note))
        elif kind == "artifact":
            runs.save_artifact(self.db, run, artifact(position))
        elif kind == "usage":
            used = Usage(input_tokens=1, output_tokens=1, cost_micros=1)
            record_usage(self.db, run, step(position, kind="usage"), used, "noop")
        elif kind == "policy":
            made = put_up(self.db, run, checkpoint(position), "auto_approve_low_risk")
            self.questions.append(made.id)
        else:
            runs.record_step(self.db, run, step(position, kind=kind))
        return kind

    def say(self, key: Key, kind: str) -> str:
        return refused(lambda: self._say(RunKey(*key), kind))

    def _say(self, run: RunKey, kind: str) -> str:
        if kind == "progress":
            runs.set_progress(self.db, run, Progress(0.5))
        elif kind == "preview":
            previews.show(self.db, run, "text")
        else:
            before = self._count("agent_logs")
            runs.append_logs(self.db, [line(run, "line")])
            return kind if self._count("agent_logs") > before else "dropped"
        return kind

    def _count(self, table: str) -> int:
        with self.db.read() as reader:
            return int(reader.rows(f"SELECT count(*) FROM {table}")[0][0])

    def suspend(self, key: Key, position: int, expires_in: int | None, rounds: int | None) -> str:
        def work() -> str:
            expiry = None if expires_in is None else timedelta(microseconds=expires_in)
            new = checkpoint(position, position, expires_in=expiry, rounds=rounds)
            self.questions.append(runs.suspend(self.db, RunKey(*key), new))
            return "WAITING"

        return refused(work)

    def sleep(self, key: Key, position: int, duration: int, callback: int | None) -> str:
        def work() -> str:
            seconds, lies = duration / SECOND, step(position, kind="wait")
            waits.sleep(self.db, RunKey(*key), lies, seconds, job_type="noop", callback=callback)
            return "QUEUED"

        return refused(work)

    def settle(self, key: Key, position: int) -> str:
        def work() -> str:
            waits.settle(self.db, RunKey(*key), position, "{}")
            return "settled"

        return refused(work)

    def admit(self, key: Key, position: int, token: str) -> str:
        def work() -> str:
            waits.admit(self.db, RunKey(*key), position, digest_of(token))
            return "admitted"

        return refused(work)

    def finish(self, ends: Sequence[tuple[Key, str, int, str | None]]) -> set[str]:
        batch = [
            end(
                RunKey(*key),
                JobVerb(verb),
                delay=delay / SECOND,
                error=None if error is None else JobError(error, "why"),
                park_reason="look" if verb == "park" else None,
            )
            for key, verb, delay, error in ends
        ]
        return finish(self.db, batch)

    def give_back(self, keys: Sequence[Key]) -> int:
        return give_back(self.db, [RunKey(*key) for key in keys])

    def beat(self, worker: str, claims: Sequence[Key]) -> set[str]:
        held = [RunKey(*key) for key in claims]
        orders = heartbeat(self.db, worker, held, WorkerStatus.RUNNING)
        if orders.dead:
            start_worker(self.db, worker)
            orders = heartbeat(self.db, worker, held, WorkerStatus.RUNNING)
        return set(orders.lost)

    def rescue(self, timeout: int, max_claims: int, dead: Sequence[str]) -> int:
        return rescue(self.db, timeout / SECOND, max_claims, dead)


def refused(work: Callable[[], str]) -> str:
    """Return what ``work`` does, or the word for its refusal."""
    try:
        return work()
    except LostClaim:
        return LOST
    except Conflict:
        return CONFLICT
    except Unauthenticated:
        return "Unauthenticated"
