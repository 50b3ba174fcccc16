"""Drafts and reports that a model words: checked against findings, recorded, sent back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.factory import agents
from agent_console.agents.findings import ResearchFinding, from_findings
from agent_console.agents.wording import Said, figures, sentence, unsupported
from agent_console.domain.jobs import JobStatus
from agent_console.testing import Bench
from tests.support.databases import SqliteFiles
from tests.support.models import ModelServer, Serve

QUESTION = "When does wave 2 start?"
PLACE = {"documentId": "library:rollout-plan", "title": "Rollout plan", "version": 1}
FINDING: dict[str, Any] = {
    "id": "F1",
    "question": QUESTION,
    "claim": "Wave: 2, Start: 6 October 2025, Depots: 7, Couriers: 355",
    "quote": "| 2 | 6 October 2025 | 7 | 355 |",
    "source": {**PLACE, "start": 240, "end": 272, "heading": "Waves"},
    "confidence": 0.8,
}
COSTS: dict[str, Any] = {
    **FINDING,
    "id": "F2",
    "question": "What do devices cost?",
    "claim": "A device costs 1 212 euros.",
    "quote": "A device costs 1 212 euros.",
    "source": {**PLACE, "start": 400, "end": 427},
    "confidence": 0.6,
}
TASK: dict[str, Any] = {"topic": "Lantern", "findings": [FINDING, COSTS], "variations": 2}


def said(text: str, *ids: str) -> dict[str, Any]:
    return {"text": text, "finding_ids": list(ids)}


START = said("Wave 2 starts on 6 October 2025 with *355* couriers.", "F1")
PRICE = said("Each device costs 1,212 euros.", "F2")


def written(*sentences: dict[str, Any], name: str = "Short", **part: Any) -> dict[str, Any]:
    return {"name": name, "parts": [{"sentences": list(sentences), **part}]}


def drafts(*made: dict[str, Any]) -> dict[str, Any]:
    return {"tool": "final_result", "arguments": {"drafts": list(made)}}


def told(summary: list[Any], answers: list[Any]) -> dict[str, Any]:
    return {"tool": "final_result", "arguments": {"summary": summary, "answers": answers}}


def look_up(*questions: str) -> dict[str, Any]:
    return {"tool": "final_result", "arguments": {"questions": list(questions)}}


GOOD = drafts(
    written(START, PRICE),
    written(START, PRICE, name="A list", bullets=True, heading="What & when"),
)
REPORT = told([START, PRICE], [{"question": QUESTION, "sentences": [START]}])


@pytest.fixture(params=["openai", "anthropic"])
def provider(request: pytest.FixtureRequest) -> str:
    """Return whose protocol is spoken."""
    return str(request.param)


@pytest.fixture
def url(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database."""
    with sqlite_files.database(tmp_path) as made:
        yield made


def with_model(url: str, server: ModelServer, provider: str = "openai") -> Bench:
    return Bench(*(make() for _, make in agents(None, server.models(provider))), url=url)


def asked(server: ModelServer, number: int) -> str:
    return json.dumps(server.requests[number]["messages"], ensure_ascii=False)


def test_a_model_words_the_drafts_and_each_sentence_names_its_findings(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(GOOD)
    with with_model(url, server, provider) as bench:
        job_id = bench.enqueue("content", TASK, approval_strategy="final_only")
        bench.run()
        shown: Any = bench.pending(job_id).data
        first, second = shown["variations"]
        assert (first["name"], first["structure"], first["confidence"]) == ("Short", "written", 0.7)
        assert first["text"].startswith(
            "# Lantern\n\nWave 2 starts on 6 October 2025 with \\*355\\* couriers. \\[F1\\] "
            "Each device costs 1,212 euros. \\[F2\\]\n\n## Sources\n"
        )
        assert first["sentences"][0]["findingIds"] == ["F1"]
        assert "## What \\& when\n\n- Wave 2" in second["text"]
        assert f"worded by {provider}:recorded" in shown["method"]
        bench.approve(job_id)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert bench.usage(job_id).calls == len(server.requests) == 1
        assert "355" in asked(server, 0)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (written(said("Everyone is happy.")), "names no finding"),
        (written(said("Everyone is happy.", "F9")), "names F9, which does not exist"),
        (written(said("400 couriers take part.", "F1")), "has 400, which its findings do not"),
        (written(said("355 couriers take part.", "F2")), "has 355, which its findings do not"),
    ],
)
def test_a_sentence_without_support_goes_back_to_the_model(
    url: str, serve: Serve, bad: dict[str, Any], why: str
) -> None:
    server = serve(drafts(bad), GOOD)
    with with_model(url, server) as bench:
        job_id = bench.enqueue("content", TASK, approval_strategy="final_only")
        bench.run()
        assert bench.job(job_id).status is JobStatus.WAITING
        assert why in asked(server, 1)
        assert why not in asked(server, 0)


