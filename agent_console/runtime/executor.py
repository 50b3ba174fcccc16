"""One run of one job, from claim to outcome: resolve, start, perform, judge.

``execute`` runs on the calling thread and returns what the store is to be told, or None when the
store already knows (suspended) or must not be told (the claim was lost).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent_console.domain import trace
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Invalid, LostClaim, TooLarge
from agent_console.domain.jobs import JobVerb, Json
from agent_console.domain.parking import Divergence, ParkCode
from agent_console.domain.payload import canonical, check_json, loads
from agent_console.domain.records import LogLevel
from agent_console.runtime.async_context import AsyncJobContext, LoopThread
from agent_console.runtime.context import JobContext
from agent_console.runtime.errors import (
    Diverged,
    EndOfRun,
    Interrupted,
    NonRetryable,
    RetryLater,
    Suspend,
    TimedOut,
)
from agent_console.runtime.failures import is_any_of, job_error
from agent_console.runtime.preview import Buffered
from agent_console.runtime.registry import HandlerSpec
from agent_console.runtime.run import OVERTIME, RELEASING, Run, Surroundings
from agent_console.store.engine_values import Claimed, Finish

# Never better on another attempt; ``TooLarge`` and ``Invalid`` are about what the code made.
_FINAL = (NonRetryable, Invalid, TooLarge)


@dataclass(frozen=True, slots=True)
class Completed:
    """The handler returned; ``output`` is its canonical JSON text."""

    output: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; whether another follows is the policy's business."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Parked:
    """A person has to look; ``reason`` says at what, ``detail`` tells it as data."""

    reason: str
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Suspended:
    """The job waits for a decision; the store has been told."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was interrupted. ``release``: give the job back, no attempt charged."""

    release: bool


Outcome = Completed | Failed | Parked | Suspended | Stopped


