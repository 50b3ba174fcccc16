"""A collector of traces on loopback: takes what the real OTLP exporter sends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it arrived; ids are hexadecimal, times nanoseconds since 1970."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    failed: bool
    pid: int
    service: str
    attributes: dict[str, Any] = field(default_factory=dict)


class Collector:
    """Serves ``/v1/traces`` on a free port until closed."""

    def __init__(self) -> None:
        self._spans: list[Received] = []
        self.bodies: list[bytes] = []
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def until(
        self, enough: Callable[[list[Received]], bool], timeout: float = 20
    ) -> list[Received]:
        """Return all spans once they are ``enough``; fails when they never are."""
        with self._arrived:
            come = self._arrived.wait_for(lambda: enough(self._spans), timeout)
            assert come, sorted(span.name for span in self._spans)
            return list(self._spans)

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        with self._arrived:
            self.bodies.append(body)
            self._spans += [
                received(span, {a.key: value_of(a.value) for a in group.resource.attributes})
                for group in request.resource_spans
                for scope in group.scope_spans
                for span in scope.spans
            ]
            self._arrived.notify_all()


def value_of(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def received(span: Any, resource: dict[str, Any]) -> Received:
    return Received(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == 2,
        pid=int(resource["process.pid"]),
        service=str(resource["service.name"]),
        attributes={a.key: value_of(a.value) for a in span.attributes},
    )
