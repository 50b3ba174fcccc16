"""What an artifact looks like, by its type: pure functions from its content, no Reflex.

Content that is not what its type promises is shown as what it is: JSON as a tree, text as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from agent_console.domain.jobs import Json
from agent_console.domain.records import Artifact, ArtifactType
from agent_console.domain.visible import reveal
from agent_console.services.artifact_text import has_markdown, json_of
from agent_console.services.markdown_blocks import MAX_MARKDOWN, BlockView, blocks
from agent_console.ui.components.json_models import JsonView
from agent_console.ui.components.review_json import json_document
from agent_console.ui.job_views import size_text
from agent_console.ui.views import iso, shown

_DOCUMENT = re.compile(r"\w{1,200}|library:[a-z0-9-]{1,100}", re.ASCII)  # ids there are pages of
MAX_TEXT = 100_000  # characters of a text that are shown
MAX_VARIATIONS = 6
SURE, UNSURE = 75, 50  # percent: from here up "high", below that "low"
ICONS = {
    ArtifactType.RESEARCH_FINDING: "quote",
    ArtifactType.CONTENT_DRAFT: "pen_line",
    ArtifactType.REPORT: "file_chart_column",
    ArtifactType.GENERIC_OUTPUT: "braces",
    ArtifactType.FILE: "file_text",
}
WORDS = {
    ArtifactType.RESEARCH_FINDING: "Finding",
    ArtifactType.CONTENT_DRAFT: "Draft",
    ArtifactType.REPORT: "Report",
    ArtifactType.GENERIC_OUTPUT: "Output",
    ArtifactType.FILE: "File",
}
PLURALS = {
    ArtifactType.RESEARCH_FINDING: "Findings",
    ArtifactType.CONTENT_DRAFT: "Drafts",
    ArtifactType.REPORT: "Reports",
    ArtifactType.GENERIC_OUTPUT: "Outputs",
    ArtifactType.FILE: "Files",
}


@dataclass(frozen=True, slots=True)
class VariationView:
    """One of several versions of a draft; ``facts`` is what it says of itself."""

    key: str
    name: str
    blocks: list[BlockView]
    text: str
    size: str
    facts: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactBody:
    """The content of an artifact. ``kind`` is finding, draft, report, json or text.

    ``confidence`` is percent, -1 when nobody said; ``source_href`` leads to the quoted place.
    """

    kind: str = ""
    claim: str = ""
    quote: str = ""
    confidence: int = -1
    confidence_word: str = ""
    confidence_tone: str = "gray"
    source: str = ""
    source_href: str = ""
    title: str = ""
    variations: list[VariationView] = field(default_factory=list)
    blocks: list[BlockView] = field(default_factory=list)
    document: JsonView = field(default_factory=JsonView)
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactFacts:
    """An artifact and where it comes from; ``raw`` is what the copy button copies.

    ``markdown`` and ``pdf`` are addresses, empty where there is no such form; ``original`` says
    that the content as it is, is another one; ``file_name`` is that of the downloads.
    """

    id: str = ""
    name: str = ""
    kind: str = ""
    icon: str = ""
    media_type: str = ""
    size: str = ""
    digest: str = ""
    job_id: str = ""
    job_href: str = ""
    download: str = ""
    created_at: str = ""
    raw: str = ""
    markdown: str = ""
    pdf: str = ""
    original: bool = True
    file_name: str = ""


def artifact_facts(artifact: Artifact) -> ArtifactFacts:
    """Return what is said beside the content of ``artifact``."""
    download = f"/api/artifacts/{artifact.id}/download"
    written, kind, file = has_markdown(artifact), artifact.artifact_type, ArtifactType.FILE
    return ArtifactFacts(
        id=artifact.id,
        name=shown(artifact.name, 200),
        kind=artifact.artifact_type.value,
        icon=ICONS[artifact.artifact_type],
        media_type=shown(artifact.media_type, 100),
        size=size_text(artifact.size),
        digest=artifact.digest,
        job_id=artifact.job_id,
        job_href=f"/jobs/{artifact.job_id}",
        download=download,
        created_at=iso(artifact.created_at),
        raw=artifact.content if len(artifact.content) <= MAX_TEXT else "",
        markdown=f"{download}?format=markdown" if written and kind is not file else "",
        pdf=f"{download}?format=pdf" if written else "",
        original=kind is not ArtifactType.REPORT,
        file_name=shown(artifact.name.rsplit("/", 1)[-1], 100),
    )


def artifact_body(artifact: Artifact) -> ArtifactBody:
    """Return the content of ``artifact`` for its viewer."""
    kind = artifact.artifact_type
    if kind is ArtifactType.REPORT or "markdown" in artifact.media_type:
        return report_body(artifact.content)
    data = json_of(artifact)
    if isinstance(data, dict):
        if kind is ArtifactType.RESEARCH_FINDING and isinstance(data.get("claim"), str):
            return finding_body(data)
        if kind is ArtifactType.CONTENT_DRAFT and isinstance(data.get("variations"), list):
            return draft_body(data)
    if isinstance(data, dict | list):
        return ArtifactBody("json", document=json_document(data))
    return _text(artifact.content)


def _text(content: str) -> ArtifactBody:
    cut = content[:MAX_TEXT]
    note = _cut_note(MAX_TEXT) if len(content) > MAX_TEXT else ""
    return ArtifactBody("text", text=reveal(cut).text, note=note)


def _cut_note(limit: int) -> str:
    return f"The first {limit:,} characters; the download has all."


def report_body(content: str) -> ArtifactBody:
    """Return ``content``, a report in Markdown, for its viewer."""
    note = _cut_note(MAX_MARKDOWN) if len(content) > MAX_MARKDOWN else ""
    return ArtifactBody("report", blocks=blocks(content), note=note)


def finding_body(data: Mapping[str, Json]) -> ArtifactBody:
    """Return ``data``, a finding with a claim, for its viewer."""
    percent = percent_of(data.get("confidence"))
    source = data.get("source")
    title, href = source_link(source) if isinstance(source, dict) else ("", "")
    word, tone = confidence_word(percent)
    return ArtifactBody(
        "finding",
        claim=shown(_words(data.get("claim")), 4_000),
        quote=shown(_words(data.get("quote")), 8_000),
        confidence=percent,
        confidence_word=word,
        confidence_tone=tone,
        source=title,
        source_href=href,
    )


def confidence_word(percent: int) -> tuple[str, str]:
    """Return the word and the colour of a confidence; empty and grey for -1."""
    if percent < 0:
        return "", "gray"
    if percent >= SURE:
        return "high", "green"
    return ("low", "red") if percent < UNSURE else ("medium", "amber")


def percent_of(value: Json) -> int:
    """Return a confidence from 0 to 1 as percent; -1 for anything else."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(100 * value) if number and 0 <= value <= 1 else -1  # type: ignore[operator,arg-type]


