from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

from agent_console.bootstrap import build
from agent_console.domain.access import Actor
from agent_console.domain.errors import ConsoleError, Unavailable
from agent_console.domain.events import Event
from agent_console.runtime.sweeps import Sweep
from agent_console.settings import Settings
from agent_console.telemetry import sentry
from agent_console.testing import FakeClock
from tests.support.transports import RecordingTransport

SECRET = "correct-horse-battery-staple"
RUN: dict[str, Any] = {
    "job_id": "job_1",
    "job_type": "code-generation",
    "attempt": 2,
    "user_id": "usr_1",
    "user_name": "Ada",
}


class Refused(ConsoleError):
    """A reviewer said no."""

    code = "rejected"


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
def telemetry(transport: RecordingTransport) -> Iterator[sentry.SentryTelemetry]:
    settings = Settings(sentry_dsn="https://key@sentry.invalid/1")
    started = sentry.start(settings, transport=transport)
    assert started is not None
    yield started
    started.close()
    sentry_sdk.get_global_scope().set_client(None)


def fail(telemetry: sentry.SentryTelemetry, error: BaseException) -> None:
    with pytest.raises(type(error)), telemetry.observe(**RUN):
        raise error


def test_without_a_dsn_nothing_is_started() -> None:
    assert sentry.start(Settings()) is None
    assert not sentry_sdk.get_client().is_active()


