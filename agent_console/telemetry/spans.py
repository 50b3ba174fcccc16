"""Spans, made with OpenTelemetry: around code, and afterwards from what events tell."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED, JobStatus
from agent_console.domain.trace import SAMPLED, TraceContext, of_job
from agent_console.store.database import Database
from agent_console.store.reads import traces
from agent_console.telemetry.span_provider import make_provider
from agent_console.telemetry.tracing import ATTRIBUTE
from agent_console.telemetry.tracing_setup import Exporting

REMEMBERED = 10_000  # jobs whose place in a trace is kept at hand
# What the time until a claim was spent with, by what put the job there; else with waiting for it.
_UNTIL_CLAIMED = {"job.sleeping": "sleep", "job.retrying": "backoff"}
_SECOND = 1_000_000_000  # nanoseconds
_ENDS = FINISHED | {JobStatus.PARKED}

Facts = Mapping[str, str | int | bool]


class Spans:
    """Makes spans and exports them. ``tell`` is called by one thread, the rest by any."""

    def __init__(self, db: Database, exporting: Exporting) -> None:
        """Begin to export; jobs' places in traces are read from ``db``."""
        self._db = db
        self._provider, self._ids = make_provider(exporting)
        self._tracer = self._provider.get_tracer("agent_console")
        self._places: OrderedDict[str, TraceContext] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def around(
        self, name: str, parent: TraceContext | None, facts: Facts, *, consumer: bool = False
    ) -> Iterator[Span]:
        """Surround a block with a span below ``parent``, by default below the current one."""
        kind = SpanKind.CONSUMER if consumer else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(
            name,
            context=None if parent is None else self._below(parent),
            kind=kind,
            attributes=dict(facts),
            record_exception=False,  # messages and tracebacks may hold what must not leave
            set_status_on_exception=False,
        ) as span:
            yield span

    def failed(self, span: Span, kind: str) -> None:
        """Mark ``span`` as failed by an error of ``kind``."""
        span.set_attribute("error.type", kind)
        span.set_status(api.StatusCode.ERROR)

    def place_of(self, span: Span) -> str:
        """Return the ``traceparent`` of work below ``span``."""
        found = span.get_span_context()
        flags = SAMPLED if found.trace_flags.sampled else 0
        return str(TraceContext(f"{found.trace_id:032x}", f"{found.span_id:016x}", flags))

    def tell(self, at: int, events: Sequence[Event]) -> None:
        """Make the spans of ``events`` that were committed ``at`` (nanoseconds since 1970)."""
        self._look_up({event.job_id for event in events if event.job_id is not None})
        for event in events:
            place = self._places.get(event.job_id or "")
            if place is None:
                continue
            if event.action == "job.created":
                self._enqueued(event, place, at)
            elif event.action == "job.started":
                self._claimed(event, place, at)
            elif event.action.startswith("checkpoint.") and event.seconds is not None:
                self._decided(event, place, at)
            elif event.action.startswith("job.") and event.after in _ENDS:
                self._ended(event, place, at)

    def close(self, seconds: float) -> None:
        """Export what is left, for at most ``seconds``, and stop."""
        # The exporter's own stop may wait longer for a collector that does not answer.
        ending = threading.Thread(target=self._provider.shutdown, name="tracing-end", daemon=True)
        ending.start()
        ending.join(seconds)

    def _enqueued(self, event: Event, place: TraceContext, at: int) -> None:
        """Make the job's first span; unless a caller's trace goes on, it is the beginning."""
        kind = SpanKind.PRODUCER
        if place.is_beginning:
            with self._ids.used(place):
                self._finished(f"enqueue {event.job_type}", None, (at, at), event, kind=kind)
        else:
            self._finished(f"enqueue {event.job_type}", place, (at, at), event, kind=kind)

    def _claimed(self, event: Event, place: TraceContext, at: int) -> None:
        """Make the span of the time until the claim: in the queue, asleep, or before a retry."""
        with self._db.read() as reader:
            found = traces.queued(reader, event.job_id or "", at // 1000)
        since = at if found is None else min(found.since * 1000, at)
        facts: Facts = {
            f"{ATTRIBUTE}.worker.id": event.actor.id or "",
            f"{ATTRIBUTE}.queued_by": "" if found is None else found.action,
        }
        word = _UNTIL_CLAIMED.get("" if found is None else found.action, "claim")
        self._finished(f"{word} {event.job_type}", place, (since, at), event, facts)

    def _decided(self, event: Event, place: TraceContext, at: int) -> None:
        """Make the span of a checkpoint's wait, and below it that of its end."""
        began = at - int((event.seconds or 0.0) * _SECOND)
        wait = self._finished("wait for decision", place, (began, at), event)
        facts: Facts = {
            f"{ATTRIBUTE}.verdict": event.verdict or event.action.partition(".")[2],
            f"{ATTRIBUTE}.actor.kind": event.actor.kind,
        }
        self._finished(f"decision {event.after}", wait, (at, at), event, facts)

    def _ended(self, event: Event, place: TraceContext, at: int) -> None:
        failed = event.after == JobStatus.FAILED
        self._finished(f"job {event.after}", place, (at, at), event, failed=failed)

    def _finished(
        self,
        name: str,
        parent: TraceContext | None,
        window: tuple[int, int],
        event: Event,
        facts: Facts | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        failed: bool = False,
    ) -> TraceContext:
        """Make a span that is over already; returns the place below it.

        ``window``: its start and end, nanoseconds since 1970.
        """
        of_event = {
            f"{ATTRIBUTE}.job.id": event.job_id,
            f"{ATTRIBUTE}.job.type": event.job_type,
            f"{ATTRIBUTE}.checkpoint.id": event.checkpoint_id,
        }
        attributes = {key: value for key, value in of_event.items() if value is not None}
        span = self._tracer.start_span(
            name,
            context=Context() if parent is None else self._below(parent),
            kind=kind,
            attributes={**attributes, **(facts or {})},
            start_time=window[0],
        )
        if failed:
            span.set_status(api.StatusCode.ERROR)
        span.end(end_time=window[1])
        made = span.get_span_context()
        return TraceContext(f"{made.trace_id:032x}", f"{made.span_id:016x}", made.trace_flags)

    def _below(self, place: TraceContext) -> Context:
        remote = api.SpanContext(
            trace_id=int(place.trace_id, 16),
            span_id=int(place.span_id, 16),
            is_remote=True,
            trace_flags=api.TraceFlags(place.flags),
        )
        return api.set_span_in_context(api.NonRecordingSpan(remote))

    def _look_up(self, job_ids: set[str]) -> None:
        """Learn the places of ``job_ids`` that are not at hand."""
        unknown = job_ids - self._places.keys()
        if unknown:
            with self._db.read() as reader:
                found = traces.traceparents(reader, unknown)
            self._places.update({job_id: of_job(job_id, text) for job_id, text in found.items()})
        while len(self._places) > REMEMBERED + len(job_ids):
            self._places.popitem(last=False)
