"""Artifacts as files to take away: as they are, as Markdown, or as PDF."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent_console.domain.errors import Invalid
from agent_console.domain.records import Artifact, ArtifactType
from agent_console.services.artifact_text import markdown_of
from agent_console.services.pdf import Imprint, pdf_of

MAX_NAME = 120  # characters of a file's name, its ending left out
_ENDINGS = {"text/markdown": ".md", "application/json": ".json", "text/plain": ".txt"}
_BINARY = "application/octet-stream"  # no browser runs it or shows it as a page


class Format(StrEnum):
    """What an artifact can be turned into."""

    MARKDOWN = "markdown"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Download:
    """A file: its name, its media type and its bytes."""

    name: str
    media_type: str
    content: bytes


def download(artifact: Artifact, form: Format | None) -> Download:
    """Return ``artifact`` in ``form``; None: as it is.

    Raises:
        Invalid: it is JSON, or a file that is not Markdown, and has no such form.
        Unavailable: other PDFs are being made; try again.
    """
    if form is None:
        return Download(_with_ending(artifact), _BINARY, artifact.content.encode())
    text = markdown_of(artifact)
    if text is None:
        message = "only reports, findings, drafts and Markdown files can be had in another format."
        raise Invalid.field("format", message)
    stem = _name(artifact).removesuffix(".md")
    if form is Format.MARKDOWN:
        return Download(f"{stem}.md", _BINARY, text.encode())
    made = f"{artifact.created_at:%d %b %Y %H:%M} UTC"
    imprint = Imprint(
        name=artifact.name,
        origin=f"{made} · job {artifact.job_id} · SHA-256 {artifact.digest[:16]}",
        at=artifact.created_at,
    )
    return Download(f"{stem}.pdf", "application/pdf", pdf_of(text, imprint))


def _with_ending(artifact: Artifact) -> str:
    """Return the name, with an ending where it is the title of something and not a path."""
    name = _name(artifact)
    if artifact.artifact_type is ArtifactType.FILE:
        return name
    ending = _ENDINGS.get(artifact.media_type, "")
    return name if name.endswith(ending) else name + ending


def _name(artifact: Artifact) -> str:
    """Return the last part of a file's path; other names are no paths."""
    name = artifact.name.replace("\\", "/")
    if artifact.artifact_type is ArtifactType.FILE:
        name = name.rsplit("/", 1)[-1]
    return name.replace("/", "-").strip(". ")[:MAX_NAME].rstrip(". ") or "artifact"
