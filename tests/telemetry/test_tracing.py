"""A job is one trace, from enqueue to end, whichever processes worked on it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_console.bootstrap import Console, build
from agent_console.domain import trace
from agent_console.domain.access import local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED, NewJob
from agent_console.settings import load_settings
from agent_console.telemetry.tracing_setup import Exporting, exporting
from tests.support.collector import Collector, Received

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from agent_console.cli import main; main()"]
SECRET = "correct-horse-battery-staple"
# No name of hexadecimal letters: ids in a trace would hold it by chance.
WHO = "marguerite"
ADA = local_operator(WHO)

HANDLERS = '''
"""Handlers that take steps, ask, and fail."""
from pydantic import BaseModel
from agent_console import JobContext, handler
from agent_console.domain import trace

class Input(BaseModel):
    ask: bool = True
    fail: bool = False
    note: str = ""

def work() -> str:
    return str(trace.current())

def _go(ctx):
    seen = ctx.step("prepare", work)
    if ctx.input.ask:
        ctx.approve("May I?", action="go on", data={"note": ctx.input.note})
    ctx.step("write", work)
    if ctx.input.fail:
        raise RuntimeError(f"no disk for {ctx.input.note}")
    return seen

@handler("traced", input=Input)
def traced(ctx: JobContext) -> str:
    """Take two steps, with a question between."""
    return _go(ctx)

@handler("traced-sleep", input=Input)
def traced_sleep(ctx: JobContext) -> str:
    """Sleep durably."""
    ctx.sleep(0.4)
    return "awake"

@handler("traced-async", input=Input)
async def traced_async(ctx) -> str:
    """Take a step on the event loop."""
    async def inside() -> str:
        return work()
    return await ctx.step("prepare", inside)
'''


@pytest.fixture(autouse=True)
def _no_traces_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def work(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process, and those it starts, the handlers above and a database."""
    handlers = tmp_path / "traced_handlers.py"
    handlers.write_text(HANDLERS, "utf-8")
    monkeypatch.setenv("AGENT_CONSOLE_HANDLERS", str(handlers))
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def console(
    work: None,  # noqa: ARG001 - the surroundings
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Console]:
    """Return a console with a worker, whose spans come to ``exporter`` at once."""
    wanted = Exporting("given", exporter)
    monkeypatch.setattr("agent_console.bootstrap.exporting", lambda: wanted)
    made = build(load_settings())
    made.start_worker()
    yield made
    made.stop()


def enqueue(console: Console, job_type: str = "traced", **data: Any) -> str:
    new = NewJob(job_type=job_type, input_data=data, max_attempts=1)
    return console.services.jobs.enqueue(ADA, new).job.id


def approve(console: Console, job_id: str) -> None:
    def waiting() -> bool:
        return any(
            each.status is CheckpointStatus.PENDING
            for each in console.services.review.for_job(ADA, job_id)
        )

    assert console.await_until(waiting, 20)
    (asked,) = console.services.review.for_job(ADA, job_id)
    verdict = Verdict(verb=CheckpointVerb.APPROVE, payload_digest=asked.payload_digest)
    console.services.review.decide(ADA, asked.id, verdict)


def output(console: Console, job_id: str) -> Any:
    def over() -> bool:
        return console.services.jobs.get(ADA, job_id).job.status in FINISHED

    assert console.await_until(over, 20)
    return console.services.jobs.get(ADA, job_id).job.output_data


