"""Artifacts as Markdown and as PDF: all of the text, nothing fetched, nothing run."""

from __future__ import annotations

import io
import json
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from agent_console.domain.errors import Invalid, Unavailable
from agent_console.domain.records import Artifact, ArtifactType
from agent_console.services import pdf
from agent_console.services.artifact_text import comparable, has_markdown
from agent_console.services.downloads import Format, download

AT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
REPORT = """# Readiness

Twelve of *seventeen* are **ready**, `make check` says; Größe ≥ 3, Ελληνικά, Кириллица.

> Quoted words

- first
  - nested

| Risk | Owner |
|---|---|
| Restore | Operations |

```py
print("x")
```

![a picture](http://127.0.0.1:9/p.png) <script>alert(1)</script> [site](https://example.org/a)
"""
FINDING = {
    "claim": "It *holds*.",
    "quote": "It does\nhold.",
    "confidence": 0.82,
    "source": {"documentId": "doc_1", "title": "Minutes", "version": 2, "start": 10, "end": 25},
}


def made(content: Any, kind: ArtifactType = ArtifactType.REPORT, **facts: Any) -> Artifact:
    """Return an artifact; content that is no text is written as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    values: dict[str, Any] = {
        "id": "art_1",
        "job_id": "job_1",
        "name": "Readiness: a/b",
        "artifact_type": kind,
        "media_type": "application/json" if text is not content else "text/markdown",
        "content": text,
        "size": len(text.encode()),
        "digest": "d" * 64,
        "metadata": {},
        "created_at": AT,
    }
    return Artifact(**values | facts)


def read(artifact: Artifact) -> tuple[str, PdfReader]:
    """Return the words of the PDF of ``artifact``, parted by single spaces, and its reader."""
    file = download(artifact, Format.PDF)
    assert (file.media_type, file.content[:5]) == ("application/pdf", b"%PDF-")
    reader = PdfReader(io.BytesIO(file.content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split()), reader


def test_a_pdf_holds_the_whole_report_and_says_where_it_comes_from() -> None:
    text, reader = read(made(REPORT))
    for part in (
        "Twelve of seventeen are ready, make check says; Größe ≥ 3, Ελληνικά, Кириллица.",
        "Quoted words", "first", "nested", "Risk Owner Restore Operations", 'print("x")',
        "[image: a picture] <script>alert(1)</script> site",
        "04 Mar 2026 05:06 UTC · job job_1 · SHA-256 dddddddddddddddd", "1 / 1",
    ):  # fmt: skip
        assert part in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Readiness: a/b"
    notes = reader.pages[0].get("/Annots") or []
    assert [one.get_object()["/A"]["/URI"] for one in notes] == ["https://example.org/a"]


def test_the_same_report_gives_the_same_file() -> None:
    assert download(made(REPORT), Format.PDF) == download(made(REPORT), Format.PDF)


def test_making_a_pdf_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    html = '<img src="http://127.0.0.1:9/a.png"> ![b](file:///etc/passwd) ![c](http://127.0.0.1:9/)'
    text, _ = read(made(html))
    assert "[image: c]" in text


def test_what_the_fonts_lack_is_written_as_codes_and_said() -> None:
    text, _ = read(made("漢字 and \u202e hidden"))
    assert "[U+6F22][U+5B57] and ⟨U+202E⟩ hidden" in text
    assert "2 characters have no shape" in text


def test_a_long_text_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_MARKDOWN", 10)
    assert "The text goes on" in read(made("words and words"))[0]
    assert "The text goes on" not in read(made("words"))[0]


def test_wide_tables_and_long_words_fit() -> None:
    wide = "|" + "h|" * 12 + "\n|" + "---|" * 12 + "\n|" + "cell|" * 12
    long = "x" * 3_000
    text, _ = read(made(f"{wide}\n\n| a |\n|---|\n| {long} |\n\n{long}"))
    assert text.count("h: cell") == 12
    assert text.replace(" ", "").count("x") >= 6_000


def test_a_pdf_waits_its_turn_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PATIENCE", 0.01)
    with pdf._one_at_a_time, pytest.raises(Unavailable):
        download(made("x"), Format.PDF)
    assert download(made("x"), Format.PDF).content


def test_findings_and_drafts_become_markdown() -> None:
    finding = download(made(FINDING, ArtifactType.RESEARCH_FINDING), Format.MARKDOWN)
    assert finding.content.decode() == (
        "# It \\*holds\\*.\n\n> It does\n> hold.\n\n"
        "Source: Minutes, version 2, characters 10 to 25\n\nConfidence: 0.82\n"
    )
    draft = {"title": "News", "variations": [{"name": "Plain", "text": "**One**"}, {"text": "x"}]}
    file = download(made(draft, ArtifactType.CONTENT_DRAFT), Format.MARKDOWN)
    assert file.content.decode() == "# News\n\n## Plain\n\n**One**\n\n## Variation 2\n\nx\n"
    assert "It *holds*." in read(made(FINDING, ArtifactType.RESEARCH_FINDING))[0]


@pytest.mark.parametrize(
    ("name", "kind", "form", "expected"),
    [
        ("Readiness: a/b", ArtifactType.REPORT, None, "Readiness: a-b.md"),
        ("plan.md", ArtifactType.REPORT, None, "plan.md"),
        ("Readiness: a/b", ArtifactType.REPORT, Format.MARKDOWN, "Readiness: a-b.md"),
        ("docs/plan.md", ArtifactType.FILE, None, "plan.md"),
        ("docs/plan.md", ArtifactType.FILE, Format.MARKDOWN, "plan.md"),
        ("docs\\plan.md", ArtifactType.FILE, Format.PDF, "plan.pdf"),
        ("..", ArtifactType.REPORT, Format.PDF, "artifact.pdf"),
        ("n" * 500, ArtifactType.REPORT, Format.PDF, "n" * 120 + ".pdf"),
    ],
)
def test_a_file_has_a_name_that_fits(
    name: str, kind: ArtifactType, form: Format | None, expected: str
) -> None:
    assert download(made("x", kind, name=name), form).name == expected


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        ({"a": 1}, ArtifactType.GENERIC_OUTPUT, "application/json"),
        ("x = 1", ArtifactType.FILE, "text/x-python"),
        ({"claims": 1}, ArtifactType.RESEARCH_FINDING, "application/json"),
        ({"variations": "none"}, ArtifactType.CONTENT_DRAFT, "application/json"),
        ("[1]", ArtifactType.CONTENT_DRAFT, "application/json"),
    ],
)
def test_what_is_no_text_is_only_had_as_it_is(
    content: Any, kind: ArtifactType, media_type: str
) -> None:
    artifact = made(content, kind, media_type=media_type)
    assert not has_markdown(artifact)
    assert download(artifact, None).content.decode() == artifact.content
    with pytest.raises(Invalid, match="format"):
        download(artifact, Format.PDF)


def test_versions_compare_line_by_line() -> None:
    assert comparable(made(REPORT)) == REPORT
    assert (
        comparable(made({"b": [1]}, ArtifactType.GENERIC_OUTPUT)) == '{\n  "b": [\n    1\n  ]\n}\n'
    )
    assert comparable(made("x = 1", ArtifactType.FILE, media_type="text/plain")) == "x = 1"
