"""Artifacts as view models: by type where the content keeps the type's promise, else as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.clock import SystemClock
from agent_console.domain.records import Artifact, ArtifactType
from agent_console.services.markdown_blocks import MAX_BLOCKS, BlockView, SpanView, blocks
from agent_console.ui import artifact_views
from agent_console.ui.artifact_views import artifact_body, artifact_facts
from agent_console.ui.components import review_build
from tests.ui.test_desk_views import detail

SOURCE = {"documentId": "doc_1", "version": 2, "title": "Minutes", "start": 10, "end": 25}
FINDING = {"claim": "It holds.", "quote": "It does hold.", "source": SOURCE, "confidence": 0.82}


def made(kind: ArtifactType, content: Any, media_type: str = "application/json") -> Artifact:
    """Return an artifact; content that is no text is written as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Artifact(
        id="art_1",
        job_id="job_1",
        name="one",
        artifact_type=kind,
        media_type=media_type,
        content=text,
        size=len(text.encode()),
        digest="d" * 64,
        metadata={},
        created_at=SystemClock().now(),
    )


def test_a_finding_shows_claim_quote_confidence_and_leads_to_its_place() -> None:
    body = artifact_body(made(ArtifactType.RESEARCH_FINDING, FINDING))
    assert (body.kind, body.claim, body.quote) == ("finding", "It holds.", "It does hold.")
    assert (body.confidence, body.confidence_word, body.confidence_tone) == (82, "high", "green")
    assert body.source == "Minutes, version 2"
    assert body.source_href == "/context/doc_1?version=2&start=10&end=25"


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.74, (74, "medium", "amber")),
        (0.49, (49, "low", "red")),
        (1, (100, "high", "green")),
        (1.5, (-1, "", "gray")),
        (True, (-1, "", "gray")),
        ("0.9", (-1, "", "gray")),
        (None, (-1, "", "gray")),
    ],
)
def test_confidence_is_said_only_where_it_is_one(confidence: Any, expected: Any) -> None:
    body = artifact_body(made(ArtifactType.RESEARCH_FINDING, {**FINDING, "confidence": confidence}))
    assert (body.confidence, body.confidence_word, body.confidence_tone) == expected


@pytest.mark.parametrize("document", ["../../etc", "https://x.example", "a b", "", None, 5, "dóc"])
def test_a_source_that_is_no_document_is_not_linked(document: Any) -> None:
    source = {**SOURCE, "documentId": document}
    body = artifact_body(made(ArtifactType.RESEARCH_FINDING, {**FINDING, "source": source}))
    assert (body.source, body.source_href) == ("Minutes", "")


def test_a_draft_shows_its_variations_beside_each_other() -> None:
    entries = [{"name": "Plain", "text": "One **two**"}, {"text": "x"}, "no variation"]
    body = artifact_body(made(ArtifactType.CONTENT_DRAFT, {"title": "News", "variations": entries}))
    assert (body.kind, body.title, body.note) == ("draft", "News", "")
    assert [one.name for one in body.variations] == ["Plain", "Variation 2"]
    assert body.variations[0].blocks[0].spans[1] == SpanView("2", "two", "strong")
    assert body.variations[0].text == "One **two**"
    many = {"variations": [{"text": "x"}] * 9}
    body = artifact_body(made(ArtifactType.CONTENT_DRAFT, many))
    assert len(body.variations) == artifact_views.MAX_VARIATIONS
    assert "of 9 variations" in body.note


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        (ArtifactType.RESEARCH_FINDING, {"claims": []}, "json"),
        (ArtifactType.RESEARCH_FINDING, "no JSON", "text"),
        (ArtifactType.CONTENT_DRAFT, ["a"], "json"),
        (ArtifactType.CONTENT_DRAFT, "[" * 100_000, "text"),
        (ArtifactType.GENERIC_OUTPUT, {"a": 1}, "json"),
        (ArtifactType.GENERIC_OUTPUT, "plain words", "text"),
        (ArtifactType.REPORT, "# Title", "report"),
    ],
)
def test_what_breaks_its_promise_is_shown_as_what_it_is(
    kind: ArtifactType, content: Any, expected: str
) -> None:
    assert artifact_body(made(kind, content)).kind == expected


