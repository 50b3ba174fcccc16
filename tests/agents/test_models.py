from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.definition import read_definition
from agent_console.agents.factory import agents, make
from agent_console.agents.models import Models
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.gateways.keystore import EnvironmentKeystore
from agent_console.testing import Bench
from tests.support.databases import SqliteFiles
from tests.support.models import ModelServer, Serve

CHECKOUT = Path(__file__).parents[2]
QUESTION = "When does wave 2 start?"
TASK = {"topic": "Lantern", "questions": [QUESTION]}
SEARCH = {"tool": "search", "arguments": {"query": "wave 2 start", "limit": 3}}
QUOTED = {
    "question": QUESTION,
    "claim": "Wave 2 starts on 6 October 2025.",
    "document_id": "library:rollout-plan",
    "quote": "| 2 | 6 October 2025 | 7 | 355 |",
    "confidence": 0.9,
}
FOUND = {"tool": "final_result", "arguments": {"findings": [QUOTED]}}
INVENTED = {
    "tool": "final_result",
    "arguments": {"findings": [{**QUOTED, "quote": "Wave 2 starts tomorrow."}]},
}
GUARDED = (
    "name: research\nkind: research\ntitle: R\ndescription: D\nversion: '1'\n"
    "approveTools: [search]\nmodelCalls: 5\n"
)
# Runs what is due and dies where a crash point is passed for the given time.
DIES = """
import os, signal, sys
from pathlib import Path
from agent_console.agents.factory import agents
from agent_console.agents.models import Models
from agent_console.domain import crashpoints
from agent_console.runtime.registry import Registry
from agent_console.store.database import Database
from agent_console.testing import FakeClock, drain
url, base_url, workspace, label, times = sys.argv[1:]
left = int(times)
def reached(at):
    global left
    left -= at == label
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
crashpoints.arm(reached)
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


def bench_with(url: str, server: ModelServer, provider: str = "openai", **facts: Any) -> Bench:
    models = server.models(provider, **facts)
    return Bench(*(make() for _, make in agents(None, models)), url=url)


def test_a_model_searches_and_its_quotation_is_placed(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(SEARCH, FOUND)
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.COMPLETED, job.error
        output: Any = job.output_data
        (finding,) = output["findings"]
        assert finding["quote"] == QUOTED["quote"]
        assert finding["source"]["start"] > 0
        assert finding["confidence"] == 0.9
        assert f"{provider}:recorded" in output["method"]
        kinds = [(kind, name) for kind, name in bench.steps(job_id) if kind in {"step", "usage"}]
        assert kinds == [
            ("step", "context"),
            ("step", f"ask {provider}:recorded, call 1"),
            ("usage", f"{provider}:recorded"),
            ("step", "tool search"),
            ("step", f"ask {provider}:recorded, call 2"),
            ("usage", f"{provider}:recorded"),
        ]
        assert len(server.requests) == 2
        assert "6 October 2025" in json.dumps(server.requests[1]["messages"])


def test_waiting_and_going_on_asks_the_model_nothing_again(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(SEARCH, FOUND)
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="final_only")
        bench.run()
        assert bench.job(job_id).status is JobStatus.WAITING
        bench.approve(job_id)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 2


def test_an_invented_quotation_goes_back_to_the_model(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(INVENTED, FOUND)
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert "word for word" in json.dumps(server.requests[1]["messages"])


def test_a_model_that_keeps_inventing_fails_the_job_at_once(url: str, serve: Serve) -> None:
    server = serve(INVENTED)
    with bench_with(url, server) as bench:
        job_id = bench.enqueue("research", TASK)
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.FAILED
        assert job.attempts == 1
        assert len(server.requests) == 3


def test_a_rate_limit_is_waited_out(url: str, serve: Serve, provider: str) -> None:
    limited = {"status": 429, "headers": {"Retry-After-Ms": "10"}}
    server = serve(limited, SEARCH, limited, FOUND)
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 4


def test_a_broken_server_costs_an_attempt_and_the_record_stays(
    url: str, serve: Serve, provider: str
) -> None:
    broken = {"status": 500, "headers": {"Retry-After-Ms": "10"}}
    server = serve(SEARCH, broken, broken, broken, FOUND)
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.QUEUED
        bench.clock.advance(3600)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 5


def test_a_refused_key_is_not_tried_again(url: str, serve: Serve, provider: str) -> None:
    server = serve({"status": 401})
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK)
        bench.run()
        job = bench.job(job_id)
        assert (job.status, job.attempts) == (JobStatus.FAILED, 1)
        assert job.error is not None
        assert "401" in job.error.message


def test_a_slow_answer_is_an_answer(url: str, serve: Serve, provider: str) -> None:
    server = serve({**FOUND, "delay": 0.5})
    with bench_with(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED


def guarded(url: str, server: ModelServer) -> Bench:
    models = server.models()
    return Bench(make(read_definition(GUARDED, "test"), models), url=url)


def test_a_guarded_tool_shows_its_arguments_and_runs_the_edited_ones(
    url: str, serve: Serve
) -> None:
    server = serve(SEARCH, FOUND)
    with guarded(url, server) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="final_only")
        bench.run()
        asked = bench.pending(job_id)
        assert asked.action == "Use the tool search"
        assert asked.data == SEARCH["arguments"]
        assert "tool search" not in dict(map(reversed, bench.steps(job_id)))  # type: ignore[arg-type]
        bench.approve(job_id, edited_data={"query": "devices cost", "limit": 1})
        bench.run()
        assert "212 euros" in json.dumps(server.requests[1]["messages"])
        assert len(server.requests) == 2


def test_a_refused_tool_call_is_not_made_and_the_model_is_told(url: str, serve: Serve) -> None:
    server = serve(SEARCH, FOUND)
    with guarded(url, server) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="final_only")
        bench.run()
        bench.reject(job_id, "Not these words")
        bench.run()
        assert bench.pending(job_id).action.startswith("Accept 1 finding")
        assert ("step", "tool search") not in bench.steps(job_id)
        assert "Not these words" in json.dumps(server.requests[1]["messages"])


def test_a_budget_stops_the_job_before_the_next_call(url: str, serve: Serve) -> None:
    server = serve(SEARCH, FOUND)
    with bench_with(url, server) as bench:
        task = {**TASK, "maxTokens": 50}
        job_id = bench.enqueue("research", task, task_configuration=task)
        bench.run()
        assert "budget" in bench.pending(job_id).message
        assert len(server.requests) == 1


# The steps are: context, call 1, search, call 2. A death between an effect and its record is the
# one case in which the effect is repeated.
@pytest.mark.parametrize(("deadly", "requests"), [(2, 3), (3, 2), (4, 3)])
def test_a_killed_process_asks_nothing_again_that_was_recorded(
    url: str, serve: Serve, tmp_path: Path, deadly: int, requests: int
) -> None:
    server = serve(*[SEARCH] * (2 if deadly == 2 else 1), FOUND)
    with bench_with(url, server) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        label, folder = "step.effect_done", str(tmp_path)
        died = subprocess.run(
            [sys.executable, "-c", DIES, url, server.base_url(), folder, label, str(deadly)],
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        _rescue(bench)
        bench.run()
        job = bench.job(job_id)
        assert job.status is JobStatus.COMPLETED, job.error
        assert len(server.requests) == requests


def _rescue(bench: Bench) -> None:
    """Give the dead worker's jobs back, as the next sweep of the console does."""
    from agent_console.store.liveness import rescue

    bench.clock.advance(3600)
    rescue(bench.db, 15.0, 5, [])
    bench.clock.advance(3600)