def test_too_many_drafts_and_two_of_one_name_go_back(url: str, serve: Serve) -> None:
    many = drafts(written(START), written(START), written(START, name="Third"))
    server = serve(many, GOOD)
    with with_model(url, server) as bench:
        bench.enqueue("content", TASK, approval_strategy="final_only")
        bench.run()
        assert "3 drafts are too many: 2 were asked for." in asked(server, 1)
        assert "Two drafts have the same name." in asked(server, 1)


def test_a_model_that_keeps_making_things_up_fails_the_job(url: str, serve: Serve) -> None:
    server = serve(drafts(written(said("400 couriers.", "F1"))))
    with with_model(url, server) as bench:
        job_id = bench.enqueue("content", TASK)
        bench.run()
        job = bench.job(job_id)
        assert (job.status, job.attempts, len(server.requests)) == (JobStatus.FAILED, 1, 3)


def test_a_wish_about_the_wording_reaches_the_model_with_what_was_sent_back(
    url: str, serve: Serve
) -> None:
    shorter = drafts(written(START, name="Shorter"))
    server = serve(GOOD, look_up(), shorter)
    with with_model(url, server) as bench:
        job_id = bench.enqueue("content", TASK, approval_strategy="final_only")
        bench.run()
        bench.request_changes(job_id, "Please make it shorter")
        bench.run()
        shown: Any = bench.pending(job_id).data
        assert [one["name"] for one in shown["variations"]] == ["Shorter"]
        assert "Please make it shorter" in asked(server, 2)
        assert "Short:" in asked(server, 2)
        bench.approve(job_id)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 3


def test_what_a_review_misses_is_looked_up_and_written(url: str, serve: Serve) -> None:
    more = {
        "question": "How long is training?",
        "claim": "Training takes a while.",
        "document_id": "library:rollout-plan",
        "quote": "| 2 | 6 October 2025 | 7 | 355 |",
        "confidence": 0.9,
    }
    found = {"tool": "final_result", "arguments": {"findings": [more]}}
    wider = drafts(written(START, said("Training takes a while.", "F2")))
    server = serve(GOOD, look_up("How long is training?"), found, wider)
    with with_model(url, server) as bench:
        job_id = bench.enqueue("content", TASK, approval_strategy="final_only")
        bench.run()
        bench.request_changes(job_id, "Say how long training is; drop F2.")
        bench.run()
        (made,) = bench.pending(job_id).data["variations"]  # type: ignore[index,call-overload]
        assert made["sentences"][1] == {"text": "Training takes a while.", "findingIds": ["F2"]}
        assert "How long is training?" in asked(server, 2)
        assert "212" not in asked(server, 3).split("What was sent back")[0]


def test_a_model_words_summary_and_answers_of_a_report(
    url: str, serve: Serve, provider: str
) -> None:
    server = serve(REPORT)
    with with_model(url, server, provider) as bench:
        job_id = bench.enqueue("reporting", TASK, approval_strategy="final_only")
        bench.run()
        shown: Any = bench.pending(job_id).data
        text = shown["markdown"]
        summary = text.split("## Summary")[1].split("## Findings")[0]
        assert "2 findings from 1 document" in summary
        assert "Each device costs 1,212 euros. \\[F2\\]" in summary
        answer = text.split(f"### {QUESTION}")[1].split("### ")[0]
        assert "starts on 6 October 2025" in answer
        assert "> \\| 2 \\| 6 October 2025" in answer
        assert f"worded by {provider}:recorded" in text.split("## Method")[1]
        bench.approve(job_id)
        bench.run()
        assert bench.job(job_id).status is JobStatus.COMPLETED
        assert len(server.requests) == 1


