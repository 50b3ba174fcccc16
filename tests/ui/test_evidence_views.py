"""Typed evidence: what the shipped agents put up is shown whole, and nothing else is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_console.agents.documents import shipped
from agent_console.agents.drafts import Tone, drafts
from agent_console.agents.findings import Research, research
from agent_console.agents.report import Section, report
from agent_console.services.markdown_blocks import MAX_MARKDOWN
from agent_console.ui.artifact_views import MAX_VARIATIONS
from agent_console.ui.evidence_findings import MAX_FINDINGS
from agent_console.ui.evidence_views import evidence_of

SOURCE = {"documentId": "doc_1", "version": 2, "title": "Minutes", "start": 10, "end": 25}
FINDING = {
    "id": "F1",
    "question": "Does it hold?",
    "claim": "It holds.",
    "quote": "It does hold.",
    "source": SOURCE,
    "confidence": 0.82,
    "missing": [],
}
ANSWER = {"question": "Does it hold?", "confidence": 0.8, "findingIds": ["F1"], "missing": []}


def found(*questions: str) -> Research:
    return research("Results of the pilot", questions, shipped())


def wire(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True)


def test_real_findings_stand_under_their_questions_and_nothing_is_left_out() -> None:
    made = found("When does wave 2 start?", "How satisfied were recipients?", "Who eats cheese?")
    view = evidence_of(wire(made))
    assert view.kind == "findings"
    assert [one.question for one in view.answers] == [one.question for one in made.answers]
    marks = [one.mark for answer in view.answers for one in answer.findings]
    assert marks == [one.id for one in made.findings]
    assert view.answers[0].findings[0].body.claim == made.findings[0].claim
    assert [one.unanswered for one in view.answers] == [False, False, True]
    assert len(view.sources) == len(made.documents)
    assert view.rest.text == ""


@pytest.mark.parametrize("tone", list(Tone))
def test_real_drafts_are_shown_with_every_sentence_they_claim(tone: Tone) -> None:
    made = found("When does wave 2 start?", "How satisfied were recipients?")
    written = drafts("The *pilot*", made, tone=tone, variations=5)
    data = {"title": "The *pilot*", "tone": tone.value, "variations": [wire(d) for d in written]}
    view = evidence_of(data)
    assert view.kind == "draft"
    assert [one.name for one in view.body.variations] == [one.name for one in written]
    assert "rests on F1" in view.body.variations[0].facts
    assert view.rest.text == ""


def test_a_real_report_is_rendered_and_its_title_said_once() -> None:
    text = report("Results of the pilot", found("When does wave 2 start?"), list(Section))
    view = evidence_of({"title": "Results of the pilot", "markdown": text})
    assert (view.kind, view.title, view.rest.text) == ("report", "", "")
    assert view.body.blocks[0].kind == "h2"
    assert evidence_of({"title": "Another", "markdown": text}).title == "Another"


def test_a_finding_leads_to_its_place_and_says_its_quotation_once() -> None:
    same = {**FINDING, "id": "F2", "quote": "It\nholds."}
    view = evidence_of({"findings": [FINDING, same], "answers": [ANSWER]})
    first, second = (answer.findings[0] for answer in view.answers)
    assert first.body.source_href == "/context/doc_1?version=2&start=10&end=25"
    assert (first.body.quote, second.body.quote) == ("It does hold.", "")
    assert first.place == "characters 10–25"
    assert second.place == "quoted in these words, characters 10–25"


def test_missing_words_are_written_as_the_question_has_them() -> None:
    asked = "How satisfied were couriers?"
    answer = {**ANSWER, "question": asked, "missing": ["satisfi", "courier", "else"]}
    (group,) = evidence_of({"findings": [FINDING], "answers": [answer]}).answers
    assert group.missing == "satisfied, couriers, else"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hidden": "x"}, {"id": "F1", "hidden": "x"}),
        ({"confidence": 7}, {"id": "F1", "confidence": 7}),
        ({"source": {**SOURCE, "note": "x"}}, {"id": "F1", "source": {**SOURCE, "note": "x"}}),
        ({"missing": "all"}, {"id": "F1", "missing": "all"}),
        ({"claim": "x" * 4_001}, {"id": "F1", "claim": "x" * 4_001}),
    ],
)
def test_what_the_viewer_of_findings_does_not_show_is_the_rest(
    change: dict[str, Any], expected: dict[str, Any]
) -> None:
    view = evidence_of({"findings": [{**FINDING, **change}], "answers": [ANSWER], "more": [1]})
    assert json.loads(view.rest.text) == {"more": [1], "findings": [expected]}


def test_an_answer_that_names_a_finding_nobody_made_is_shown_as_it_is() -> None:
    answer = {**ANSWER, "findingIds": ["F1", "F9"]}
    view = evidence_of({"findings": [FINDING], "answers": [answer]})
    assert json.loads(view.rest.text) == {"answers": [answer]}


def test_findings_beyond_the_limit_are_in_the_rest() -> None:
    many = [{**FINDING, "id": f"F{n}"} for n in range(MAX_FINDINGS + 2)]
    view = evidence_of({"findings": many})
    assert sum(len(one.findings) for one in view.answers) == MAX_FINDINGS
    assert json.loads(view.rest.text) == {"findings": many[MAX_FINDINGS:]}


def test_a_sentence_that_is_not_in_its_draft_is_the_rest() -> None:
    said = [{"text": "It holds.", "findingIds": ["F1"]}, {"text": "Pay me.", "findingIds": []}]
    one = {"name": "Brief", "text": "**It** holds. [F1]", "sentences": said}
    view = evidence_of({"variations": [one]})
    assert json.loads(view.rest.text) == {"variations": [{"name": "Brief", "sentences": said}]}


def test_more_variations_than_are_shown_are_the_rest() -> None:
    many = [{"name": str(n), "text": "x"} for n in range(MAX_VARIATIONS + 1)]
    view = evidence_of({"variations": many})
    assert view.body.note == ""
    assert json.loads(view.rest.text) == {"variations": many[MAX_VARIATIONS:]}


@pytest.mark.parametrize("text", ["x" * (MAX_MARKDOWN + 1), "a\n\n" * 2_000])
def test_a_report_that_is_cut_is_whole_in_the_rest(text: str) -> None:
    assert json.loads(evidence_of({"markdown": text}).rest.text) == {"markdown": text}


@pytest.mark.parametrize(
    "data",
    [
        None,
        "text",
        [FINDING],
        {},
        {"findings": []},
        {"findings": [{"claim": 5}]},
        {"findings": [FINDING, "no finding"]},
        {"variations": []},
        {"variations": [{"name": "x"}]},
        {"markdown": ""},
        {"markdown": 5},
    ],
)
def test_data_of_another_shape_stay_json(data: Any) -> None:
    assert evidence_of(data).kind == ""


def test_hidden_characters_are_written_out_everywhere() -> None:
    spoiled = {**FINDING, "id": "F\u202e1", "claim": "safe\u202e", "quote": "a\u200b"}
    view = evidence_of({"topic": "t\u2066", "findings": [spoiled], "method": "m\u202e"})
    (one,) = view.answers[0].findings
    assert (one.mark, one.body.claim, one.body.quote) == ("F⟨U+202E⟩1", "safe⟨U+202E⟩", "a⟨U+200B⟩")
    assert (view.title, view.method) == ("t⟨U+2066⟩", "m⟨U+202E⟩")
