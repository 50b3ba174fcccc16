"""What the engine promises, in plain Python: no SQL, no threads, no locks.

Every operation takes the instant at which it happens (microseconds) and answers what the store is
to answer: a value, or a word for the refusal (``LOST``, ``Conflict``, ``Unauthenticated``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
FINISHED = ("COMPLETED", "FAILED", "CANCELED")
LOST = "LostClaim"
CONFLICT = "Conflict"

Entry = tuple[str, str | None, str | None]  # action, before, after
Key = tuple[str, int, str]  # job, token, worker

# The life of a job as its documentation draws it, written down a second time.
CONTROL = {
    "execute": {"INITIALIZED": "PENDING", "PAUSED": "QUEUED"},
    "pause": dict.fromkeys(("PENDING", "QUEUED", "RUNNING", "WAITING"), "PAUSED"),
    "resume": {"PAUSED": "QUEUED", "PARKED": "QUEUED"},
    "retry": {"FAILED": "QUEUED", "CANCELED": "QUEUED", "PARKED": "QUEUED"},
    "cancel": dict.fromkeys(
        ("INITIALIZED", "PENDING", "QUEUED", "RUNNING", "WAITING", "PAUSED", "PARKED"), "CANCELED"
    ),
}
DONE = {
    "execute": "job.executed",
    "pause": "job.paused",
    "resume": "job.resumed",
    "retry": "job.retried",
    "cancel": "job.canceled",
}
ENDS = {
    "complete": ("job.completed", "COMPLETED"),
    "fail": ("job.failed", "FAILED"),
    "retry_later": ("job.retrying", "QUEUED"),
    "release": ("job.released", "QUEUED"),
    "park": ("job.parked", "PARKED"),
}
VERDICTS = {"approve": "APPROVED", "reject": "REJECTED", "request_changes": "CHANGES_REQUESTED"}
CALLS = {"note": "info", "policy": "approve"}  # as what they are recorded
REFUSALS = ("REJECTED", "CHANGES_REQUESTED", "EXPIRED", "CANCELED")
REFUSAL_ERRORS = ("Rejected", "Expired", "ChangesRequested")


@dataclass
class Step:
    """A recorded call; ``until`` and ``callback`` while it is an open wait."""

    position: int
    kind: str
    open_wait: bool = False
    callback: int | None = None


@dataclass
class Question:
    """A checkpoint. ``tampered``: its payload is not what was digested any more."""

    number: int  # in the order of their making, over all jobs
    job: str
    position: int
    status: str
    expires_at: int | None = None
    round: int = 1
    rounds: int | None = None
    blocking: bool = True
    tampered: bool = False


@dataclass
class Answer:
    """A token that was handed out, and what came for it."""

    token: str
    job: str
    position: int
    body: str | None = None


@dataclass
class Job:
    """One job with everything that is stored of it."""

    id: str
    priority: int
    run_at: int
    max_attempts: int
    status: str
    token: int = 0
    attempts: int = 0
    claims: int = 0
    resuming: int = 0
    worker: str | None = None
    parked: bool = False
    error: str | None = None
    started_at: int | None = None
    completed_at: int | None = None
    steps: list[Step] = field(default_factory=list)
    artifacts: list[int] = field(default_factory=list)
    usage: list[int] = field(default_factory=list)
    lines: int = 0
    progress: bool = False
    journal: list[Entry] = field(default_factory=list)

    @property
    def position(self) -> int:
        """Where the next recorded call goes."""
        return len(self.steps)

    def owns(self, key: Key) -> bool:
        """Say whether the run of ``key`` may write."""
        return self.status == "RUNNING" and self.token == key[1]

    def move(self, action: str, after: str) -> None:
        """Change the status and journal it."""
        self.journal.append((action, self.status, after))
        self.status = after


@dataclass
class Worker:
    """A worker in the books."""

    status: str
    beat_at: int


@dataclass
class Model:
    """Everything; ``now`` is moved by whoever drives it."""

    now: int
    jobs: dict[str, Job] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    previews: dict[str, int] = field(default_factory=dict)

    # --- from outside ---------------------------------------------------------------------

    def enqueue(self, job_id: str, priority: int, delay: int, attempts: int, start: bool) -> None:
        """Make a job."""
        status = "PENDING" if start else "INITIALIZED"
        job = Job(job_id, priority, self.now + delay, attempts, status)
        job.journal.append(("job.created", None, status))
        self.jobs[job_id] = job

    def begin(self, job_id: str, worker: str, priority: int, attempts: int) -> Key | None:
        """Make a job that ``worker`` begins."""
        self.enqueue(job_id, priority, 0, attempts, start=True)
        return self._claim(self.jobs[job_id], worker)

    def control(self, job: Job, verb: str) -> str:
        """Do what a person wants; return the new status or ``Conflict``."""
        before, after = job.status, CONTROL[verb].get(job.status)
        if after is None:
            return CONFLICT
        open_question = self.open_question(job)
        if before == "PAUSED" and verb in ("resume", "execute") and open_question is not None:
            verb, after = "resume_waiting", "WAITING"
        if not (before == "INITIALIZED" and verb == "execute"):
            job.token += 1
        if verb == "cancel":
            self._cancel(job, open_question)
        elif verb == "pause":
            job.claims, job.worker = 0, None
            job.resuming = 1 if before in ("RUNNING", "WAITING") else job.resuming
        elif verb == "resume":
            job.claims, job.parked = 0, False
            job.resuming = 1 if before == "PARKED" else job.resuming
        elif verb == "retry":
            self._retry(job)
        job.move(DONE.get(verb, "job.resumed"), after)
        return after

    def _cancel(self, job: Job, question: Question | None) -> None:
        job.completed_at, job.worker = self.now, None
        if question is not None:
            question.status = "CANCELED"
            job.journal.append(("checkpoint.canceled", "PENDING", "CANCELED"))

    def _retry(self, job: Job) -> None:
        self._cut_at_refusal(job)
        job.claims = job.resuming = 0
        job.parked, job.error, job.progress, job.completed_at = False, None, False, None
        job.run_at = self.now
        if job.attempts >= job.max_attempts:
            job.max_attempts = job.attempts + 1

    def _cut_at_refusal(self, job: Job) -> None:
        asked = [q for q in self.of(job) if q.blocking and q.position >= 0]
        last = max(asked, key=lambda q: q.position, default=None)
        if last is None or last.status not in REFUSALS:
            return
        by_it = job.status == "FAILED" and job.error in REFUSAL_ERRORS
        goes_on = last.status == "CHANGES_REQUESTED" or job.position > last.position + 1
        if by_it or last.status == "CANCELED" or not goes_on:
            self._cut(job, last.position)

    def _cut(self, job: Job, at: int) -> None:
        job.steps = job.steps[:at]
        for token in [a.token for a in self.answers.values() if a.job == job.id]:
            if self.answers[token].position >= at:
                del self.answers[token]
        lowest = min([0, *(q.position for q in self.of(job))])
        for question in self.of(job):
            question.position = _aside(question.position, at, lowest)
        for kept in (job.artifacts, job.usage):
            lowest = min([0, *kept])
            kept[:] = [_aside(position, at, lowest) for position in kept]

    def decide(self, question: Question, verb: str) -> str:
        """Decide; return the verdict, or ``Conflict: status`` as the loser is told."""
        job = self.jobs[question.job]
        if question.status != "PENDING" or job.status not in ("WAITING", "PAUSED"):
            return f"{CONFLICT}: {question.status}"
        if question.expires_at is not None and question.expires_at <= self.now:
            self._expire(question)
            return f"{CONFLICT}: EXPIRED"
        question.status = VERDICTS[verb]
        action = f"checkpoint.{question.status.lower()}"
        job.journal.append((action, "PENDING", question.status))
        self._wake(job)
        return question.status

    def expire_due(self) -> int:
        """Expire what is overdue."""
        due = [
            q
            for q in self.questions
            if q.status == "PENDING" and q.expires_at is not None and q.expires_at <= self.now
        ]
        for question in due:
            self._expire(question)
        return len(due)

    def _expire(self, question: Question) -> None:
        question.status = "EXPIRED"
        self._wake(self.jobs[question.job])
        self.jobs[question.job].journal.append(("checkpoint.expired", "PENDING", "EXPIRED"))

    def _wake(self, job: Job) -> None:
        if job.status == "WAITING":
            job.resuming, job.run_at = 1, self.now
            job.move("job.woken", "QUEUED")

    def receive(self, job: Job, token: str, body: str) -> str:
        """Take an answer from outside."""
        answer = self.answers.get(token)
        if answer is None or answer.job != job.id:
            return "Unauthenticated"
        earlier = {
            a.body
            for a in self.answers.values()
            if (a.job, a.position) == (job.id, answer.position) and a.body is not None
        }
        if earlier:
            return "False" if body in earlier else CONFLICT
        if job.status in FINISHED:
            return CONFLICT
        answer.body = body
        last = job.steps[-1] if job.steps else None
        waits = last is not None and last.open_wait and last.callback == answer.position
        if waits and job.status in ("QUEUED", "PAUSED"):
            job.run_at = self.now
        job.journal.append(("job.called_back", None, None))
        return "True"

    def tamper(self, question: Question) -> None:
        """Change what is stored behind the engine's back."""
        question.tampered = True

    # --- runs -------------------------------------------------------------------------------

    def claim(self, worker: str, room: int) -> list[Key]:
        """Give ``worker`` the best due jobs."""
        due = [
            j
            for j in self.jobs.values()
            if j.status in ("PENDING", "QUEUED") and j.run_at <= self.now
        ]
        due.sort(key=lambda j: (-j.priority, j.run_at, j.id))
        return [key for job in due[:room] if (key := self._claim(job, worker)) is not None]

    def _claim(self, job: Job, worker: str) -> Key | None:
        job.token += 1
        job.attempts += 1 - job.resuming
        job.resuming, job.worker, job.parked = 0, worker, False
        job.claims += 1
        job.started_at = self.now if job.started_at is None else job.started_at
        doubtful = [
            q
            for q in self.of(job)
            if q.position >= 0 and q.blocking and q.status == "APPROVED" and q.tampered
        ]
        if doubtful and job.token > 1:
            self._return(job, doubtful[0])
            return None
        job.move("job.started", "RUNNING")
        return (job.id, job.token, worker)

    def _return(self, job: Job, question: Question) -> None:
        question.status, question.tampered = "PENDING", False  # its digest is that of the payload
        question.expires_at = self.now + DAY
        job.journal.append(("checkpoint.reopened", "APPROVED", "PENDING"))
        job.worker, job.claims, job.resuming = None, 0, 1
        job.token += 1
        job.move("job.returned", "WAITING")

    def record(self, key: Key, kind: str) -> str:
        """Write a recorded call of a run; ``kind`` says which."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return LOST
        if kind == "note":
            self._ask(job, Question(0, job.id, job.position, "APPROVED", blocking=False))
        elif kind == "artifact":
            job.artifacts.append(job.position)
            job.journal.append(("artifact.saved", None, None))
        elif kind == "usage":
            job.usage.append(job.position)
            job.journal.append(("usage.recorded", None, None))
        elif kind == "policy":
            question = self._ask(job, Question(0, job.id, job.position, "PENDING"))
            question.expires_at = self.now + DAY
            question.status = "APPROVED"
            job.journal.append(("checkpoint.approved", "PENDING", "APPROVED"))
        job.steps.append(Step(job.position, CALLS.get(kind, kind)))
        return kind

    def _ask(self, job: Job, question: Question) -> Question:
        question.number = len(self.questions)
        self.questions.append(question)
        after = "PENDING" if question.blocking else None
        job.journal.append(("checkpoint.created", None, after))
        return question

    def say(self, key: Key, kind: str) -> str:
        """Write something of a run that is no recorded call: a line, progress, live text."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return "dropped" if kind == "line" else LOST
        if kind == "line":
            job.lines += 1
        elif kind == "progress":
            job.progress = True
        else:
            self.previews[job.id] = key[1]
        return kind

    def suspend(self, key: Key, expires_in: int | None, rounds: int | None) -> str:
        """Open a question and let the job wait."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return LOST
        self._leave(job)
        job.move("job.waiting", "WAITING")
        question = Question(0, job.id, job.position, "PENDING", rounds=rounds)
        question.expires_at = None if expires_in is None else self.now + expires_in
        question.round = self._round(job, question)
        self._ask(job, question)
        job.steps.append(Step(job.position, "approve"))
        return "WAITING"

    def _round(self, job: Job, new: Question) -> int:
        before = [q for q in self.of(job) if 0 <= q.position < new.position and q.rounds]
        last = max(before, key=lambda q: q.position, default=None)
        if not new.rounds or last is None or last.status != "CHANGES_REQUESTED":
            return 1
        return last.round + 1

    def sleep(self, key: Key, duration: int, callback: int | None) -> str:
        """Let the job sleep, or wait for an answer."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return LOST
        self._leave(job)
        job.run_at = self.now + duration
        if callback is not None and self._answered(job, callback):
            job.run_at = self.now
        job.move("job.sleeping", "QUEUED")
        job.steps.append(Step(job.position, "wait", open_wait=True, callback=callback))
        return "QUEUED"

    def settle(self, key: Key, position: int) -> str:
        """Record how the wait at ``position`` ended."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return LOST
        job.steps[position].open_wait = False
        return "settled"

    def admit(self, key: Key, position: int, token: str) -> str:
        """Hand out a token."""
        job = self.jobs[key[0]]
        if not job.owns(key):
            return LOST
        self.answers[token] = Answer(token, job.id, position)
        return "admitted"

    def finish(self, ends: Sequence[tuple[Key, str, int, str | None]]) -> set[str]:
        """End runs in one batch: key, verb, delay of a retry, type of the error."""
        accepted = set()
        for key, verb, delay, error in ends:
            job = self.jobs[key[0]]
            if not job.owns(key):
                continue
            accepted.add(job.id)
            action, after = ENDS[verb]
            job.worker, job.claims, job.resuming = None, 0, int(verb == "release")
            job.parked = verb == "park"
            job.error = None if verb == "complete" else error or job.error
            job.run_at = self.now + delay if verb == "retry_later" else job.run_at
            job.completed_at = self.now if after in FINISHED else None
            job.move(action, after)
        return accepted

    def give_back(self, keys: Sequence[Key]) -> int:
        """Put claimed jobs back."""
        owned = [key for key in keys if self.jobs[key[0]].owns(key)]
        for key in owned:
            job = self.jobs[key[0]]
            self._leave(job)
            job.move("job.released", "QUEUED")
        return len(owned)

    def _leave(self, job: Job) -> None:
        job.worker, job.claims, job.resuming = None, 0, 1
        job.token += 1

    # --- workers ----------------------------------------------------------------------------

    def beat(self, worker: str, claims: Sequence[Key]) -> set[str]:
        """Take a heartbeat; return the jobs of ``claims`` that are not the worker's any more."""
        self.workers[worker] = Worker("RUNNING", self.now)
        running = [j for j in self.jobs.values() if j.status == "RUNNING"]
        mine = {j.id: j.token for j in running if j.worker == worker}
        return {job_id for job_id, token, _ in claims if mine.get(job_id) != token}

    def rescue(self, timeout: int, max_claims: int, dead: Sequence[str]) -> int:
        """Bury the silent and the dead; take their jobs back."""
        for name, worker in self.workers.items():
            silent = worker.beat_at < self.now - timeout
            if worker.status == "RUNNING" and (silent or name in dead):
                worker.status = "DEAD"
        alive = {name for name, worker in self.workers.items() if worker.status == "RUNNING"}
        running = [j for j in self.jobs.values() if j.status == "RUNNING"]
        lost = [j for j in running if j.worker not in alive]
        for job in lost:
            poison = job.claims >= max_claims
            job.token += 1
            job.worker, job.parked = None, poison
            job.move(*(("job.parked", "PARKED") if poison else ("job.rescued", "QUEUED")))
        return len(lost)

    # --- looks ------------------------------------------------------------------------------

    def of(self, job: Job) -> list[Question]:
        """Return the job's checkpoints."""
        return [question for question in self.questions if question.job == job.id]

    def open_question(self, job: Job) -> Question | None:
        """Return the checkpoint that waits for a decision."""
        return next((q for q in self.of(job) if q.status == "PENDING"), None)

    def _answered(self, job: Job, position: int) -> bool:
        return any(
            (a.job, a.position) == (job.id, position) and a.body is not None
            for a in self.answers.values()
        )

    def tallies(self) -> dict[tuple[str, str], int]:
        """Return what the counters must say: nothing but sums over the journal."""
        sums: Counter[tuple[str, str]] = Counter()
        for job in self.jobs.values():
            for action, before, after in job.journal:
                if after is None:
                    continue
                if action.startswith("checkpoint."):
                    sums["agent_checkpoints_total", after] += 1
                    opened, closed = after == "PENDING", before == "PENDING"
                    sums["checkpoints_now", "PENDING"] += opened - closed
                    continue
                sums["agent_jobs_total", after] += 1
                sums["jobs_now", after] += 1
                sums["jobs_now", before or ""] -= before is not None
        return {key: value for key, value in sums.items() if value}


def _aside(position: int, at: int, lowest: int) -> int:
    return position if position < at else lowest - 1 - (position - at)