def test_an_answer_to_another_question_goes_back(url: str, serve: Serve) -> None:
    strange = told([START], [{"question": "Why?", "sentences": [START]}])
    server = serve(strange, REPORT)
    with with_model(url, server) as bench:
        bench.enqueue("reporting", TASK, approval_strategy="final_only")
        bench.run()
        assert "“Why?” is none of the questions." in asked(server, 1)


def test_a_report_that_was_sent_back_is_worded_anew(url: str, serve: Serve) -> None:
    server = serve(REPORT, look_up(), told([PRICE], []))
    with with_model(url, server) as bench:
        job_id = bench.enqueue("reporting", TASK, approval_strategy="final_only")
        bench.run()
        bench.request_changes(job_id, "Begin with the price")
        bench.run()
        shown: Any = bench.pending(job_id).data
        assert "couriers." not in shown["markdown"].split("## Findings")[0]
        assert "Begin with the price" in asked(server, 2)
        assert "What was sent back" in asked(server, 2)


def test_nothing_to_word_asks_no_model(url: str, serve: Serve) -> None:
    server = serve({"tool": "final_result", "arguments": {"findings": []}})
    with with_model(url, server) as bench:
        sections = {**TASK, "sections": ["gaps", "sources"]}
        bench.enqueue("reporting", sections, approval_strategy="final_only")
        bench.run()
        assert server.requests == []
        job_id = bench.enqueue("content", {"topic": "Penguins"}, approval_strategy="final_only")
        bench.run()
        shown: Any = bench.pending(job_id).data
        assert (shown["variations"], len(server.requests)) == ([], 1)
        assert "method" not in shown


def test_figures_are_compared_however_they_are_grouped() -> None:
    assert figures("1,200 and 1 200 or 1.200") == {"1200"}
    assert figures("from 6.5 to 10:30, in 2025") == {"6.5", "10:30", "2025"}
    assert figures("no number") == set()


def test_a_sentence_is_shown_as_it_is_with_its_marks_once() -> None:
    research = from_findings("T", [ResearchFinding.model_validate(FINDING)], [])
    one = Said(text="See [here](x) <b>", finding_ids=["F1", "F1"])
    assert sentence(one, research) == "See \\[here\\](x) \\<b\\> \\[F1\\]"
    assert unsupported([one], research) == []


def test_findings_that_were_sent_back_are_searched_for_with_the_reviewers_words(
    url: str, serve: Serve
) -> None:
    quoted = {
        "question": QUESTION,
        "claim": "Wave 2 starts on 6 October 2025.",
        "document_id": "library:rollout-plan",
        "quote": FINDING["quote"],
        "confidence": 0.9,
    }
    found = {"tool": "final_result", "arguments": {"findings": [quoted]}}
    again = {**quoted, "question": "How many depots?", "claim": "Wave 2 reaches 7 depots."}
    both = {"tool": "final_result", "arguments": {"findings": [quoted, again]}}
    server = serve(found, look_up("How many depots?"), both)
    with with_model(url, server) as bench:
        task = {"topic": "Lantern", "questions": [QUESTION]}
        job_id = bench.enqueue("research", task, approval_strategy="final_only")
        bench.run()
        bench.request_changes(job_id, "And the depots? Be brief.")
        bench.run()
        shown: Any = bench.pending(job_id).data
        assert [one["question"] for one in shown["answers"]] == [QUESTION, "How many depots?"]
        assert all(one["findingIds"] for one in shown["answers"])
        assert "A reviewer said of earlier findings:\\n- And the depots? Be brief." in asked(
            server, 2
        )
        assert len(server.requests) == 3
