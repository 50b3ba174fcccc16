"""Job types: their limits, who is held by them, and pausing one."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.limits import Caps, JobTypeState, Pause, check_overrides
from agent_console.services.catalog import Catalog
from agent_console.services.job_requests import text
from agent_console.store import job_type_writes
from agent_console.store.admission import gate_strays
from agent_console.store.database import Database
from agent_console.store.reads import job_types
from agent_console.store.transactions import Tx

MAX_REASON = 500  # characters


class JobTypeService:
    """Use cases of job types. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, catalog: Catalog) -> None:
        """Work on ``db``; ``catalog`` knows the handlers of this process."""
        self._db = db
        self._catalog = catalog

    def page(self, actor: Actor) -> list[JobTypeState]:
        """Return every job type that is registered here, or has limits or a pause, by name."""
        authorize(actor, Permission.JOBS_READ)
        titles = {info.job_type: info.title for info in self._catalog.handlers()}
        with self._db.read() as reader:
            stored = job_types.stored(reader)
            numbers = job_types.numbers(reader, sorted(titles.keys() | stored.keys()))
        return [
            _state(name, titles, stored.get(name, job_types.NOTHING), found)
            for name, found in numbers.items()
        ]

    def get(self, actor: Actor, job_type: str) -> JobTypeState:
        """Return one job type.

        Raises:
            NotFound: there is no such job type.
        """
        authorize(actor, Permission.JOBS_READ)
        return self._state_of(job_type)

    def _state_of(self, job_type: str) -> JobTypeState:
        titles = {info.job_type: info.title for info in self._catalog.handlers()}
        with self._db.read() as reader:
            stored = job_types.stored(reader)
            if job_type not in titles and job_type not in stored:
                raise _unknown(job_type)
            found = job_types.numbers(reader, [job_type])[job_type]
        return _state(job_type, titles, stored.get(job_type, job_types.NOTHING), found)

    def paused(self, actor: Actor) -> list[tuple[str, Pause]]:
        """Return the job types that are paused, with by whom and why."""
        authorize(actor, Permission.JOBS_READ)
        with self._db.read() as reader:
            stored = job_types.stored(reader)
        return [(name, one.pause) for name, one in sorted(stored.items()) if one.pause]

    def pause(self, actor: Actor, job_type: str, reason: str = "") -> JobTypeState:
        """Let no job of the type start any more; what runs may end.

        Once this has returned no worker anywhere starts one, whatever was on its way.

        Raises:
            NotFound: there is no such job type.
            Conflict: it is paused already.
            Invalid: the reason is too long.
        """
        self._check(actor, job_type)
        text("reason", reason, MAX_REASON)
        self._db.write(lambda tx: job_type_writes.pause(tx, job_type, reason, actor))
        crashpoint("job_type.committed")
        gate_strays(self._db)
        return self._state_of(job_type)

    def resume(self, actor: Actor, job_type: str, reason: str = "") -> JobTypeState:
        """Let jobs of the type start again, within its limits.

        Raises:
            NotFound: there is no such job type.
            Conflict: it is not paused.
            Invalid: the reason is too long.
        """
        self._check(actor, job_type)
        text("reason", reason, MAX_REASON)
        self._db.write(lambda tx: job_type_writes.resume(tx, job_type, reason, actor))
        return self._state_of(job_type)

    def limit(self, actor: Actor, job_type: str, overrides: Caps) -> JobTypeState:
        """Let ``overrides`` hold instead of what the handler declares: None as declared, 0 lifted.

        They replace earlier ones as a whole, and hold for jobs that are queued already too.

        Raises:
            NotFound: there is no such job type.
            Invalid: a figure is out of bounds, or the type has no key to limit by.
        """
        self._check(actor, job_type)

        def work(tx: Tx) -> bool:
            row = job_type_writes.known(tx, job_type)
            check_overrides(overrides, keyed=row is not None and row.keyed)
            return job_type_writes.limit(tx, job_type, overrides, actor)

        rises = self._db.write(work)
        crashpoint("job_type.committed")
        if rises:
            gate_strays(self._db)
        return self._state_of(job_type)

    def apply(
        self,
        actor: Actor,
        job_type: str,
        *,
        action: str | None = None,
        reason: str = "",
        limits: Caps | None = None,
    ) -> JobTypeState:
        """Pause or resume the type, or change its limits: one of them.

        Raises:
            Invalid: neither or both are given, or there is no such action.
            NotFound: there is no such job type.
            Conflict: it is in that state already.
        """
        authorize(actor, Permission.WORKERS_CONTROL)
        if (action is None) == (limits is None):
            raise Invalid.field("action", "give either action or limits.")
        if limits is not None:
            return self.limit(actor, job_type, limits)
        verbs = {"pause": self.pause, "resume": self.resume}
        if action not in verbs:
            raise Invalid.field("action", f"unknown value; known are {', '.join(verbs)}.")
        return verbs[action](actor, job_type, reason)

    def _check(self, actor: Actor, job_type: str) -> None:
        authorize(actor, Permission.WORKERS_CONTROL)
        if self._catalog.describe(job_type) is not None:
            return
        with self._db.read() as reader:
            if job_type not in job_types.stored(reader):
                raise _unknown(job_type)


def _unknown(job_type: str) -> NotFound:
    return NotFound(f"There is no job type {job_type}.")


def _state(
    job_type: str, titles: dict[str, str], stored: job_types.Stored, numbers: job_types.Numbers
) -> JobTypeState:
    return JobTypeState(
        job_type=job_type,
        title=titles.get(job_type, job_type),
        known=job_type in titles,
        keyed=stored.keyed,
        declared=stored.declared,
        overrides=stored.overrides,
        limits=stored.limits,
        pause=stored.pause,
        running=numbers.running,
        queued=numbers.queued,
        held=numbers.held,
        capped=numbers.capped,
        starts_left=stored.starts_left,
    )
