"""The context a job was given: documents pinned to a version, searched without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent_console.domain.context import Passage
from agent_console.domain.errors import Invalid, NotFound

PASSAGE = 800  # characters a passage has at least, if its document goes on
_PARAGRAPH = re.compile(r"\S.*?(?=\n[ \t]*\n|\Z)", re.DOTALL)
_WORD = re.compile(r"\w+")
_STOPWORDS = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have",
        "how", "if", "in", "into", "is", "it", "its", "my", "not", "of", "on", "or", "our",
        "so", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was",
        "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "you",
        "your",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextText:
    """One version of a context document with its text; ``digest`` is the SHA-256 of ``content``."""

    id: str
    version: int
    title: str
    media_type: str
    digest: str
    content: str


class ContextLibrary:
    """The documents of a job as they were when it first looked at them.

    Everything is in memory and says the same in every run; wrap a search in a step only to have
    it among the recorded calls.
    """

    def __init__(self, documents: Sequence[ContextText], digest: str) -> None:
        """Offer ``documents``; ``digest`` is that of the whole envelope."""
        self.documents: tuple[ContextText, ...] = tuple(documents)
        self.digest = digest

    def get(self, document_id: str) -> ContextText:
        """Return a document of this job.

        Raises:
            NotFound: it is not among them.
        """
        for document in self.documents:
            if document.id == document_id:
                return document
        raise NotFound(f"The context of this job has no document {document_id}.")

    def passages(self) -> list[Passage]:
        """Return all documents in passages of whole paragraphs, in order, with score 0."""
        return [passage for document in self.documents for passage in _passages(document)]

    def search(self, query: str, limit: int = 5) -> list[Passage]:
        """Return up to ``limit`` passages that fit ``query`` (BM25), best first.

        Passages without any of its words are left out, so the list may be shorter, or empty.

        Raises:
            Invalid: ``limit`` is below 1.
        """
        if limit < 1:
            raise Invalid.field("limit", "must be at least 1")
        return self._index.search(query, limit)

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.passages())


class _Index:
    """A BM25 index over passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        words = [_words(f"{p.title}\n{p.text}") for p in passages]
        self._bm25: Any = None
        if any(words):
            import bm25s  # noqa: PLC0415 - brings NumPy, which only a search needs

            self._bm25 = bm25s.BM25()
            self._bm25.index(words, show_progress=False)

    def search(self, query: str, limit: int) -> list[Passage]:
        asked = list(dict.fromkeys(_words(query)))
        if self._bm25 is None or not asked:
            return []
        scores = [float(score) for score in self._bm25.get_scores(asked)]
        best = sorted(range(len(scores)), key=lambda n: (-scores[n], n))[:limit]
        return [_scored(self._passages[n], scores[n]) for n in best if scores[n] > 0]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _STOPWORDS]


def _scored(passage: Passage, score: float) -> Passage:
    return Passage(
        document_id=passage.document_id,
        version=passage.version,
        title=passage.title,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        score=round(score, 6),
    )


def _passages(document: ContextText) -> Iterator[Passage]:
    """Yield paragraphs, short ones joined with what follows: a heading stays with its text."""
    start: int | None = None
    end = 0
    text = document.content
    for paragraph in _PARAGRAPH.finditer(text, 0, len(text.rstrip())):
        start, end = paragraph.start() if start is None else start, paragraph.end()
        if end - start >= PASSAGE:
            yield _passage(document, start, end)
            start = None
    if start is not None:
        yield _passage(document, start, end)


def _passage(document: ContextText, start: int, end: int) -> Passage:
    return Passage(
        document_id=document.id,
        version=document.version,
        title=document.title,
        start=start,
        end=end,
        text=document.content[start:end],
        score=0.0,
    )