def test_a_file_is_text_json_files_and_markdown_files_are_more() -> None:
    file = made(ArtifactType.FILE, '{"a": 1}', "text/plain")
    assert artifact_body(file).text == '{"a": 1}'
    assert artifact_body(replace(file, media_type="application/json")).kind == "json"
    assert artifact_body(replace(file, media_type="text/markdown")).kind == "report"


def test_hidden_characters_are_shown_and_long_texts_are_cut() -> None:
    text = "a\u202eb" + "x" * artifact_views.MAX_TEXT
    body = artifact_body(made(ArtifactType.FILE, text, "text/plain"))
    assert "⟨U+202E⟩" in body.text
    assert "download" in body.note
    assert artifact_facts(made(ArtifactType.FILE, text, "text/plain")).raw == ""
    assert artifact_facts(made(ArtifactType.FILE, "short", "text/plain")).raw == "short"


def test_a_review_card_leads_to_the_artifacts_of_its_job() -> None:
    card = review_build.context(detail(artifacts=[made(ArtifactType.REPORT, "# Title")]))
    assert [one.href for one in card.artifacts] == ["/artifacts/art_1"]


def words(found: list[BlockView]) -> list[tuple[str, str]]:
    return [(one.kind, one.text or "".join(s.text for s in one.spans)) for one in found]


def test_markdown_becomes_blocks() -> None:
    text = "# A\n\n### B\n\np *em* `c`\n\n> q\n\n---\n\n```py\nx = 1\n```\n\nlast\nline"
    assert words(blocks(text)) == [
        ("h2", "A"), ("h4", "B"), ("text", "p em c"), ("quote", "q"), ("rule", ""),
        ("code", "x = 1"), ("text", "last line"),
    ]  # fmt: skip
    assert [one.style for one in blocks("**a *b***")[0].spans] == ["strong", "strong em"]


def test_lists_keep_their_numbers_and_depths() -> None:
    (found,) = blocks("3. one\n4. two\n   - in\n\n     more\n5. three")
    shown = [(p.marker, p.depth, "".join(s.text for s in p.spans)) for p in found.points]
    assert shown == [
        ("3.", 1, "one"), ("4.", 1, "two"), ("•", 2, "in"), ("", 2, "more"), ("5.", 1, "three"),
    ]  # fmt: skip


def test_tables_keep_their_cells() -> None:
    (table,) = blocks("| a | b |\n|---|---|\n| 1 | **2** |\n| 3 | |")
    assert [cell.spans[0].text for cell in table.head] == ["a", "b"]
    assert [[len(cell.spans) for cell in line.cells] for line in table.lines] == [[1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://example.org/a", ("https://example.org/a", True)),
        ("/jobs/job_1", ("/jobs/job_1", False)),
        ("/artifacts/../api/x", ("", False)),
        ("/api/agent-jobs", ("", False)),
        ("//evil.example", ("", False)),
        ("javascript:alert(1)", ("", False)),
        ("data:text/html,x", ("", False)),
        ("http:///path", ("", False)),
        ("mailto:a@example.org", ("", False)),
    ],
)
def test_links_go_to_the_web_or_to_a_page_and_nowhere_else(
    href: str, expected: tuple[str, bool]
) -> None:
    spans = blocks(f"[x](<{href}>)")[0].spans
    assert {(span.href, span.outside) for span in spans} == {expected}


def test_html_and_images_stay_words() -> None:
    found = words(blocks("<script>alert(1)</script>\n\na <b>b</b> ![pic](https://x.example/p.png)"))
    assert found == [
        ("text", "<script>alert(1)</script>"),
        ("text", "a <b>b</b> [image: pic]"),
    ]


def test_endless_markdown_ends() -> None:
    assert len(blocks("a\n\n" * (MAX_BLOCKS + 50))) == MAX_BLOCKS
    assert words(blocks(">" * 5000 + "x")) == [("code", ">" * 5000 + "x")]
