"""The port through which the runtime tells telemetry what a run is doing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol


class RunObserver(Protocol):
    """Watches runs of handlers. Must never raise: a run does not depend on being watched."""

    def observe(
        self,
        *,
        job_id: str,
        job_type: str,
        attempt: int,
        user_id: str | None,
        user_name: str | None,
        traceparent: str | None = None,
        resuming: bool = False,
    ) -> AbstractContextManager[None]:
        """Surround one run of a handler; ``resuming``: it has been called for this job before.

        An ``Exception`` that leaves the block is a failed attempt and passes through unchanged;
        the engine's own signals (suspend, lost claim) are no failures.
        """
        ...

    def step(self, *, job_id: str, name: str) -> AbstractContextManager[None]:
        """Surround what a step does; not called when the record answers instead."""
        ...

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        """Say that the run made ``checkpoint_id``, or came past it in its record."""
        ...

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        """Say that the handler wrote a log line."""
        ...


class SweepObserver(Protocol):
    """Hears how the regular work of a process goes. Must never raise."""

    def swept(self, *, name: str, seconds: float, error: Exception | None) -> None:
        """Say that the sweep ``name`` took ``seconds`` and ended with ``error``, or well."""
        ...


class RunObservers:
    """Several observers as one; with none it costs next to nothing."""

    def __init__(self, observers: Sequence[RunObserver] = ()) -> None:
        """Watch through every one of ``observers``, in order."""
        self._observers = tuple(observers)

    def observe(
        self,
        *,
        job_id: str,
        job_type: str,
        attempt: int,
        user_id: str | None,
        user_name: str | None,
        traceparent: str | None = None,
        resuming: bool = False,
    ) -> AbstractContextManager[None]:
        """Surround one run of a handler with every observer's block."""
        return _all(
            [
                observer.observe(
                    job_id=job_id,
                    job_type=job_type,
                    attempt=attempt,
                    user_id=user_id,
                    user_name=user_name,
                    traceparent=traceparent,
                    resuming=resuming,
                )
                for observer in self._observers
            ]
        )

    def step(self, *, job_id: str, name: str) -> AbstractContextManager[None]:
        """Surround what a step does with every observer's block."""
        return _all([observer.step(job_id=job_id, name=name) for observer in self._observers])

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        """Pass on that a run came to a checkpoint."""
        for observer in self._observers:
            observer.reached(job_id=job_id, checkpoint_id=checkpoint_id)

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        """Pass on a log line."""
        for observer in self._observers:
            observer.logged(job_id=job_id, level=level, message=message)


def _all(blocks: Sequence[AbstractContextManager[None]]) -> AbstractContextManager[None]:
    """Return ``blocks`` as one, the first outermost."""
    if len(blocks) == 1:  # on the path of every job
        return blocks[0]
    return _nested(blocks)


@contextmanager
def _nested(blocks: Sequence[AbstractContextManager[None]]) -> Iterator[None]:
    with ExitStack() as stack:
        for block in blocks:
            stack.enter_context(block)
        yield