def test_a_run_is_a_transaction(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    with telemetry.observe(**RUN):
        pass
    (trace,) = transport.of("transaction")
    assert trace["transaction"] == "code-generation"
    assert trace["contexts"]["trace"]["op"] == "queue.process"
    assert trace["contexts"]["trace"]["status"] == "ok"
    assert trace["tags"] == {"jobId": "job_1", "jobType": "code-generation", "attempt": "2"}
    assert transport.of("event") == []


def test_other_work_is_no_transaction(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    assert telemetry is not None
    with sentry_sdk.start_transaction(op="http.server", name="GET /"):
        pass
    assert transport.of("transaction") == []


def test_a_failure_is_reported_once_with_its_context(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    telemetry.reached(job_id="job_1", checkpoint_id="chk_1")
    fail(telemetry, RuntimeError("the model did not answer"))
    (event,) = transport.of("event")
    assert event["exception"]["values"][0]["value"] == "the model did not answer"
    assert event["tags"]["jobId"] == "job_1"
    assert event["tags"]["jobType"] == "code-generation"
    assert event["tags"]["checkpointId"] == "chk_1"
    assert event["user"]["id"] == "usr_1"
    assert event["user"]["username"] == "Ada"
    assert transport.of("transaction")[0]["contexts"]["trace"]["status"] == "internal_error"


def test_a_failure_tells_what_happened_before_also_between_runs(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    of_job: dict[str, Any] = {"job_id": "job_1", "job_type": "code-generation"}
    made = Event(action="checkpoint.created", checkpoint_id="chk_1", after="PENDING", **of_job)
    waits = Event(action="job.suspended", before="RUNNING", after="WAITING", **of_job)
    approved = Event(
        action="checkpoint.approved",
        actor=Actor(kind="user", name="Ray"),
        checkpoint_id="chk_1",
        before="PENDING",
        after="APPROVED",
        verdict="approve",
        **of_job,
    )
    telemetry.listen([made, waits])
    telemetry.listen([approved, Event(action="job.created", job_id="job_2", after="PENDING")])
    telemetry.logged(job_id="job_1", level="WARNING", message="writing files")
    fail(telemetry, OSError("disk full"))
    (event,) = transport.of("event")
    crumbs = event["breadcrumbs"]["values"]
    assert [crumb["message"] for crumb in crumbs] == [
        "checkpoint.created",
        "job.suspended",
        "checkpoint.approved",
        "writing files",
    ]
    decision = crumbs[2]
    assert decision["category"] == "checkpoint"
    assert decision["data"]["actor"] == "Ray"
    assert decision["data"]["verdict"] == "approve"
    assert crumbs[1]["data"]["after"] == "WAITING"
    assert (crumbs[3]["category"], crumbs[3]["level"]) == ("agent.log", "warning")
    assert event["tags"]["checkpointId"] == "chk_1"


def test_the_runs_of_two_jobs_share_nothing(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    telemetry.logged(job_id="job_2", level="INFO", message="of the other job")
    fail(telemetry, RuntimeError("first"))
    with pytest.raises(RuntimeError), telemetry.observe(**{**RUN, "job_id": "job_2"}):
        raise RuntimeError("second")
    first, second = transport.of("event")
    assert first["breadcrumbs"]["values"] == []
    assert "checkpointId" not in second["tags"]
    assert [c["message"] for c in second["breadcrumbs"]["values"]] == ["of the other job"]


@pytest.mark.parametrize("signal", [Refused("not like this"), KeyboardInterrupt()])
def test_what_somebody_decided_is_no_error(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport, signal: BaseException
) -> None:
    fail(telemetry, signal)
    assert transport.of("event") == []
    assert len(transport.of("transaction")) == 1


def test_nothing_secret_leaves(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    password = SECRET  # a local variable of a frame in the report
    telemetry.logged(job_id="job_1", level="INFO", message=f"Authorization: Bearer {password}")
    fail(telemetry, RuntimeError(f"login refused: password={password}"))
    logging.getLogger("x").error("cannot connect", extra={"api_key": password})
    text = json.dumps(transport.sent, default=str)
    assert "[redacted]" in text
    assert SECRET not in text


def test_the_line_about_a_failed_job_is_no_second_report(
    telemetry: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    fail(telemetry, RuntimeError("once"))
    logging.getLogger("agent_console.events").error("job.failed")
    assert len(transport.of("event")) == 1


def test_memory_of_jobs_is_bounded(telemetry: sentry.SentryTelemetry) -> None:
    for number in range(sentry.JOBS_REMEMBERED + 50):
        telemetry.reached(job_id=f"job_{number}", checkpoint_id="chk")
    for _ in range(sentry.CRUMBS_PER_JOB + 50):
        telemetry.logged(job_id="job_x", level="INFO", message="again")
    assert len(telemetry._trails) == sentry.JOBS_REMEMBERED
    assert len(telemetry._trails["job_x"].crumbs) == sentry.CRUMBS_PER_JOB


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def monitored(transport: RecordingTransport, clock: FakeClock) -> Iterator[sentry.SentryTelemetry]:
    settings = Settings(sentry_dsn="https://key@sentry.invalid/1")
    started = sentry.start(settings, transport=transport, clock=clock)
    assert started is not None
    yield started
    started.close()
    sentry_sdk.get_global_scope().set_client(None)


def test_a_sweep_checks_in_at_its_monitor_once_a_minute(
    monitored: sentry.SentryTelemetry, transport: RecordingTransport, clock: FakeClock
) -> None:
    sweep = Sweep("expiry", lambda: 3, monitored)
    for _ in range(25):  # every five seconds, for two minutes
        sweep()
        clock.advance(5)
    sent = transport.of("check_in")
    assert [each["status"] for each in sent] == ["ok", "ok", "ok"]
    assert {each["monitor_slug"] for each in sent} == {"agent-console-expiry"}
    assert sent[0]["monitor_config"]["schedule"] == {
        "type": "interval",
        "value": 1,
        "unit": "minute",
    }
    assert 0 <= sent[0]["duration"] < 1


@pytest.mark.parametrize("error", [Unavailable("gone"), RuntimeError(f"password={SECRET}")])
def test_a_sweep_that_fails_and_one_that_recovers_are_told_at_once(
    monitored: sentry.SentryTelemetry, transport: RecordingTransport, error: Exception
) -> None:
    broken = [False, True, True, False]

    def work() -> None:
        if broken.pop(0):
            raise error

    sweep = Sweep("rescue", work, monitored)
    for _ in range(4):
        sweep()
    assert [each["status"] for each in transport.of("check_in")] == ["ok", "error", "ok"]
    assert SECRET not in json.dumps(transport.sent, default=str)


def test_sweeps_have_a_monitor_each(
    monitored: sentry.SentryTelemetry, transport: RecordingTransport
) -> None:
    Sweep("rescue", lambda: 0, monitored)()
    Sweep("expiry", lambda: 0, monitored)()
    slugs = [each["monitor_slug"] for each in transport.of("check_in")]
    assert slugs == ["agent-console-rescue", "agent-console-expiry"]


def test_the_sweeps_of_a_running_console_check_in(
    transport: RecordingTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = sentry.start
    monkeypatch.setattr(sentry, "start", lambda settings: start(settings, transport=transport))
    names = (
        *("rescue", "expiry", "parked", "previews", "figures", "messages"),
        *("schedules", "sealing", "retention", "gates", "reminders", "notifications", "tallies"),
        "mending",
    )

    def told() -> dict[str, str]:
        return {each["monitor_slug"]: each["status"] for each in transport.of("check_in")}

    settings = Settings(sentry_dsn="https://key@sentry.invalid/1", data_dir=tmp_path / "data")
    console = build(settings)
    console.start_worker()
    try:
        assert console.await_until(lambda: len(told()) >= len(names), 20)
    finally:
        console.stop()
        sentry_sdk.get_global_scope().set_client(None)
    assert told() == {f"agent-console-{name}": "ok" for name in names}
