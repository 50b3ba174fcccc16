"""Error reports and job transactions for Sentry; does nothing unless a DSN is set.

Reports of a failed run carry what happened to its job before, also in other runs and by other
hands: creation of checkpoints, decisions, changes of status, lines the handler logged.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import sentry_sdk
from sentry_sdk.crons import capture_checkin
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.transport import Transport
from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint, MonitorConfig

from agent_console.domain import events as domain_events
from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.redaction import redact
from agent_console.settings import Settings

OPERATION = "queue.process"  # Sentry's name for running a job of a queue
CRUMBS_PER_JOB = 100
JOBS_REMEMBERED = 1000
FLUSH_SECONDS = 2.0
CHECK_IN_EVERY = 60.0  # seconds; monitors count in minutes, sweeps come every few seconds
MONITOR: MonitorConfig = {
    "schedule": {"type": "interval", "value": 1, "unit": "minute"},
    "checkin_margin": 3,  # minutes without a word until it counts as missed
    "max_runtime": 2,
    "failure_issue_threshold": 2,
    "recovery_threshold": 1,
}
# Ends of a run that somebody decided, or that the engine wanted: no errors of the program.
_DECIDED = frozenset({"rejected", "expired", "lost_claim"})


@dataclass(slots=True)
class _Trail:
    """What is remembered of a job: its breadcrumbs, and the checkpoint it came to last."""

    crumbs: deque[Breadcrumb] = field(default_factory=lambda: deque(maxlen=CRUMBS_PER_JOB))
    checkpoint_id: str | None = None


class SentryTelemetry:
    """Listens to domain events, observes runs and sweeps (``domain.observer``)."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Remember nothing yet; made by ``start``."""
        self._clock = clock or SystemClock()
        self._checked_in: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._trails: OrderedDict[str, _Trail] = OrderedDict()

    def listen(self, events: Sequence[domain_events.Event]) -> None:
        """Leave a breadcrumb per event that concerns a job; for ``Database.subscribe``."""
        for event in events:
            if event.job_id is not None:
                self._remember(event.job_id, _crumb_of(event), event.checkpoint_id)

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        """Name ``checkpoint_id`` on whatever is reported of this job from now on."""
        self._remember(job_id, None, checkpoint_id)

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        """Leave a breadcrumb for a line that a handler logged."""
        self._remember(job_id, _crumb("agent.log", message, level=level.lower()), None)

    @contextmanager
    def observe(
        self,
        *,
        job_id: str,
        job_type: str,
        attempt: int,
        user_id: str | None,
        user_name: str | None,
        traceparent: str | None = None,  # noqa: ARG002 - part of the port
        resuming: bool = False,  # noqa: ARG002 - part of the port
    ) -> Iterator[None]:
        """Trace one run as a transaction; report the exception it fails with."""
        with sentry_sdk.isolation_scope() as scope:
            scope.set_tags({"jobId": job_id, "jobType": job_type, "attempt": str(attempt)})
            if user_id is not None:
                scope.set_user({"id": user_id, "username": user_name or ""})
            with sentry_sdk.start_transaction(op=OPERATION, name=job_type, source="task") as trace:
                trace.set_status("ok")
                try:
                    yield
                except Exception as error:
                    trace.set_status("internal_error")
                    if getattr(error, "code", "") not in _DECIDED:
                        self._report(scope, job_id, error)
                    raise

    def step(self, *, job_id: str, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing: a run is one transaction."""
        return nullcontext()

    def swept(self, *, name: str, seconds: float, error: Exception | None) -> None:
        """Check in at the cron monitor of the sweep: once a minute, and when its state changes."""
        status, now = ("ok" if error is None else "error"), self._clock.monotonic()
        with self._lock:
            before, at = self._checked_in.get(name, ("", now))
            if status == before and now - at < CHECK_IN_EVERY:
                return
            self._checked_in[name] = (status, now)
        slug = f"agent-console-{name}"
        capture_checkin(slug, status=status, duration=seconds, monitor_config=MONITOR)

    def close(self) -> None:
        """Send what is queued, for at most two seconds, and stop."""
        sentry_sdk.get_client().close(timeout=FLUSH_SECONDS)

    def _report(self, scope: sentry_sdk.Scope, job_id: str, error: Exception) -> None:
        with self._lock:
            trail = self._trails.get(job_id, _Trail())
            crumbs, checkpoint_id = list(trail.crumbs), trail.checkpoint_id
        for crumb in crumbs:
            scope.add_breadcrumb(crumb)
        if checkpoint_id is not None:
            scope.set_tag("checkpointId", checkpoint_id)
        sentry_sdk.capture_exception(error)

    def _remember(self, job_id: str, crumb: Breadcrumb | None, checkpoint_id: str | None) -> None:
        with self._lock:
            trail = self._trails.setdefault(job_id, _Trail())
            self._trails.move_to_end(job_id)
            if len(self._trails) > JOBS_REMEMBERED:
                self._trails.popitem(last=False)
            if crumb is not None:
                trail.crumbs.append(crumb)
            if checkpoint_id is not None:
                trail.checkpoint_id = checkpoint_id


def start(
    settings: Settings, *, transport: Transport | None = None, clock: Clock | None = None
) -> SentryTelemetry | None:
    """Connect to Sentry when a DSN is set, else return None.

    ``transport`` replaces the one over HTTP, ``clock`` the system's (tests).
    """
    if settings.sentry_dsn is None:
        return None
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"agent-console@{_version()}",
        transport=transport,
        traces_sampler=_only_jobs,
        # Web frameworks and clients are not patched: requests hold cookies and other people's data.
        # Personal data is off by default; naming the option is deprecated.
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_clean_event,
        before_send_transaction=_clean_event,
        before_breadcrumb=_clean_breadcrumb,
        shutdown_timeout=FLUSH_SECONDS,
    )
    # A failed job is reported with its exception; the line about it would be a second report.
    ignore_logger("agent_console.events")
    return SentryTelemetry(clock)


def _only_jobs(context: dict[str, Any]) -> float:
    return 1.0 if context.get("transaction_context", {}).get("op") == OPERATION else 0.0


def _clean_event(event: Event, _hint: Hint) -> Event:
    return cast("Event", redact(event))


def _clean_breadcrumb(crumb: Breadcrumb, _hint: BreadcrumbHint) -> Breadcrumb:
    return cast("Breadcrumb", redact(crumb))


def _crumb_of(event: domain_events.Event) -> Breadcrumb:
    noun = event.action.partition(".")[0]
    facts = {
        "actor": event.actor.name or event.actor.kind,
        "before": event.before,
        "after": event.after,
        "verdict": event.verdict,
        "checkpointId": event.checkpoint_id,
    }
    return _crumb(noun, event.action, **{k: v for k, v in facts.items() if v is not None})


def _crumb(category: str, message: str, *, level: str = "info", **data: str) -> Breadcrumb:
    return {
        "type": "default",
        "category": category,
        "message": message,
        "level": level,
        "data": dict(data),
        # Now, not when it is handed to Sentry: that may be much later, in another run.
        "timestamp": datetime.now(UTC),
    }


def _version() -> str:
    try:
        return version("agent-console")
    except PackageNotFoundError:
        return "0"
