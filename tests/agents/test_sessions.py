from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.factory import agents
from agent_console.domain.errors import Conflict, Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.domain.versions import versions_of
from agent_console.runtime.loading import load_handlers
from agent_console.testing import Bench

WAVE = {"topic": "Lantern", "questions": ["When does wave 2 start?"], "maxFindings": 2}
DOUBTFUL = {"topic": "Lantern", "questions": ["How do penguins swim?"]}
RESULTS = ("content_draft", "report")
STRATEGIES = ("checkpoint_required", "final_only", "auto_approve_low_risk")


def start(
    bench: Bench, agent: str, task: dict[str, Any], strategy: str | None, **fields: Any
) -> str:
    job_id = bench.enqueue(agent, task, approval_strategy=strategy, **fields)
    bench.run()
    return job_id


def approve_all(bench: Bench, job_id: str) -> int:
    """Approve what waits until nothing does; return how often."""
    count = 0
    while bench.job(job_id).status is JobStatus.WAITING:
        bench.approve(job_id)
        bench.run()
        count += 1
    return count


def request_changes(bench: Bench, job_id: str, feedback: str) -> None:
    bench.request_changes(job_id, feedback)
    bench.run()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("agent", ["research", "content", "reporting"])
def test_every_shipped_example_works_under_every_strategy(
    bench: Bench, agent: str, strategy: str
) -> None:
    info = bench.registry.describe(agent)
    assert info is not None
    assert info.agent
    assert info.examples
    for example in info.examples:
        job_id = start(bench, agent, dict(example), strategy)
        approve_all(bench, job_id)
        job = bench.job(job_id)
        assert job.status is JobStatus.COMPLETED
        output: Any = job.output_data
        assert output["confidence"] > 0.5
        assert output["shippedDocuments"] is True
        assert set(output["artifactIds"]) <= {one.id for one in bench.artifacts(job_id)}


@pytest.mark.parametrize(
    ("agent", "strategy", "stops"),
    [
        ("research", "checkpoint_required", 1),
        ("research", "final_only", 1),
        ("research", "auto_approve_low_risk", 0),
        ("research", None, 1),
        ("reporting", "checkpoint_required", 2),
        ("reporting", "final_only", 1),
        ("reporting", "auto_approve_low_risk", 0),
        ("content", "checkpoint_required", 2),
        ("content", "final_only", 1),
        ("content", "auto_approve_low_risk", 0),
    ],
)
def test_a_strategy_stops_where_it_says(
    bench: Bench, agent: str, strategy: str | None, stops: int
) -> None:
    job_id = start(bench, agent, WAVE, strategy)
    assert approve_all(bench, job_id) == stops
    assert bench.job(job_id).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("task", "rule"),
    [
        (DOUBTFUL, "no-findings"),
        ({**WAVE, "questions": ["The pilot with penguins in Antarctica"]}, "low-confidence"),
        ({**WAVE, "requestReview": True}, "review-requested"),
        ({**WAVE, "minConfidence": 0.95}, "low-confidence"),
    ],
)
def test_a_reason_to_look_stops_the_policy_and_is_on_the_card(
    bench: Bench, task: dict[str, Any], rule: str
) -> None:
    job_id = start(bench, "research", task, "auto_approve_low_risk")
    assert bench.job(job_id).status is JobStatus.WAITING
    assert rule in {one["rule"] for one in bench.pending(job_id).findings}


