"""The record of a job's earlier runs, compared call by call with what the handler asks now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.jobs import Json
from agent_console.domain.parking import Call
from agent_console.domain.records import Step
from agent_console.runtime.errors import Diverged, Misused
from agent_console.store.engine_values import DecisionRow, RunRecord

Details = Callable[[], Mapping[str, Json]]  # what is handed to a call, made when it is looked at

FAILED = "failed"  # kind of a step that raised, in a handler that caught it and went on
# Texts of notes tell of times and counts, so they may differ from run to run; their order not.
# A sleep that was begun ends when it was to end, whatever the code would say today.
_BY_KIND_ONLY = frozenset({"info", "error", "sleep"})


@dataclass(slots=True)
class Turn:
    """One recorded call. ``recorded`` is what the record holds for it, if anything."""

    position: int
    recorded: Step | None
    done: bool = False  # set when the call has become part of the record


class Recorder:
    """Owns the positions of a run. Recorded calls happen one after the other."""

    __slots__ = ("_busy", "_decisions", "_load", "_steps", "position")

    def __init__(self, load: Callable[[], RunRecord] | None) -> None:
        """Read the record through ``load`` when first needed; None: the job never ran before."""
        self._load = load
        self._steps: list[Step] = []
        self._decisions: dict[int, DecisionRow] = {}
        self._busy = threading.Lock()
        self.position = 0

    @property
    def replaying(self) -> bool:
        """Whether recorded calls are still ahead."""
        self.ensure_loaded()
        return self.position < len(self._steps)

    def is_last(self, position: int) -> bool:
        """Say whether the record ends with the call at ``position``."""
        self.ensure_loaded()
        return position == len(self._steps) - 1

    @contextmanager
    def turn(self, kind: str, name: str, message: str = "") -> Iterator[Turn]:
        """Give the next position to a call of ``kind`` and ``name``; ``message`` describes it.

        Raises:
            Misused: another recorded call of the same run is in progress.
            Diverged: the record holds a different call at this position.
        """
        if not self._busy.acquire(blocking=False):
            raise Misused(
                f"{kind} {name!r} was called while another recorded call is in progress. "
                "Recorded calls happen one after the other: not inside a step, not in gather()."
            )
        try:
            turn = Turn(self.position, self._next(kind, name, message))
            try:
                yield turn
            finally:
                if turn.done or turn.recorded is not None:
                    self.position += 1
        finally:
            self._busy.release()

    def decision(self, position: int) -> DecisionRow | None:
        """Return what is known of the checkpoint at ``position``."""
        self.ensure_loaded()
        return self._decisions.get(position)

    def known(self, position: int) -> Call | None:
        """Return the recorded call at ``position``, if there is one."""
        step = next((one for one in self._steps if one.position == position), None)
        if step is None:
            return None
        row = self._decisions.get(position)
        return Call(step.kind, step.name, "" if row is None else row.message)

    def version(self, position: int) -> str | None:
        """Return the code version that recorded the call at ``position``, or the last before it."""
        made = [one for one in self._steps if one.position <= position]
        return made[-1].code_version if made else None

    @property
    def sent_back(self) -> bool:
        """Whether the last proposal in rounds came back with requested changes."""
        self.ensure_loaded()
        rounds = [row for row in self._decisions.values() if row.rounds is not None]
        last = max(rounds, key=lambda row: row.position, default=None)
        return last is not None and last.status is CheckpointStatus.CHANGES_REQUESTED

    def compare(self, turn: Turn, details: Details) -> None:
        """Look at what the handler hands to a recorded call; a run goes by the record alone."""

    def check_complete(self) -> None:
        """Compare the end of the handler with the end of the record.

        Raises:
            Diverged: the record holds calls that the handler no longer makes.
        """
        if self.replaying:
            step = self._steps[self.position]
            raise Diverged(
                f"The handler ended after {self.position} recorded calls; the record goes on "
                f"with {describe(step.kind, step.name)}.",
                position=self.position,
                recorded=self.known(self.position),
            )

    def _next(self, kind: str, name: str, message: str) -> Step | None:
        if not self.replaying:
            return None
        step = self._steps[self.position]
        same_kind = step.kind == kind or (step.kind == FAILED and kind == "step")
        if same_kind and (step.name == name or kind in _BY_KIND_ONLY):
            return step
        raise Diverged(
            f"Call {self.position + 1}: the record holds {describe(step.kind, step.name)}, "
            f"the handler asks for {describe(kind, name)}.",
            position=self.position,
            recorded=self.known(self.position),
            asked=Call(kind, name, message),
        )

    def ensure_loaded(self) -> None:
        """Read the record now instead of at the first call.

        Raises:
            Diverged: the record has a gap.
        """
        if self._load is None:
            return
        record = self._load()
        self._load = None
        self._steps = sorted(record.steps, key=lambda step: step.position)
        self._decisions = dict(record.decisions)
        for index, step in enumerate(self._steps):
            if step.position != index:
                raise Diverged(
                    f"The record has no call {index + 1}, but a call after it.", position=index
                )


def describe(kind: str, name: str) -> str:
    """Return a recorded call in words."""
    return f"{kind} {name!r}" if name else kind
