"""The documents an agent works from: those it was given, else the shipped set."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources

LIBRARY = "agent_console.agents.library"
SHIPPED_AT = datetime(2026, 11, 21, tzinfo=UTC)  # since when the set is as it is
_HEADING = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its name; ``version`` counts from 1."""

    id: str
    title: str
    version: int
    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def shipped() -> tuple[Document, ...]:
    """Return the documents that come with the console, by id."""
    files = (f for f in resources.files(LIBRARY).iterdir() if f.name.endswith(".md"))
    return tuple(
        Document(f"library:{file.name.removesuffix('.md')}", title_of(text) or file.name, 1, text)
        for file in sorted(files, key=lambda file: file.name)
        for text in [file.read_text("utf-8")]
    )


def title_of(text: str) -> str:
    """Return the first heading of a Markdown text, or nothing."""
    found = _HEADING.search(text)
    return found.group(1) if found else ""


def digest_of(documents: Sequence[Document]) -> str:
    """Return one SHA-256 over ids, versions and texts, in order."""
    lines = (f"{one.id}\n{one.version}\n{one.digest}\n" for one in documents)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
