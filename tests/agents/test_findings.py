from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from agent_console.agents.documents import Document, shipped
from agent_console.agents.drafts import Structure, Tone, drafts
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import Research, from_findings, research, together, without
from agent_console.agents.passages import sentences
from agent_console.agents.report import Section, report
from agent_console.agents.words import words

QUESTIONS = [
    "When does wave 2 start?",
    "How did overtime per courier change in the pilot?",
    "How satisfied were recipients?",
]


def found(*questions: str, limit: int = 8) -> Research:
    return research("Lantern", questions or QUESTIONS, shipped(), limit=limit)


def document(text: str) -> Document:
    return Document("doc_1", "Notes", 1, text)


def test_the_shipped_documents_are_a_set_one_can_work_on() -> None:
    assert len(shipped()) == 8
    assert sum(len(sentences(one)) for one in shipped()) > 80
    assert len({one.digest for one in shipped()}) == 8


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="aB1 .!?\n-#|*`>•é", max_size=300))
def test_a_sentence_is_exactly_what_stands_at_its_place(text: str) -> None:
    at = 0
    for one in sentences(document(text)):
        assert one.quote == text[one.start : one.end]
        assert one.quote == one.quote.strip()
        assert one.quote
        assert one.start >= at
        at = one.end


def test_markdown_is_read_as_people_read_it() -> None:
    text = (
        "# Plan\n\nIt begins on 3 March,\nat 5:00. Dr. Falk decides.\n\n```\nnot this.\n```\n"
        "\n- One item\n  goes on.\n- Another\n\n| Wave | Start |\n|---|---|\n| 1 | May |\n"
    )
    assert [(one.heading, one.claim) for one in sentences(document(text))] == [
        ("Plan", "It begins on 3 March, at 5:00."),
        ("Plan", "Dr. Falk decides."),
        ("Plan", "One item goes on."),
        ("Plan", "Another"),
        ("Plan", "Wave: 1, Start: May"),
    ]


def test_questions_are_answered_with_the_right_place() -> None:
    result = found()
    texts = {one.id: one.text for one in shipped()}
    best = [next(f for f in result.findings if f.id == a.finding_ids[0]) for a in result.answers]
    assert [one.source.document_id for one in best] == [
        "library:rollout-plan",
        "library:pilot-results",
        "library:customer-survey",
    ]
    assert "6 October 2025" in best[0].claim
    assert "5.1 to 3.8" in best[1].claim
    for one in result.findings:
        assert texts[one.source.document_id][one.source.start : one.source.end] == one.quote


def test_confidence_is_high_where_the_words_are_and_nothing_where_they_are_not() -> None:
    assert found().confidence > 0.7
    nothing = found("How do penguins swim?")
    assert nothing.confidence == 0
    assert nothing.findings == ()
    assert nothing.answers[0].missing == ("penguin", "swim")
    half = found("When does wave 2 start?", "How do penguins swim?")
    assert half.confidence == pytest.approx(
        found("When does wave 2 start?").confidence / 2, abs=0.001
    )
    little = found("The pilot in Antarctica with penguins")
    assert 0 < little.confidence < 0.2


def test_one_word_proves_less_than_several() -> None:
    assert found("Overtime").confidence <= 0.6 < found(QUESTIONS[1]).confidence


def test_the_limit_is_shared_among_the_questions() -> None:
    result = found(limit=3)
    assert len(result.findings) == 3
    assert all(answer.finding_ids for answer in result.answers)


def test_no_words_and_no_documents_end_well() -> None:
    for empty in (research("", [""], shipped()), research("a", ["who?"], [document("")])):
        assert empty.findings == ()
        assert empty.confidence == 0


def test_words_are_compared_without_their_endings() -> None:
    assert words("The planned waves, planning a wave") == ["plan", "wav", "plan", "wav"]
    assert words("5.1 hours on 17 June") == ["5.1", "hour", "17", "jun"]