def test_a_word_of_high_impact_stops_the_policy(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "careful.yaml"
    path.write_text(
        "name: careful\nkind: research\ntitle: Careful\ndescription: Asks.\nversion: '1'\n"
        "thresholds: {highImpact: [october]}\n"
    )
    (make,) = [one for origin, one in agents(tmp_path) if origin == str(path)]
    bench.registry.add(make())
    job_id = start(bench, "careful", WAVE, "auto_approve_low_risk")
    (finding,) = bench.pending(job_id).findings
    assert (finding["rule"], finding["severity"]) == ("high-impact", "HIGH")


def test_what_was_found_goes_on_to_drafts_and_to_a_report(bench: Bench) -> None:
    research_id = start(bench, "research", {"questions": WAVE["questions"]}, "final_only")
    approve_all(bench, research_id)
    output: Any = bench.job(research_id).output_data
    handed = {"topic": "Wave 2", "findings": output["findings"]}
    content_id = start(bench, "content", {**handed, "tone": "formal"}, "checkpoint_required")
    assert approve_all(bench, content_id) == 1
    assert ("step", "search the documents") not in bench.steps(content_id)
    (drafts,) = bench.artifacts(content_id)
    document = json.loads(drafts.content)
    assert drafts.artifact_type == "content_draft"
    assert document["title"] == "Wave 2"
    assert len({one["structure"] for one in document["variations"]}) == len(document["variations"])
    report_id = start(bench, "reporting", handed, "checkpoint_required")
    assert approve_all(bench, report_id) == 1
    (report,) = bench.artifacts(report_id)
    assert (report.artifact_type, report.media_type) == ("report", "text/markdown")
    assert "6 October 2025" in report.content


def test_feedback_makes_another_round_and_the_last_one_ends(bench: Bench) -> None:
    job_id = start(bench, "research", WAVE, "final_only")
    request_changes(bench, job_id, "without F2, what do devices cost?")
    second = bench.pending(job_id)
    assert (second.round, second.rounds) == (2, 3)
    data: Any = second.data
    assert data["answers"][0]["question"] == "When does wave 2 start?"
    assert any("212 euros" in one["claim"] for one in data["findings"])
    made = [(one.name, one.metadata["round"]) for one in bench.artifacts(job_id)]
    assert len(set(made)) == len(made)
    again = {name for name, number in made if number == 1} & {n for n, number in made if number > 1}
    assert again == {"Wave: 2, Start: 6 October 2025, Depots: 7, Couriers: 355"}
    request_changes(bench, job_id, "more on training")
    with pytest.raises(Conflict, match="round 3 of 3, the last one"):
        bench.request_changes(job_id, "and more")
    bench.reject(job_id, "Not yet")
    bench.run()
    job = bench.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.message == "Not yet"


def test_drafts_and_reports_take_feedback_too(bench: Bench) -> None:
    for agent in ("content", "reporting"):
        job_id = start(bench, agent, WAVE, "final_only")
        request_changes(bench, job_id, "drop F2. How much does training cost per courier?")
        assert "140 euros" in json.dumps(bench.pending(job_id).data)
        approve_all(bench, job_id)
        output: Any = bench.job(job_id).output_data
        assert output["rounds"] == 2
        made = [one for one in bench.artifacts(job_id) if one.artifact_type in RESULTS]
        assert len({one.name for one in made}) == 1
        assert [one.label for one in versions_of(made)] == ["Round 1", "Round 2"]


def test_a_rejection_fails_the_session_whatever_else_is_said(bench: Bench) -> None:
    job_id = start(bench, "content", WAVE, "final_only")
    bench.reject(job_id, "Not this quarter", feedback="without F2")
    bench.run()
    error = bench.job(job_id).error
    assert error is not None
    assert error.message == "Not this quarter"


def test_an_edited_report_is_what_is_published(bench: Bench) -> None:
    job_id = start(bench, "reporting", WAVE, "final_only")
    bench.approve(job_id, edited_data={"title": "Mine", "markdown": "# Mine\n"})
    bench.run()
    output: Any = bench.job(job_id).output_data
    assert (output["title"], output["markdown"]) == ("Mine", "# Mine\n")
    (published,) = [one for one in bench.artifacts(job_id) if one.id in output["artifactIds"]]
    assert published.content == "# Mine\n"
    made = [one for one in bench.artifacts(job_id) if one.artifact_type in RESULTS]
    assert [one.label for one in versions_of(made)] == ["Round 1", "Round 1, as edited"]
    assert len({one.name for one in made}) == 1


def test_an_agent_of_one_round_takes_no_changes(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "once.yaml").write_text(
        "name: once\nkind: research\ntitle: Once\ndescription: Asks once.\n"
        "version: '1'\nrounds: 1\n"
    )
    (make,) = [one for origin, one in agents(tmp_path) if origin.endswith("once.yaml")]
    bench.registry.add(make())
    job_id = start(bench, "once", WAVE, "final_only")
    with pytest.raises(Conflict, match="does not propose in rounds"):
        bench.request_changes(job_id, "more")


def test_the_task_description_is_the_topic_and_without_any_there_is_none(bench: Bench) -> None:
    job_id = start(bench, "research", {}, "final_only", task_description="When does wave 2 start?")
    data: Any = bench.pending(job_id).data
    assert data["topic"] == "When does wave 2 start?"
    assert data["findings"]
    empty = start(bench, "research", {}, "final_only", task_description="")
    assert bench.job(empty).status is JobStatus.FAILED


def test_the_journal_names_the_policy(bench: Bench) -> None:
    job_id = start(bench, "research", WAVE, "auto_approve_low_risk")
    output: Any = bench.job(job_id).output_data
    assert output["approvedBy"] == "policy"


def test_wrong_tasks_are_refused_by_field(bench: Bench) -> None:
    for task, field in [
        ({"maxFindings": 0}, "maxFindings"),
        ({"minConfidence": 2}, "minConfidence"),
        ({"tone": "shouting"}, "tone"),
        ({"findings": [{"id": "F1"}]}, r"findings\.0\.claim"),
    ]:
        with pytest.raises(Invalid, match=rf"inputData\.{field}"):
            bench.enqueue("content", task)


def test_a_folder_of_agents_loads_and_a_broken_one_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: mine\nkind: research\n")
    (tmp_path / "b.yaml").write_text("name: [\n")
    (tmp_path / "c.yml").write_text(
        "name: incident-research\nkind: research\ntitle: I\ndescription: D\nversion: '2'\n"
    )
    registry = load_handlers(made=agents(tmp_path))
    known = {info.job_type for info in registry.handlers() if info.agent}
    assert known == {"research", "content", "reporting", "incident-research"}
    first, second = (problem.message for problem in registry.problems)
    assert "a.yaml" in first
    assert "title" in first
    assert "b.yaml is not valid YAML" in second


def test_an_example_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "name: mine\nkind: research\ntitle: T\ndescription: D\nversion: '1'\n"
        "examples: [{maxFindings: 99}]\n"
    )
    (problem,) = load_handlers(made=agents(tmp_path)).problems
    assert "maxFindings" in problem.message
