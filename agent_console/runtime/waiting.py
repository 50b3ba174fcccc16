"""Durable waits of handlers: ``ctx.sleep``, ``ctx.callback`` and ``ctx.wait_for``.

A wait ends the run. The handler is called again when the time has come, or the answer; until then
the job costs a row.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, cast

from agent_console.domain.clock import to_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, loads
from agent_console.runtime import entries
from agent_console.runtime.errors import Suspend
from agent_console.runtime.replay import Turn
from agent_console.runtime.run import Run
from agent_console.store import waits
from agent_console.store.runs import record_step

SLEEP, WAIT, CALLBACK = "sleep", "wait", "callback"  # kinds of recorded calls
LONGEST = timedelta(days=3650)
ANSWER, NOTHING = "answer", {"timedOut": True}  # of a settled wait's result

Duration = timedelta | float


@dataclass(frozen=True, slots=True)
class Callback:
    """A place in a job to which somebody outside may answer, once.

    ``url`` takes a POST of a JSON object with the header ``Authorization: Bearer <token>``.
    """

    name: str
    position: int
    url: str
    _mint: Callable[[], str]
    _peek: Callable[[], dict[str, Json] | None]

    def token(self) -> str:
        """Return a new secret that admits one answer; make it in the step that hands it out.

        Only its digest is stored, so that a step which is tried again makes another one; each of
        them is good until the call has been answered.
        """
        return self._mint()

    def peek(self) -> dict[str, Json] | None:
        """Return the answer if it is there; use it inside steps, ``wait_for`` elsewhere."""
        return self._peek()


def seconds_of(duration: Duration) -> float:
    """Return ``duration`` in seconds.

    Raises:
        Invalid: it is below zero, no number, or beyond ten years.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise Invalid.field("duration", "must be between zero and ten years.")
    return seconds


def sleep(run: Run, duration: Duration) -> None:
    """End the run and go on after ``duration``; recorded, so it is slept once."""
    seconds = seconds_of(duration)
    name = f"{seconds:g} s"
    with run.turn(SLEEP, name) as turn:
        if turn.recorded is None:
            _lie_down(run, turn, SLEEP, name, seconds, callback=None)
        run.recorder.compare(turn, lambda: {"duration": name})
        if run.recorder.is_last(turn.position):  # what came after it was done awake
            until = _until(turn)
            now = run.outlast(lambda: waits.look(run.surroundings.db, run.key.job_id, None)).now
            if now < until:
                _sleep_on(run, until, callback=None)


def open_callback(run: Run, name: str) -> Callback:
    """Record that somebody outside may answer here."""
    with run.turn(CALLBACK, name) as turn:
        if turn.recorded is None:
            step = entries.new_step(run, turn, CALLBACK, name, result="null")
            run.persist(turn, lambda: record_step(run.surroundings.db, run.key, step))
        position = turn.position

    def mint() -> str:
        run.check()
        token = secrets.token_urlsafe(32)
        digest = hashlib.sha256(token.encode()).hexdigest()
        db = run.surroundings.db
        run.outlast(lambda: waits.admit(db, run.key, position, digest))
        return token

    def peek() -> dict[str, Json] | None:
        found = _look(run, position).answer
        return None if found is None else cast("dict[str, Json]", loads(found))

    url = f"{run.surroundings.origin}/api/agent-jobs/{run.key.job_id}/callback"
    return Callback(name, position, url, mint, peek)


def wait_for(run: Run, callback: Callback, timeout: Duration) -> dict[str, Json] | None:
    """Return the answer to ``callback``, waiting for it durably; None: none came in time."""
    seconds = seconds_of(timeout)
    with run.turn(WAIT, callback.name) as turn:
        if turn.recorded is None:
            result = _open_wait(run, turn, seconds, callback)
        else:
            recorded = cast("dict[str, Any]", turn.recorded.result)
            result = recorded if waits.UNTIL not in recorded else _end_wait(run, turn)
    return cast("dict[str, Json] | None", result.get(ANSWER))


def _open_wait(run: Run, turn: Turn, seconds: float, callback: Callback) -> dict[str, Json]:
    """Sleep for the answer, unless it is there already; then that is the record."""
    found = _look(run, callback.position).answer
    if found is None:
        _lie_down(run, turn, WAIT, callback.name, seconds, callback=callback.position)
    result = _settled(found)
    step = entries.new_step(run, turn, WAIT, callback.name, result=canonical(result))
    run.persist(turn, lambda: record_step(run.surroundings.db, run.key, step))
    return result


def _end_wait(run: Run, turn: Turn) -> dict[str, Json]:
    """Settle a recorded wait: by the answer, or by the end of its time; else sleep on."""
    recorded = cast("dict[str, Any]", turn.recorded.result if turn.recorded else {})
    position, until = int(recorded[waits.CALLBACK]), _until(turn)
    found = _look(run, position)
    crashpoint("resume.decision_read")
    if found.answer is None and found.now < until:
        _sleep_on(run, until, callback=position)
    result = _settled(found.answer)
    text, db = canonical(result), run.surroundings.db
    run.outlast(lambda: waits.settle(db, run.key, turn.position, text))
    return result


def _settled(answer: str | None) -> dict[str, Json]:
    return dict(NOTHING) if answer is None else {ANSWER: loads(answer)}


def _look(run: Run, position: int) -> waits.Look:
    return run.outlast(lambda: waits.look(run.surroundings.db, run.key.job_id, position))


def _until(turn: Turn) -> int:
    recorded = cast("dict[str, str]", turn.recorded.result if turn.recorded else {})
    return to_micros(datetime.fromisoformat(recorded[waits.UNTIL]))


def _lie_down(
    run: Run, turn: Turn, kind: str, name: str, seconds: float, *, callback: int | None
) -> NoReturn:
    run.outlast(run.notes.save_progress)
    step, lines = entries.new_step(run, turn, kind, name), run.notes.take()
    db, job_type = run.surroundings.db, run.claimed.job_type
    run.persist(
        turn,
        lambda: waits.sleep(
            db, run.key, step, seconds, job_type=job_type, callback=callback, logs=lines
        ),
    )
    raise Suspend


def _sleep_on(run: Run, until: int, *, callback: int | None) -> None:
    lines, db, job_type = run.notes.take(), run.surroundings.db, run.claimed.job_type
    run.outlast(
        lambda: waits.sleep_on(db, run.key, until, job_type=job_type, callback=callback, logs=lines)
    )
    raise Suspend