def test_every_structure_differs_and_every_sentence_rests_on_a_finding() -> None:
    result = found()
    by_id = {one.id: one for one in result.findings}
    made = drafts("Lantern", result, tone=Tone.PLAIN, variations=5)
    assert [one.structure for one in made] == [s for s in Structure if s is not Structure.WRITTEN]
    assert len({one.text for one in made}) == 5
    for draft in made:
        assert draft.sentences
        for sentence in draft.sentences:
            (rests_on,) = sentence.finding_ids
            assert sentence.text == by_id[rests_on].claim


@pytest.mark.parametrize("tone", [Tone.FORMAL, Tone.CONVERSATIONAL])
def test_a_tone_introduces_the_source_and_keeps_the_statement(tone: Tone) -> None:
    result = found()
    by_id = {one.id: one for one in result.findings}
    (draft,) = drafts("Lantern", result, tone=tone, variations=1)
    for sentence in draft.sentences:
        finding = by_id[sentence.finding_ids[0]]
        assert sentence.text.endswith(f": {finding.claim}")
        assert finding.source.title in sentence.text


def test_few_findings_carry_few_structures_and_none_carries_none() -> None:
    one = research("t", ["Who owns the product?"], [document("Mira owns the product.")])
    made = drafts("T", one, tone=Tone.PLAIN, variations=5)
    assert [draft.structure for draft in made] == [Structure.BRIEF]
    assert drafts("T", found("penguins"), tone=Tone.PLAIN, variations=3) == []


def test_a_report_says_what_was_not_found_and_what_was_read() -> None:
    text = report("State", found(QUESTIONS[0], "How do penguins swim?"), list(Section))
    assert "1 of 2 questions answered" in text
    assert "How do penguins swim? The documents that were searched do not answer this." in text
    assert all(one.digest[:12] in text for one in shipped())
    assert report("S", found(), [Section.GAPS]).count("## ") == 1


def test_what_a_document_says_stays_text_in_a_report() -> None:
    evil = "Wave [link](javascript:alert) <script>x</script> ![i](http://e.x/p.png) **starts** now."
    result = research("t", ["When does the wave start?"], [document(evil)])
    text = report("# [a](b)", result, list(Section))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert result.findings
    assert "<script" not in html
    assert "<a " not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_feedback_drops_findings_and_asks_on() -> None:
    shown = found().findings
    wishes = Wishes().after("Please drop F1 and F3. What do devices cost?", shown)
    assert wishes.round == 2
    assert wishes.without == {
        (one.source.document_id, one.source.start) for one in shown if one.id in {"F1", "F3"}
    }
    assert wishes.questions == ("Please . What do devices cost?",)
    assert Wishes().after("without F2", shown).questions == ()
    assert Wishes().after("More on training", shown).without == frozenset()


def test_rounds_are_put_together_without_losing_a_name() -> None:
    first, more = found(QUESTIONS[0]), found(QUESTIONS[2])
    both = together(first, more)
    ids = [one.id for one in both.findings]
    assert ids == [f"F{n}" for n in range(1, len(ids) + 1)]
    assert len(both.answers) == 2
    place = (both.findings[0].source.document_id, both.findings[0].source.start)
    assert [one.id for one in without(both, {place}).findings] == ids[1:]
    everything = {(f.source.document_id, f.source.start) for f in both.findings}
    assert without(both, everything).confidence == 0


def test_findings_that_are_handed_over_become_research_again() -> None:
    result = found()
    again = from_findings("Lantern", result.findings, result.documents)
    assert again.findings == result.findings
    assert [one.question for one in again.answers] == QUESTIONS


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("It holds.", "It holds."),
        ("two\n  lines", "two lines"),
        ("word " * 60, "word " * 28 + "word…"),
        ("x" * 300, "x" * 149 + "…"),
    ],
)
def test_a_finding_is_called_by_its_claim(claim: str, name: str) -> None:
    one = found().findings[0].model_copy(update={"claim": claim})
    assert one.name == name
    assert len(one.name) <= 150