def finished(console: Console, exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Stop the console, which exports everything, and return the spans by name."""
    console.stop()
    return {span.name: span for span in exporter.get_finished_spans()}


def parent(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


def facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_job_is_one_trace_from_enqueue_to_end(
    console: Console, exporter: InMemorySpanExporter
) -> None:
    job_id = enqueue(console)
    approve(console, job_id)
    output(console, job_id)
    found = finished(console, exporter)
    spans = exporter.get_finished_spans()
    assert {span.context.trace_id for span in spans if span.context} == {
        found["enqueue traced"].context.trace_id  # type: ignore[union-attr]
    }
    assert sorted(span.name for span in spans) == [
        "claim traced",
        "claim traced",
        "decision APPROVED",
        "enqueue traced",
        "job COMPLETED",
        "resume traced",
        "run traced",
        "step prepare",
        "step write",
        "wait for decision",
    ]
    root = found["enqueue traced"]
    assert root.parent is None
    assert root.context is not None
    for name in ("claim traced", "run traced", "resume traced", "wait for decision"):
        assert parent(found[name]) == root.context.span_id, name
    for below, above in (
        ("step prepare", "run traced"),
        ("step write", "resume traced"),
        ("decision APPROVED", "wait for decision"),
    ):
        context = found[above].context
        assert context is not None
        assert parent(found[below]) == context.span_id, below
    assert all(facts(span)["agent_console.job.id"] == job_id for span in spans)
    assert facts(found["decision APPROVED"])["agent_console.verdict"] == "approve"
    assert str(facts(found["decision APPROVED"])["agent_console.checkpoint.id"]).startswith("chk_")


def test_spans_tell_how_long_things_took(console: Console, exporter: InMemorySpanExporter) -> None:
    began = time.time_ns()
    job_id = enqueue(console)
    approve(console, job_id)
    output(console, job_id)
    found = finished(console, exporter)
    for span in found.values():
        assert span.start_time is not None
        assert span.end_time is not None
        assert began - 1e9 < span.start_time <= span.end_time < time.time_ns() + 1e9
    wait, run, resume = (found[n] for n in ("wait for decision", "run traced", "resume traced"))
    assert run.start_time < wait.end_time < resume.end_time  # type: ignore[operator]
    claims = [s for s in exporter.get_finished_spans() if s.name == "claim traced"]
    assert {facts(span)["agent_console.queued_by"] for span in claims} == {
        "job.created",
        "job.woken",
    }


def test_work_of_a_handler_falls_into_its_step(
    console: Console, exporter: InMemorySpanExporter
) -> None:
    for job_type in ("traced", "traced-async"):
        inside = trace.parse(output(console, enqueue(console, job_type, ask=False)))
        assert inside is not None
        steps = [s for s in exporter.get_finished_spans() if s.name == "step prepare"]
        assert f"{steps[-1].context.span_id:016x}" == inside.span_id  # type: ignore[union-attr]
        assert f"{steps[-1].context.trace_id:032x}" == inside.trace_id  # type: ignore[union-attr]


def test_a_durable_sleep_is_seen_as_one(console: Console, exporter: InMemorySpanExporter) -> None:
    output(console, enqueue(console, "traced-sleep"))
    found = finished(console, exporter)
    slept = found["sleep traced-sleep"]
    assert slept.end_time - slept.start_time >= 0.2e9  # type: ignore[operator]
    assert {"claim traced-sleep", "run traced-sleep", "resume traced-sleep"} <= found.keys()


def test_a_failed_job_says_which_error_and_nothing_of_its_data(
    console: Console, exporter: InMemorySpanExporter
) -> None:
    job_id = enqueue(console, ask=False, fail=True, note=SECRET)
    output(console, job_id)
    found = finished(console, exporter)
    assert not found["run traced"].status.is_ok
    assert facts(found["run traced"])["error.type"] == "RuntimeError"
    assert not found["job FAILED"].status.is_ok
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert SECRET not in told
    assert WHO not in told


def test_the_trace_of_a_caller_goes_on(console: Console, exporter: InMemorySpanExporter) -> None:
    caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with trace.within(caller):
        job_id = enqueue(console, ask=False)
    output(console, job_id)
    found = finished(console, exporter)
    assert {f"{s.context.trace_id:032x}" for s in found.values() if s.context} == {caller[3:35]}
    for name in ("enqueue traced", "run traced", "job COMPLETED"):
        assert f"{parent(found[name]):016x}" == caller[36:52]


def test_a_caller_who_keeps_no_trace_gets_none(
    console: Console, exporter: InMemorySpanExporter
) -> None:
    with trace.within("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"):
        output(console, enqueue(console, ask=False))
    console.stop()
    assert exporter.get_finished_spans() == ()


@pytest.mark.usefixtures("work")
def test_sampling_keeps_or_drops_whole_jobs(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    wanted = Exporting("given", exporter)
    monkeypatch.setattr("agent_console.bootstrap.exporting", lambda: wanted)
    console = build(load_settings())
    console.start_worker()
    jobs = [enqueue(console, ask=False) for _ in range(40)]
    for job_id in jobs:
        output(console, job_id)
    console.stop()
    names: dict[str, list[str]] = {}
    for span in exporter.get_finished_spans():
        names.setdefault(str(facts(span)["agent_console.job.id"]), []).append(span.name)
    assert 0 < len(names) < len(jobs)
    whole = ["claim traced", "enqueue traced", "job COMPLETED", "run traced"]
    assert all(sorted(n) == [*whole, "step prepare", "step write"] for n in names.values())


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Run a collector and have every process of the test send its spans there."""
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.endpoint)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    yield made
    made.close()


