"""Steps: what a handler does once, and what the record keeps of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, check_json, loads
from agent_console.runtime import entries
from agent_console.runtime.errors import Misused
from agent_console.runtime.failures import failure_result
from agent_console.runtime.replay import FAILED, Turn
from agent_console.runtime.run import Run
from agent_console.store.runs import record_step


def perform(run: Run, turn: Turn, name: str, call: Callable[[], object]) -> Json:
    """Return what JSON makes of the result of ``call``, once it is recorded.

    An error of ``call`` is raised; it is recorded when the handler goes on.

    Raises:
        Invalid: the result is no JSON.
        Misused: it is something to be awaited.
    """
    started = run.surroundings.clock.now()
    watched = run.surroundings.observers.step(job_id=run.key.job_id, name=name)
    try:
        with watched:
            raw = call()
    except Exception as error:
        failure = canonical(failure_result(error))
        run.remember_failure(
            entries.new_step(run, turn, FAILED, name, result=failure, started=started)
        )
        turn.done = True
        raise
    if inspect.isawaitable(raw):
        raise Misused(f"Step {name!r} returned an awaitable: declare the handler `async def`.")
    crashpoint("step.effect_done")
    check_json(raw, f"result of step {name!r}")
    result = canonical(raw)
    step = entries.new_step(run, turn, "step", name, result=result, started=started)
    run.persist(turn, lambda: record_step(run.surroundings.db, run.key, step))
    return loads(result)