def test_without_a_key_the_job_says_which_one_is_missing(url: str) -> None:
    made = [make() for _, make in agents(None, Models("anthropic:some-model"))]
    with Bench(*made, url=url) as bench:
        job_id = bench.enqueue("research", TASK)
        bench.run()
        error = bench.job(job_id).error
        assert error is not None
        assert "ANTHROPIC_API_KEY" in error.message


def test_a_model_is_chosen_by_agent_then_by_console() -> None:
    models = Models("openai:one", secrets=EnvironmentKeystore({"OPENAI_API_KEY": "k"}).get)
    assert models.choose("local") is None
    assert Models().choose("") is None
    chosen = models.choose("")
    assert chosen is not None
    assert (chosen.label, chosen.key()) == ("openai:one", "k")
    other = Models("openai:one", "http://localhost/v1").choose("anthropic:two")
    assert other is not None
    assert other.base_url == ""
    with pytest.raises(Invalid, match="is no model"):
        models.choose("gpt")
    assert EnvironmentKeystore({"A": ""}).get("A") is None


def test_no_model_library_is_loaded_before_it_is_needed() -> None:
    script = (
        "import sys\nfrom agent_console.bootstrap import build\n"
        "from agent_console.settings import Settings\nbuild(Settings())\n"
        "print({'pydantic_ai', 'openai', 'anthropic', 'numpy', 'bm25s'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["set()"]
