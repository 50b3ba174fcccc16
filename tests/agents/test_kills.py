"""A session of an agent goes through a death at every moment; nothing recorded is done again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.definition import read_definition
from agent_console.agents.factory import make
from agent_console.domain.jobs import JobStatus
from agent_console.testing import Bench
from tests.support.lives import LABELS
from tests.support.models import Serve

CHECKOUT = Path(__file__).parents[2]
AGENT = (
    "name: careful\nkind: research\ntitle: C\ndescription: D\nversion: '1'\n"
    "approveTools: [search]\nmodelCalls: 5\n"
)
QUESTION = "When does wave 2 start?"
REACH = "How many depots does wave 2 reach?"
TASK = {"topic": "Lantern", "questions": [QUESTION]}


def search(query: str) -> dict[str, Any]:
    return {"tool": "search", "arguments": {"query": query, "limit": 3}}


def final(**arguments: Any) -> dict[str, Any]:
    return {"tool": "final_result", "arguments": arguments}


def quoted(question: str, claim: str, document: str, quote: str) -> dict[str, Any]:
    facts = {"question": question, "claim": claim, "quote": quote, "confidence": 0.9}
    return {"document_id": f"library:{document}", **facts}


WAVE = quoted(
    QUESTION,
    "Wave 2 starts on 6 October 2025.",
    "rollout-plan",
    "| 2 | 6 October 2025 | 7 | 355 |",
)
DEPOTS = quoted(
    REACH, "Wave 2 reaches 7 depots.", "rollout-plan", "| 2 | 6 October 2025 | 7 | 355 |"
)
# Each is given once: who asks a second time for something gets an answer that does not fit.
ANSWERS = (
    search("wave 2"),
    search("everything there is"),
    final(findings=[WAVE]),
    final(questions=[REACH]),
    final(findings=[WAVE, DEPOTS]),
)
EDITED = {"query": "wave 2 start", "limit": 1}
VERDICTS = [
    {"verb": "approve", "data": EDITED},
    {"verb": "reject Not these words"},
    {"verb": "changes And how many depots?"},
    {"verb": "approve"},
]
PROVIDER = {"sqlite": "openai", "postgresql": "anthropic"}


@pytest.mark.slow
@pytest.mark.timeout(300)  # some forty lives
def test_no_recorded_call_is_made_again_wherever_a_process_is_killed(
    database_url: str, dialect: str, tmp_path: Path, serve: Serve
) -> None:
    server, provider = serve(*ANSWERS), PROVIDER[dialect]
    agent = make(read_definition(AGENT, "test"), server.models(provider))
    with Bench(agent, url=database_url) as bench:
        job_id = bench.enqueue(
            "careful", TASK, approval_strategy="checkpoint_required", max_attempts=100
        )
        order = {
            "agent": AGENT,
            "model": f"{provider}:recorded",
            "base_url": server.base_url(provider),
            "url": database_url,
            "folder": str(tmp_path),
            "job": job_id,
            "verdicts": VERDICTS,
        }
        lived = subprocess.run(
            [sys.executable, "-m", "tests.support.lives", json.dumps(order)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert lived.returncode == 0, lived.stderr
        job = bench.job(job_id)
        assert job.status is JobStatus.COMPLETED, job.error
        output: Any = job.output_data
        assert [one["question"] for one in output["findings"]] == [QUESTION, REACH]
        assert bench.usage(job_id).calls == len(ANSWERS)
        statuses = [
            one.status for one in bench.checkpoints(job_id) if one.checkpoint_type != "INFO"
        ]
    deaths = Counter(line.split()[0] for line in (tmp_path / "deaths.log").read_text().splitlines())
    assert set(deaths) == set(LABELS)
    assert deaths.total() > 30
    bodies = [json.dumps(one["messages"]) for one in server.requests]
    assert (len(bodies), len(set(bodies))) == (len(ANSWERS), len(ANSWERS))
    assert statuses == ["APPROVED", "REJECTED", "CHANGES_REQUESTED", "APPROVED"]
    searched = [json.loads(line) for line in (tmp_path / "searches.log").read_text().splitlines()]
    assert searched == [EDITED]
    assert "Not these words" in bodies[2]
    assert "And how many depots?" in bodies[3]
