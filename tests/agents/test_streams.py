"""Answers of models are watched while they are written; what breaks off is asked for again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart

from agent_console.agents.factory import agents
from agent_console.agents.live import readable
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store import job_writes, previews
from agent_console.store.database import Database
from agent_console.store.liveness import rescue
from agent_console.testing import Bench, enqueue
from tests.runtime.desk import REVIEWER
from tests.runtime.hosts import Changes, hosted
from tests.support.databases import SqliteFiles
from tests.support.models import ModelServer, Serve

TASK = {"topic": "Lantern", "questions": ["When does wave 2 start?"]}
QUOTED = {
    "question": "When does wave 2 start?",
    "claim": "Wave 2 starts on 6 October 2025, with 355 couriers.",
    "document_id": "library:rollout-plan",
    "quote": "| 2 | 6 October 2025 | 7 | 355 |",
    "confidence": 0.9,
}
FOUND: dict[str, Any] = {"tool": "final_result", "arguments": {"findings": [QUOTED]}}


CHECKOUT = Path(__file__).parents[2]
# Runs what is due until it is killed.
RUNS = """
import sys
from pathlib import Path
from agent_console.agents.factory import agents
from agent_console.agents.models import Models
from agent_console.runtime.registry import Registry
from agent_console.store.database import Database
from agent_console.testing import FakeClock, drain
url, base_url, workspace = sys.argv[1:]
clock = FakeClock()
registry = Registry(make() for _, make in agents(None, Models("openai:recorded", base_url)))
drain(Database(url, clock=clock), registry, clock=clock, workspace=Path(workspace))
"""


@pytest.fixture(params=["openai", "anthropic"])
def provider(request: pytest.FixtureRequest) -> str:
    """Return whose protocol is spoken."""
    return str(request.param)


@pytest.fixture
def url(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database."""
    with sqlite_files.database(tmp_path) as made:
        yield made


def run(url: str, server: ModelServer, provider: str = "openai", **facts: Any) -> Bench:
    models = server.models(provider, **facts)
    return Bench(*(make() for _, make in agents(None, models)), url=url)


def seen(db: Database, job_id: str) -> str:
    with db.read() as reader:
        found = previews.of_job(reader, job_id)
    return "" if found is None else found.text


def test_an_answer_is_seen_growing_and_gone_when_it_is_there(
    db: Database, tmp_path: Path, serve: Serve, provider: str
) -> None:
    server = serve({**FOUND, "pause": 0.08, "piece": 8})
    handlers = [make() for _, make in agents(None, server.models(provider))]
    told: list[str] = []
    with hosted(db, tmp_path, *handlers):
        changes = Changes(db)
        db.watch(lambda _events: told.append(seen(db, job_id)))
        job_id = enqueue(db, "research", TASK, approval_strategy="final_only")
        assert changes.until(lambda: _status(db, job_id) is JobStatus.WAITING)
        assert seen(db, job_id) == ""
    grown = [text for text in dict.fromkeys(told) if text]
    assert len(grown) > 2
    assert all(later.startswith(sooner) for sooner, later in pairwise(grown))
    assert "Claim: Wave 2 starts on 6 October" in grown[-1]
    assert "library:" not in grown[-1]
    assert len(server.requests) == 1


def _status(db: Database, job_id: str) -> JobStatus:
    return db.write(lambda tx: job_writes.job(tx, job_id)).status


def test_a_canceled_job_lets_go_of_its_request(db: Database, tmp_path: Path, serve: Serve) -> None:
    server = serve({**FOUND, "pause": 0.3, "piece": 2})  # half a minute's answer
    handlers = [make() for _, make in agents(None, server.models())]
    with hosted(db, tmp_path, *handlers):
        changes = Changes(db)
        job_id = enqueue(db, "research", TASK)
        assert changes.until(lambda: seen(db, job_id) != "")
        db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, REVIEWER))
        began = time.monotonic()
        assert changes.until(lambda: _rows(db) == 0)  # taken away when the handler has ended
        assert time.monotonic() - began < 5
    assert len(server.requests) == 1


def _rows(db: Database) -> int:
    with db.read() as reader:
        return len(reader.rows("SELECT job_id FROM job_previews"))


