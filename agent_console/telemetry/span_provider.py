"""The OpenTelemetry provider: whence spans get their ids, which are kept, where they go."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import get_current_span

import agent_console
from agent_console.domain.trace import TraceContext
from agent_console.telemetry.tracing_setup import Exporting


class Ids(RandomIdGenerator):
    """Random ids, unless the next span of this thread has been promised others."""

    def __init__(self) -> None:
        """Promise nothing yet."""
        self._promised = threading.local()

    @contextmanager
    def used(self, place: TraceContext) -> Iterator[None]:
        """Give the ids of ``place`` to the span that is started within."""
        self._promised.place = place
        try:
            yield
        finally:
            self._promised.place = None

    def generate_trace_id(self) -> int:
        """Return the promised trace id, else a random one."""
        place: TraceContext | None = getattr(self._promised, "place", None)
        return super().generate_trace_id() if place is None else int(place.trace_id, 16)

    def generate_span_id(self) -> int:
        """Return the promised span id, else a random one."""
        place: TraceContext | None = getattr(self._promised, "place", None)
        return super().generate_span_id() if place is None else int(place.span_id, 16)


class ByTrace(Sampler):
    """Asks the sampler of ``OTEL_TRACES_SAMPLER`` about a job's own trace as a whole.

    Nobody has decided at a job's beginning: every process decides alike, by the trace id.
    """

    def __init__(self, inner: Sampler) -> None:
        """Decide as ``inner`` does at the beginning of a trace."""
        self._inner = inner

    def should_sample(self, parent_context: Any, trace_id: int, *args: Any, **more: Any) -> Any:
        """Decide as at the root when the parent is a job's beginning."""
        parent = get_current_span(parent_context).get_span_context()
        place = TraceContext(f"{parent.trace_id:032x}", f"{parent.span_id:016x}")
        above = Context() if parent.is_remote and place.is_beginning else parent_context
        return self._inner.should_sample(above, trace_id, *args, **more)

    def get_description(self) -> str:
        """Name the sampler."""
        return f"ByTrace({self._inner.get_description()})"


def make_provider(how: Exporting) -> tuple[TracerProvider, Ids]:
    """Return a provider that exports as ``how`` says, and the ids it draws from."""
    ids = Ids()
    provider = TracerProvider(
        resource=Resource.create(_resource()),
        id_generator=ids,
        shutdown_on_exit=False,  # the console stops it, in its turn
    )
    provider.sampler = ByTrace(provider.sampler)
    if how.given is not None:
        provider.add_span_processor(SimpleSpanProcessor(how.given))
    else:
        exporter = ConsoleSpanExporter() if how.to == "console" else OTLPSpanExporter()
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider, ids


def _resource() -> dict[str, str | int]:
    """Return what identifies this process; a service name of the environment goes first."""
    said = os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("OTEL_RESOURCE_ATTRIBUTES")
    facts: dict[str, str | int] = {
        "service.version": agent_console.__version__,
        "process.pid": os.getpid(),
    }
    return facts if said else {**facts, "service.name": "agent-console"}