def source_link(source: Mapping[str, Json]) -> tuple[str, str]:
    """Return the name of the source, and the address of the quoted place in it."""
    title = shown(_words(source.get("title")), 200)
    document, version = source.get("documentId"), source.get("version")
    if not isinstance(document, str) or not _DOCUMENT.fullmatch(document):
        return title, ""
    place = {name: _whole(source.get(name)) for name in ("start", "end")}
    query = {"version": _whole(version), **place}
    known = {name: value for name, value in query.items() if value >= 0}
    named = f"{title or document}, version {version}" if query["version"] >= 0 else title
    return named, f"/context/{document}" + (f"?{urlencode(known)}" if known else "")


def _whole(value: Json) -> int:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if fits else -1  # type: ignore[return-value]


def _words(value: Json) -> str:
    return value if isinstance(value, str) else ""


def draft_body(data: Mapping[str, Json]) -> ArtifactBody:
    """Return ``data``, a draft with its variations, for its viewer."""
    entries = data.get("variations")
    found = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    made = []
    for number, one in enumerate(found[:MAX_VARIATIONS]):
        text = _words(one.get("text"))
        made.append(
            VariationView(
                key=str(number),
                name=shown(_words(one.get("name")), 100) or f"Variation {number + 1}",
                blocks=blocks(text),
                text=text,
                size=f"{len(text.split()):,} words",
                facts=_variation_facts(one),
            )
        )
    more = f"{MAX_VARIATIONS} of {len(found)} variations; the download has all."
    return ArtifactBody(
        "draft",
        title=shown(_words(data.get("title")), 300),
        variations=made,
        note=more if len(found) > MAX_VARIATIONS else "",
    )


def _variation_facts(variation: Mapping[str, Json]) -> str:
    """Return structure, confidence and the findings that a variation rests on, in words."""
    percent, structure = percent_of(variation.get("confidence")), variation.get("structure")
    sentences = variation.get("sentences")
    marks = [
        mark
        for one in (sentences if isinstance(sentences, list) else [])
        for mark in (one.get("findingIds") if isinstance(one, dict) else None) or []  # type: ignore[union-attr]
        if isinstance(mark, str)
    ]
    parts = [
        f"structure {structure.replace('_', ' ')}" if isinstance(structure, str) else "",
        f"confidence {percent} %" if percent >= 0 else "",
        f"rests on {', '.join(dict.fromkeys(marks))}" if marks else "",
    ]
    return shown(", ".join(filter(None, parts)), 500)
