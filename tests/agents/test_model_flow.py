"""The whole flow against a server that speaks a provider's protocol, with what goes wrong there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.definition import read_definition
from agent_console.agents.factory import agents, make
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.testing import Bench
from tests.support.databases import SqliteFiles
from tests.support.models import ModelServer, Serve

GUARDED = (
    "name: guarded\nkind: research\ntitle: R\ndescription: D\nversion: '1'\n"
    "approveTools: [search]\nmodelCalls: 8\n"
)
QUESTION = "When does wave 2 start?"
REACH = "How many depots does wave 2 reach?"
TASK = {"topic": "Lantern", "questions": [QUESTION]}
SEARCH = {"tool": "search", "arguments": {"query": "wave 2", "limit": 3}}
WAVE = {
    "question": QUESTION,
    "claim": "Wave 2 starts on 6 October 2025.",
    "document_id": "library:rollout-plan",
    "quote": "| 2 | 6 October 2025 | 7 | 355 |",
    "confidence": 0.9,
}
DEPOTS = {**WAVE, "question": REACH, "claim": "Wave 2 reaches 7 depots."}
START = {"text": "Wave 2 starts on 6 October 2025.", "finding_ids": ["F1"]}
WIDE = {"text": "It reaches 7 depots.", "finding_ids": ["F2"]}
LIMITED = {"status": 429, "headers": {"Retry-After-Ms": "10"}}
BROKEN = {"status": 503, "headers": {"Retry-After-Ms": "10"}}
SLOW = {"pause": 0.02, "piece": 12}


def final(**arguments: Any) -> dict[str, Any]:
    return {"tool": "final_result", "arguments": arguments}


RESEARCH = (
    LIMITED,
    SEARCH,
    BROKEN,
    {**final(findings=[WAVE]), **SLOW},
    final(questions=[REACH]),
    {**SEARCH, "arguments": {"query": "depots"}},
    final(findings=[WAVE, DEPOTS]),
)
DRAFTS = final(drafts=[{"name": "Short", "parts": [{"sentences": [START, WIDE]}]}])
REPORT = final(summary=[START, WIDE], answers=[{"question": QUESTION, "sentences": [START]}])


@pytest.fixture(params=["openai", "anthropic"])
def provider(request: pytest.FixtureRequest) -> str:
    """Return whose protocol is spoken."""
    return str(request.param)


@pytest.fixture
def url(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database."""
    with sqlite_files.database(tmp_path) as made:
        yield made


def with_model(url: str, server: ModelServer, provider: str) -> Bench:
    models = server.models(provider)
    guarded = make(read_definition(GUARDED, "test"), models)
    return Bench(guarded, *(one() for _, one in agents(None, models)), url=url)


def begin(bench: Bench, agent: str, task: dict[str, Any]) -> str:
    job_id = bench.enqueue(agent, task, approval_strategy="final_only")
    bench.run()
    return job_id


def output(bench: Bench, job_id: str) -> Any:
    bench.approve(job_id)
    bench.run()
    job = bench.job(job_id)
    assert job.status is JobStatus.COMPLETED, job.error
    return job.output_data


def test_from_a_watched_search_to_a_report(url: str, serve: Serve, provider: str) -> None:
    server = serve(*RESEARCH, DRAFTS, REPORT)
    with with_model(url, server, provider) as bench:
        research = begin(bench, "guarded", TASK)
        assert bench.pending(research).data == SEARCH["arguments"]
        bench.approve(research, edited_data={"query": "wave 2 start", "limit": 1})
        bench.run()
        assert bench.pending(research).action.startswith("Accept 1 finding")
        bench.request_changes(research, "And how many depots?")
        bench.run()
        bench.reject(research, "You have read enough")
        bench.run()
        found = output(bench, research)["findings"]
        assert [one["question"] for one in found] == [QUESTION, REACH]
        assert bench.usage(research).calls == 5
        assert [name for kind, name in bench.steps(research) if name.startswith("tool")] == [
            "tool search"
        ]
        handed = {"topic": "Lantern", "findings": found}
        (draft,) = output(bench, begin(bench, "content", handed))["variations"]
        assert [one["findingIds"] for one in draft["sentences"]] == [["F1"], ["F2"]]
        report = output(bench, begin(bench, "reporting", handed))["markdown"]
        assert f"worded by {provider}:recorded" in report
        said = [json.dumps(one["messages"]) for one in server.requests]
    assert len(said) == len(RESEARCH) + 2
    assert "You have read enough" in said[6]
    assert said[0] == said[1]  # a refused request was made again, nothing else


def test_edited_arguments_are_validated_again(url: str, serve: Serve, provider: str) -> None:
    server = serve(SEARCH)
    with with_model(url, server, provider) as bench:
        job_id = begin(bench, "guarded", TASK)
        for edited in ({"query": ""}, {"query": "a", "limit": 99}, {"document_id": "library:x"}):
            with pytest.raises(Invalid, match="editedData"):
                bench.approve(job_id, edited_data=edited)
        assert bench.job(job_id).status is JobStatus.WAITING
        assert len(server.requests) == 1


DOUBT = {"tool": "ask_for_review", "arguments": {"reason": "Two plans\n contradict each other."}}


def test_a_model_may_ask_for_a_person_and_no_policy_decides(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(DOUBT, final(findings=[WAVE]))
    with with_model(url, server, provider) as bench:
        job_id = bench.enqueue("research", TASK, approval_strategy="auto_approve_low_risk")
        bench.run()
        (asked,) = bench.pending(job_id).findings
        assert (asked["rule"], asked["severity"]) == ("review-requested", "MEDIUM")
        assert asked["message"] == "The agent asks for a person: Two plans contradict each other."
        assert output(bench, job_id)["approvedBy"] == "Reviewer"
        assert len(server.requests) == 2


def test_a_model_gets_the_tools_that_its_definition_names(url: str, serve: Serve) -> None:
    server = serve(final(findings=[WAVE]))
    text = "name: one\nkind: research\ntitle: O\ndescription: D\nversion: '1'\ntools: [search]\n"
    with Bench(make(read_definition(text, "test"), server.models()), url=url) as bench:
        begin(bench, "one", TASK)
    offered = {one["function"]["name"] for one in server.requests[0]["tools"]}
    assert offered == {"search", "ask_for_review", "final_result"}
    with pytest.raises(Invalid, match="tools"):
        read_definition(text.replace("[search]", "[delete]"), "test")
    with pytest.raises(Invalid, match="tools"):
        read_definition(text.replace("[search]", "[]"), "test")