@pytest.mark.parametrize("cut", [0, 3, 6])
def test_an_answer_that_breaks_off_is_asked_for_again(
    url: str, serve: Serve, provider: str, cut: int
) -> None:
    server = serve({**FOUND, "cut": cut}, FOUND)
    with run(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.QUEUED, job.error
        assert bench.usage(job_id).calls == 0
        bench.clock.advance(3600)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 2


def test_an_error_in_the_middle_of_an_answer_costs_an_attempt(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve({**FOUND, "fails": 4}, FOUND)
    with run(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        job = bench.job(job_id)
        assert (job.status, len(server.requests)) == (JobStatus.QUEUED, 1), job.error
        bench.clock.advance(3600)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED


def test_a_process_killed_in_the_middle_of_an_answer_asks_only_for_that_one_again(
    database_url: str, serve: Serve, tmp_path: Path
) -> None:
    search = {"tool": "search", "arguments": {"query": "wave 2 start", "limit": 3}}
    server = serve(search, {**FOUND, "pause": 0.1, "piece": 2}, FOUND)
    with run(database_url, server) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        command = [sys.executable, "-c", RUNS, database_url, server.base_url(), str(tmp_path)]
        with subprocess.Popen(command, cwd=CHECKOUT) as doomed:
            while doomed.poll() is None and (len(server.requests) < 2 or not _rows(bench.db)):
                threading.Event().wait(0.05)
            doomed.kill()
        assert len(server.requests) == 2
        bench.clock.advance(3600)
        rescue(bench.db, 15.0, 5, [])
        assert previews.sweep(bench.db) == 1
        bench.clock.advance(3600)
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.COMPLETED, job.error
        assert len(server.requests) == 3
        assert bench.usage(job_id).calls == 2


def test_tokens_are_counted_from_a_stream(url: str, serve: Serve, provider: str) -> None:
    server = serve(FOUND)
    with run(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        used = bench.usage(job_id)
        assert (used.calls, used.total.input_tokens, used.total.output_tokens) == (1, 100, 10)
        assert server.requests[0]["stream"] is True


def test_a_server_that_counts_nothing_is_named_in_the_log(url: str, serve: Serve) -> None:
    server = serve({**FOUND, "usage": False})
    with run(url, server) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert "openai:recorded does not say how many tokens it used" in bench.log(job_id)


def test_streaming_can_be_turned_off(url: str, serve: Serve, provider: str) -> None:
    server = serve(FOUND)
    with run(url, server, provider, streams=False) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert bench.usage(job_id).total.input_tokens == 100
        assert not server.requests[0].get("stream")


def test_a_long_rate_limit_puts_the_job_off_for_as_long(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve({"status": 429, "headers": {"Retry-After": "900"}}, FOUND)
    with run(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.QUEUED
        assert job.error is not None
        assert "429" in job.error.message
        bench.clock.advance(890)
        assert bench.run() == 0
        bench.clock.advance(20)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 2


def test_a_server_that_is_away_costs_an_attempt(url: str) -> None:
    server = ModelServer("http://127.0.0.1:9", Path())
    with run(url, server) as bench:
        job_id = bench.enqueue("research", TASK)
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.QUEUED
        assert job.error is not None
        assert job.error.message.startswith("openai:recorded could not answer")


def test_half_a_tool_call_is_readable() -> None:
    args = '{"findings": [{"question": "When?", "claim": "Wave 2 sta'
    parts = [ThinkingPart("hm"), TextPart("I found this."), ToolCallPart("final_result", args)]
    assert readable(ModelResponse(parts=parts)) == (
        "I found this.\n\nQuestion: When?\nClaim: Wave 2 sta"
    )


def test_a_tool_is_named_with_what_it_is_asked() -> None:
    def call(args: Any) -> str:
        return readable(ModelResponse(parts=[ToolCallPart("search", args)]))

    assert call('{"query": "wave 2"}') == "search: wave 2"
    assert call({"query": "wave 2", "limit": 3}) == "search: wave 2"
    assert call('{"que') == "search"
    assert call("no json") == "search"
    assert call(None) == "search"


def test_nothing_of_a_stream_outlives_its_thread(url: str, serve: Serve) -> None:
    before = threading.active_count()
    with run(url, serve(FOUND)) as bench:
        bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
    assert threading.active_count() <= before