@pytest.mark.usefixtures("work")
def test_one_trace_across_processes(collector: Collector) -> None:
    """Enqueue and decide here, work there: two processes, the real exporter, a real collector."""
    console = build(load_settings())
    console.open()
    worker = subprocess.Popen(
        [*COMMAND, "worker"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        job_id = enqueue(console)
        approve(console, job_id)
        output(console, job_id)
        spans = collector.until(lambda all_: any(s.name == "job COMPLETED" for s in all_))
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
        console.stop()
        spans = collector.until(lambda all_: len(all_) >= 10)
    finally:
        worker.kill()
        worker.communicate(timeout=10)
        console.stop()
    assert {span.trace_id for span in spans} == {spans[0].trace_id}
    assert {span.service for span in spans} == {"agent-console"}
    by_process = {
        pid: sorted(span.name for span in spans if span.pid == pid)
        for pid in {span.pid for span in spans}
    }
    assert by_process == {
        os.getpid(): ["decision APPROVED", "enqueue traced", "wait for decision"],
        worker.pid: [
            "claim traced",
            "claim traced",
            "job COMPLETED",
            "resume traced",
            "run traced",
            "step prepare",
            "step write",
        ],
    }
    known = {span.span_id for span in spans}
    assert [s.name for s in spans if s.parent_id not in known] == ["enqueue traced"]
    assert named(spans, "wait for decision").parent_id == named(spans, "enqueue traced").span_id


def named(spans: list[Received], name: str) -> Received:
    return next(span for span in spans if span.name == name)


@pytest.mark.usefixtures("work")
def test_a_collector_that_is_not_there_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    console = build(load_settings())
    console.start_worker()
    job_id = enqueue(console, ask=False)
    assert output(console, job_id)
    began = time.monotonic()
    console.stop()
    assert time.monotonic() - began < 8


@pytest.mark.usefixtures("work")
def test_without_variables_nothing_is_traced_and_jobs_still_have_their_place() -> None:
    console = build(load_settings())
    assert console.tracing is None
    console.start_worker()
    job_id = enqueue(console, ask=False)
    inside = trace.parse(output(console, job_id))
    with console.db.read() as reader:
        row = reader.row("SELECT traceparent FROM ai_jobs WHERE id = :id", {"id": job_id})
    console.stop()
    assert row is not None
    assert str(inside) == row[0]


def test_after_the_stop_nothing_is_begun_again(
    console: Console, exporter: InMemorySpanExporter
) -> None:
    output(console, enqueue(console, ask=False))
    console.stop()
    before = len(exporter.get_finished_spans())
    assert console.tracing is not None
    console.tracing.listen([Event(action="job.created", job_id="job_1", after="PENDING")])
    with (
        console.tracing.observe(
            job_id="job_1", job_type="x", attempt=1, user_id=None, user_name=None
        ),
        console.tracing.step(job_id="job_1", name="late"),
    ):
        assert trace.current() is None
    assert len(exporter.get_finished_spans()) == before
    assert not [t for t in threading.enumerate() if t.name == "tracing"]


@pytest.mark.parametrize(
    ("variables", "to"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, None),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, None),
    ],
)
def test_the_variables_of_opentelemetry_decide(variables: dict[str, str], to: str | None) -> None:
    found = exporting(variables)
    assert (None if found is None else found.to) == to


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
    ],
)
def test_what_cannot_be_done_is_said_and_stops_nothing(
    variables: dict[str, str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert exporting(variables) is None
    assert said in caplog.text


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("agent_console.telemetry.tracing_setup.find_spec", lambda _name: None)
    assert exporting({"OTEL_TRACES_EXPORTER": "otlp"}) is None
    assert "agent-console[otel]" in caplog.text


def test_nothing_of_opentelemetry_is_loaded_without_need() -> None:
    script = (
        "import sys; from agent_console.bootstrap import build\n"
        "from agent_console.settings import Settings\n"
        "build(Settings()); print([m for m in sys.modules if m.startswith('agent_console.tele')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "agent_console.telemetry.tracing" in done.stdout
    assert "agent_console.telemetry.span" not in done.stdout
