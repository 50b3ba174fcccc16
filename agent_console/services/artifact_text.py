"""Artifacts as text: Markdown to take away or to print, and a form in which versions compare."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from agent_console.domain.jobs import Json
from agent_console.domain.records import Artifact, ArtifactType

_SPECIAL = re.compile(r"([\\`*_\[\]<>])")


def markdown_of(artifact: Artifact) -> str | None:
    """Return the artifact as Markdown; None for what is none: JSON, and files of other kinds."""
    if artifact.artifact_type is ArtifactType.REPORT or "markdown" in artifact.media_type:
        return artifact.content
    data = json_of(artifact)
    if not isinstance(data, dict):
        return None
    if artifact.artifact_type is ArtifactType.RESEARCH_FINDING and _text(data, "claim"):
        return _finding(data)
    if artifact.artifact_type is ArtifactType.CONTENT_DRAFT:
        return _draft(data)
    return None


def has_markdown(artifact: Artifact) -> bool:
    """Say whether the artifact can be had as Markdown and as PDF."""
    return markdown_of(artifact) is not None


def comparable(artifact: Artifact) -> str:
    """Return the text by which two versions are compared: a line for each thing that differs."""
    text = markdown_of(artifact)
    if text is not None:
        return text
    data = json_of(artifact)
    if isinstance(data, dict | list):
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    return artifact.content


def json_of(artifact: Artifact) -> Json:
    """Return the artifact's JSON; None where it holds none, and for files that are not JSON."""
    if artifact.artifact_type is ArtifactType.FILE and "json" not in artifact.media_type:
        return None  # a file is shown as it is
    try:
        value: Json = json.loads(artifact.content)
    except (ValueError, RecursionError):
        return None
    return value


def _finding(data: Mapping[str, Json]) -> str:
    parts = [f"# {_literal(_text(data, 'claim'))}"]
    if quote := _text(data, "quote"):
        parts.append("\n".join(f"> {_literal(line)}" for line in quote.splitlines()))
    parts += [line for line in (_source(data.get("source")), _confidence(data)) if line]
    return "\n\n".join(parts) + "\n"


def _source(source: Json) -> str:
    if not isinstance(source, dict):
        return ""
    named = _literal(_text(source, "title") or _text(source, "documentId"))
    known = [
        f"{word} {source[name]}"
        for name, word in (("version", "version"), ("start", "characters"), ("end", "to"))
        if isinstance(source.get(name), int)
    ]
    return ", ".join(["Source: " + named, *known]).replace(", to ", " to ") if named else ""


def _confidence(data: Mapping[str, Json]) -> str:
    value = data.get("confidence")
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return f"Confidence: {value}" if known else ""


def _draft(data: Mapping[str, Json]) -> str | None:
    entries = data.get("variations")
    found = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    if not found:
        return None
    parts = [f"# {_literal(_text(data, 'title'))}"] if _text(data, "title") else []
    for number, one in enumerate(found, 1):
        name = _text(one, "name") or f"Variation {number}"
        parts += [f"## {_literal(name)}", _text(one, "text").strip()]
    return "\n\n".join(parts) + "\n"


def _text(data: Mapping[str, Json], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _literal(text: str) -> str:
    """Return ``text`` on one line, with nothing in it that Markdown would take for a sign."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
