"""``seed``: sample data, made the way real data is: jobs that run, people who decide."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from agent_console.cli import samples
from agent_console.cli.output import JSON_OPTION, document, note, say, table
from agent_console.cli.samples import APPROVE, PROJECT, SURVEY, SURVEY_REVISED, Sample
from agent_console.cli.session import operator, quiet
from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, ConsoleError
from agent_console.domain.jobs import JobStatus, NewJob
from agent_console.domain.sessions import NewSession
from agent_console.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent_console.bootstrap import Console
    from agent_console.services.jobs import Action

T = TypeVar("T")

PATIENCE = 60.0  # seconds for each sample; all together take a few
AT_REST = frozenset(JobStatus) - {JobStatus.PENDING, JobStatus.QUEUED, JobStatus.RUNNING}
RETIRED = "bicycle-inspection"  # a job type that no worker knows any more


class SeedFailed(ConsoleError):
    """A sample did not become what it should."""

    code = "seed_failed"


class PastClock:
    """The machine's clock, some hours behind; how many can only become fewer."""

    def __init__(self) -> None:
        """Show the present."""
        self.behind = timedelta()

    def now(self) -> datetime:
        """Return the instant that is shown."""
        return datetime.now(UTC) - self.behind

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start."""
        return time.monotonic()


def seed(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Make sample data: jobs in every status, decisions, agents' sessions, artifacts, logs.

    Sample jobs are made once, however often this is asked for.
    """
    settings = quiet(load_settings())
    made = _Seeder(settings).run()
    if as_json:
        document({"made": made})
    elif not made:
        say("The sample data is there already.")
    else:
        table(("Status", "Jobs"), sorted(made.items()), empty="")


class _Seeder:
    """Makes the samples one after the other, on a console of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = PastClock()
        self._actor = operator()

    def run(self) -> dict[str, int]:
        """Make what is not there yet; return how many jobs came to rest in which status."""
        from agent_console.bootstrap import build

        # A clock of its own lets samples have happened in the past. Real jobs, and workers that
        # live, go by the present: beside them everything happens now.
        past = not self._in_use()
        console = build(self._settings, clock=self._clock if past else None)
        if not past:
            note("This console is in use: samples that are new will be of today.")
        # Samples fail, expire and park as they should; that is nothing to warn of.
        logging.getLogger("agent_console.events").setLevel(logging.CRITICAL)
        made: list[str] = []
        try:
            if past:
                self._clock.behind = timedelta(hours=72)
            console.start_worker()
            source = self._document(console)
            tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
            for sample in samples.samples(source, tomorrow=tomorrow):
                if past:
                    self._clock.behind = timedelta(hours=sample.hours_ago)
                    self._let_deadlines_pass(console, made)
                made += self._make(console, sample)
            made += self._park(console)
            return dict(Counter(self._status(console, job_id) for job_id in made))
        finally:
            console.stop()

    def _in_use(self) -> bool:
        from agent_console.bootstrap import build
        from agent_console.services.workers import is_alive

        console = build(self._settings)
        console.open()
        try:
            workers = console.services.workers.page(self._actor)
            jobs = sum(console.services.jobs.counts(self._actor).values())
        finally:
            console.stop()
        timeout = self._settings.worker_timeout
        return jobs > 0 or any(
            is_alive(each, timeout) and each.status in {"RUNNING", "DRAINING"} for each in workers
        )

    def _document(self, console: Console) -> str:
        """Return the id of the context document, which has two versions."""
        kept = console.services.context.create(self._actor, SURVEY, idempotency_key="seed survey")
        if not kept.replayed:
            console.services.context.add_version(
                self._actor, kept.document.id, SURVEY_REVISED, idempotency_key="seed survey 2"
            )
        return kept.document.id

    def _make(self, console: Console, sample: Sample) -> list[str]:
        """Make one sample and let it come to rest; return its job, none if it was there."""
        job_id = self._ask(console, sample)
        if job_id is None:
            return []
        starts = not (isinstance(sample.job, NewJob) and sample.job.run_at)
        for verdict in sample.verdicts:
            self._decide(console, self._open_checkpoint(console, job_id, sample.name), verdict)
        if starts and sample.then:
            self._open_checkpoint(console, job_id, sample.name)
        for action in sample.then.split():
            console.services.jobs.control(self._actor, job_id, cast("Action", action))
        if starts:
            self._until(
                console,
                lambda: self._status(console, job_id) in AT_REST or None,
                f"the end of {sample.name}",
            )
        return [job_id]

    def _ask(self, console: Console, sample: Sample) -> str | None:
        key = f"seed {sample.name}"
        services = console.services
        try:
            if isinstance(sample.job, NewSession):
                started = services.sessions.create(
                    self._actor, PROJECT, sample.job, idempotency_key=key
                )
                return None if started.replayed else started.session.id
            done = services.jobs.enqueue(self._actor, sample.job, idempotency_key=key)
        except Conflict:  # the key is known, with the start time of another day
            return None
        return None if done.replayed else done.job.id

    def _open_checkpoint(self, console: Console, job_id: str, name: str) -> Checkpoint:
        def look() -> Checkpoint | None:
            found = console.services.review.for_job(self._actor, job_id)
            return next((c for c in found if c.status is CheckpointStatus.PENDING), None)

        return self._until(console, look, f"a checkpoint of {name}")

    def _decide(self, console: Console, asked: Checkpoint, verdict: str) -> None:
        if verdict == APPROVE:
            said = Verdict(verb=CheckpointVerb.APPROVE, payload_digest=asked.payload_digest)
        else:
            said = Verdict(
                verb=CheckpointVerb.REJECT, payload_digest=asked.payload_digest, reason=verdict
            )
        console.services.review.decide(self._actor, asked.id, said)

    def _let_deadlines_pass(self, console: Console, made: list[str]) -> None:
        from agent_console.runtime.sweeps import expire_overdue

        if expire_overdue(console.db):
            self._until(
                console,
                lambda: all(self._status(console, job_id) in AT_REST for job_id in made) or None,
                "a job whose time was up",
            )

    def _park(self, console: Console) -> list[str]:
        """Ask for a job of a type that was taken away since: it waits for a person, parked."""
        from agent_console import handler
        from agent_console.runtime.registry import Registry
        from agent_console.services.jobs import JobService

        @handler(RETIRED, version="1", title="Inspection of bicycles")
        def retired(_ctx: object) -> None:
            """Never run: no worker knows it."""

        jobs = JobService(console.db, Registry([retired]))
        new = NewJob(job_type=RETIRED, task_description="Inspect the tandem")
        done = jobs.enqueue(self._actor, new, idempotency_key=f"seed {RETIRED}")
        if done.replayed:
            return []
        self._until(
            console,
            lambda: self._status(console, done.job.id) == JobStatus.PARKED or None,
            "the job that nobody knows",
        )
        return [done.job.id]

    def _status(self, console: Console, job_id: str) -> str:
        return console.services.jobs.get(self._actor, job_id).job.status.value

    def _until(self, console: Console, look: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            changes = console.changes()
            if (found := look()) is not None:
                return found
            console.await_change(changes, timeout=0.25)
        raise SeedFailed(f"Waited {PATIENCE:.0f} s for {what}.")