class Executor:
    """Runs claimed jobs; one per process, used by all its handler threads."""

    def __init__(
        self, surroundings: Surroundings, loop: LoopThread, rng: random.Random | None = None
    ) -> None:
        """Use ``loop`` for async handlers and ``rng`` for the jitter of retries."""
        self.surroundings = surroundings
        self._loop = loop
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, hides nothing

    def begin(
        self, claimed: Claimed, schedule: Callable[[Buffered], None] | None = None
    ) -> Run | Finish:
        """Return the run of ``claimed``, or the finish that parks it when nothing can run it."""
        spec = self.surroundings.registry.find(claimed.job_type)
        if spec is None:
            reason = f"No handler is registered for job type {claimed.job_type!r}."
            return Finish(
                key=claimed.key,
                job_type=claimed.job_type,
                verb=JobVerb.PARK,
                park_reason=reason,
                park_code=ParkCode.NO_HANDLER,
                park_detail={"jobType": claimed.job_type},
            )
        return Run(self.surroundings, claimed, spec, schedule)

    def execute(self, run: Run) -> Finish | None:
        """Run the handler and return how the run is to be finished."""
        crashpoint("run.started")
        self._tell_of_new_code(run)
        outcome = self.perform(run)
        run.preview.remove()
        return self._finish(run, outcome)

    def _tell_of_new_code(self, run: Run) -> None:
        before, now = run.claimed.code_version, run.spec.version
        if before is not None and before != now:
            run.notes.log(
                f"The handler's code changed since the last run: {before} → {now}.",
                LogLevel.WARNING,
                {"before": before, "after": now},
            )

    def perform(self, run: Run) -> Outcome:
        """Call the handler and say what came of it, whatever it did with the engine's signals."""
        try:
            output = self._call(run)
            if run.ended is None:
                run.recorder.check_complete()
                run.settle_failed_step()
                return Completed(_output(output))
        except EndOfRun as signal:
            run.ended = run.ended or signal
        except LostClaim as error:
            run.ended = run.ended or Interrupted(error.message)
        except BaseException as error:  # noqa: BLE001 - SystemExit in a handler ends a job only
            if run.ended is None:
                return self._failed(run, error)
        return self._ended(run)

    def _call(self, run: Run) -> object:
        claimed = run.claimed
        context = JobContext(run, run.spec.parse(loads(claimed.input_text)))
        function: Callable[..., object] = run.spec.function
        watched = self.surroundings.observers.observe(
            job_id=claimed.key.job_id,
            job_type=claimed.job_type,
            attempt=claimed.attempt,
            user_id=claimed.user_id,
            user_name=claimed.user_name,
            traceparent=claimed.traceparent,
            resuming=claimed.resuming,
        )
        with trace.within(claimed.traceparent), watched:
            if not run.spec.is_async:
                return function(context)
            run.recorder.ensure_loaded()  # here: the loop, which others share, must not wait
            return self._loop.run(function(AsyncJobContext(context, self._loop)), run.attach)

    def _failed(self, run: Run, error: BaseException) -> Outcome:
        """Tell a canceled async handler from one that failed by itself."""
        if run.task is not None and run.task.cancelled():
            if run.interruption == OVERTIME:
                return Failed(overtime(run.spec))
            if run.interruption:
                return Stopped(release=run.interruption in RELEASING)
        return Failed(error)

    def _ended(self, run: Run) -> Outcome:
        if isinstance(run.ended, Suspend):
            return Suspended()
        if isinstance(run.ended, Diverged):
            return Parked(run.ended.difference, _detail(run, run.ended))
        return Stopped(release=run.interruption in RELEASING)

    def _finish(self, run: Run, outcome: Outcome) -> Finish | None:
        match outcome:
            case Completed(output):
                return self._close(run, JobVerb.COMPLETE, output=output)
            case Failed(error):
                return self.fail(run, error)
            case Parked(reason, detail):
                facts = {"park_reason": reason, "park_code": ParkCode.DIVERGED}
                # The record is still the work of the version that made it.
                return self._close(run, JobVerb.PARK, version=None, park_detail=detail, **facts)
            case Stopped(release=True):
                return self._close(run, JobVerb.RELEASE)
            case Suspended() | Stopped():
                return None

    def fail(self, run: Run, error: BaseException) -> Finish:
        """Return the finish of a failed attempt: another one after a delay, or the end."""
        policy, claimed = run.spec.retry, run.claimed
        final = is_any_of(error, (*_FINAL, *policy.never))
        again = not final and policy.may_retry(claimed.attempt, claimed.max_attempts, error)
        if not again:
            return self._close(run, JobVerb.FAIL, error=job_error(error))
        delay = policy.delay(claimed.attempt, self._rng).total_seconds()
        if isinstance(error, RetryLater):
            delay = max(delay, error.after)
        return self._close(run, JobVerb.RETRY_LATER, error=job_error(error), delay=delay)

    def _close(
        self, run: Run, verb: JobVerb, *, version: str | None = "", **facts: object
    ) -> Finish:
        return Finish(
            key=run.key,
            job_type=run.claimed.job_type,
            verb=verb,
            code_version=run.spec.version if version == "" else version,
            logs=run.notes.take(),
            **facts,  # type: ignore[arg-type]
        )


def _detail(run: Run, difference: Diverged) -> Mapping[str, Json]:
    """Return where code and record part; without a position it is where the run was."""
    recorder = run.recorder
    position = recorder.position if difference.position is None else difference.position
    return Divergence(
        position=position,
        recorded=difference.recorded,
        asked=difference.asked,
        code_before=recorder.version(position) or run.claimed.code_version,
        code_now=run.spec.version,
    ).to_json()


def overtime(spec: HandlerSpec) -> TimedOut:
    """Return the error of a run that is past its deadline."""
    return TimedOut(f"The handler ran longer than its timeout of {spec.timeout:g} s.")


def _output(value: object) -> str:
    """Return the canonical text of a handler's result.

    Raises:
        Invalid: it is no JSON; the field says where.
    """
    if value is None:
        return "null"
    check_json(value, "outputData")
    return canonical(value)
