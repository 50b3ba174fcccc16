"""OpenTelemetry traces of jobs, from enqueue to end, in one trace across processes.

An extra (``agent-console[otel]``), on when ``OTEL_*`` says where to export. What happens between
runs (enqueue, claim, wait, decision, end) becomes spans from domain events, made on a thread of
their own so that no commit waits for them; runs and steps are spans around the code itself, so
that spans of the handler's own fall into them.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent_console.domain import trace as places
from agent_console.domain.events import Event
from agent_console.domain.redaction import redact_text
from agent_console.store.database import Database
from agent_console.telemetry.tracing_setup import Exporting

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from agent_console.telemetry.spans import Spans

ATTRIBUTE = "agent_console"  # of which every attribute of ours is a part
WAITING = 10_000  # batches of events that may wait to become spans; beyond it they are dropped
STOP_SECONDS = 3.0  # that a stop waits for spans to be exported
_MAX_NAME = 120  # characters of a span's name
# Ends of a run that somebody decided, or that the engine wanted: no errors of the program.
_DECIDED = frozenset({"rejected", "expired", "lost_claim"})

_log = logging.getLogger(__name__)

Batch = tuple[int, Sequence[Event]]


class Tracing:
    """Listens to domain events and observes runs (``domain.observer.RunObserver``)."""

    def __init__(self, db: Database, exporting: Exporting) -> None:
        """Read jobs' traces from ``db``; nothing is traced before ``open``."""
        self._db, self._exporting = db, exporting
        self._lock = threading.Lock()
        self._made: Spans | None = None
        self._thread: threading.Thread | None = None
        self._queue: queue.Queue[Batch | None] = queue.Queue(WAITING)
        self._dropped = 0
        self._is_open = False

    def open(self) -> None:
        """Trace from now on; threads begin with the first event or run."""
        self._is_open = True

    def listen(self, events: Sequence[Event]) -> None:
        """Take note of committed ``events``; for ``Database.subscribe``. Never blocks."""
        of_jobs = [event for event in events if event.job_id is not None]
        if not of_jobs or not self._is_open:
            return
        self._spans()
        try:
            self._queue.put_nowait((time.time_ns(), of_jobs))
        except queue.Full:
            if not self._dropped:
                _log.warning("tracing is behind: some spans are left out")
            self._dropped += 1

    @contextmanager
    def observe(
        self,
        *,
        job_id: str,
        job_type: str,
        attempt: int,
        user_id: str | None,  # noqa: ARG002 - people are no part of traces
        user_name: str | None,  # noqa: ARG002 - as above
        traceparent: str | None = None,
        resuming: bool = False,
    ) -> Iterator[None]:
        """Surround one run with a span: ``run``, or ``resume`` when it is not the first."""
        if not self._is_open:
            yield
            return
        spans = self._spans()
        name = f"{'resume' if resuming else 'run'} {job_type}"
        facts: dict[str, str | int | bool] = {
            f"{ATTRIBUTE}.job.id": job_id,
            f"{ATTRIBUTE}.job.type": job_type,
            f"{ATTRIBUTE}.job.attempt": attempt,
        }
        place = places.of_job(job_id, traceparent)
        with spans.around(name[:_MAX_NAME], place, facts, consumer=True) as span:
            yield from _judged(spans, span)

    @contextmanager
    def step(self, *, job_id: str, name: str) -> Iterator[None]:
        """Surround what a step does with a span below the run's."""
        if not self._is_open:
            yield
            return
        spans = self._spans()
        shown = redact_text(name)[:_MAX_NAME]
        with spans.around(f"step {shown}", None, {f"{ATTRIBUTE}.job.id": job_id}) as span:
            yield from _judged(spans, span)

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        """Do nothing: the wait becomes a span when it is over."""

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        """Do nothing: what handlers log is kept with the job and stays there."""

    def close(self) -> None:
        """Make spans of what is noted, export them for at most three seconds, and stop."""
        self._is_open = False
        with self._lock:
            thread, spans = self._thread, self._made
            self._thread = self._made = None
        if thread is None or spans is None:
            return
        until = time.monotonic() + STOP_SECONDS
        try:
            self._queue.put(None, timeout=STOP_SECONDS)
        except queue.Full:
            _log.warning("tracing is behind: the last spans are left out")
        thread.join(max(0.0, until - time.monotonic()))
        spans.close(max(0.1, until - time.monotonic()))

    def _spans(self) -> Spans:
        # Here, because OpenTelemetry is an extra, and nothing of it is loaded without need.
        from agent_console.telemetry.spans import Spans  # noqa: PLC0415

        with self._lock:
            if self._made is None:
                self._made = Spans(self._db, self._exporting)
                self._thread = threading.Thread(
                    target=self._work, args=(self._made,), name="tracing", daemon=True
                )
                self._thread.start()
            return self._made

    def _work(self, spans: Spans) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                spans.tell(*batch)
            except Exception:  # noqa: BLE001 - logged; a trace with a gap is better than none
                _log.exception("spans of %d events could not be made", len(batch[1]))


def _judged(spans: Spans, span: Span) -> Iterator[None]:
    """Run the block; an error of the program marks ``span``, by its kind alone."""
    try:
        with places.within(spans.place_of(span)):
            yield
    except Exception as error:
        if getattr(error, "code", "") not in _DECIDED:
            spans.failed(span, type(error).__name__)
        raise
