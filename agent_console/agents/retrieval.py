"""Finds the sentences that answer a question: BM25 over sentences and what stands around them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.agents.documents import Document
from agent_console.agents.passages import Sentence, sentences
from agent_console.agents.words import words

_AROUND = 0.35  # how much the paragraph and its headings count beside the sentence itself
_HEADED = 0.6  # what a word is worth that stands in a heading above the sentence


@dataclass(frozen=True, slots=True)
class Hit:
    """A sentence with its score (comparable within one question only) and its coverage, 0 to 1.

    Coverage is the share of the question's words that the sentence holds, rare words counting
    more, words that only the headings above it hold counting less. ``matched`` and ``missing``
    are those words, folded.
    """

    sentence: Sentence
    score: float
    coverage: float
    matched: tuple[str, ...]
    missing: tuple[str, ...]


class Index:
    """The sentences of some documents, ready to be searched; built once, read by any thread."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Cut ``documents`` into sentences and count their words."""
        self.documents = tuple(documents)
        self.sentences = [one for document in documents for one in sentences(document)]
        self._own = [words(one.claim) for one in self.sentences]
        self._headed = [
            {*own, *words(f"{one.document.title} {one.heading}")}
            for one, own in zip(self.sentences, self._own, strict=True)
        ]
        self._spread = Counter(word for some in self._headed for word in some)
        self._near = _Ranking(self._own)
        self._around = _Ranking(self._surroundings())

    def search(self, question: str, limit: int) -> list[Hit]:
        """Return up to ``limit`` sentences that share words with ``question``, best first."""
        asked = list(dict.fromkeys(words(question)))
        near, around = self._near.scores(asked), self._around.scores(asked)
        hits = [
            self._hit(number, asked, near[number] + _AROUND * around[number])
            for number in range(len(self.sentences))
            if near[number] > 0 or around[number] > 0
        ]
        hits.sort(key=lambda hit: (-hit.score * hit.coverage, hit.sentence.document.id))
        return hits[:limit]

    def _hit(self, number: int, asked: list[str], score: float) -> Hit:
        own, held = set(self._own[number]), self._headed[number]
        matched = tuple(word for word in asked if word in held)
        missing = tuple(word for word in asked if word not in held)
        whole = sum(self.weight(word) for word in asked)
        found = sum(self.weight(word) * (1 if word in own else _HEADED) for word in matched)
        share = found / whole if whole else 0.0
        return Hit(self.sentences[number], score, share, matched, missing)

    def weight(self, word: str) -> float:
        """Return how much a word says: the fewer sentences hold it, the more; unheard-of, most."""
        return math.log(1 + (len(self.sentences) + 0.5) / (self._spread[word] + 0.5))

    def _surroundings(self) -> list[list[str]]:
        texts: dict[tuple[str, int], list[str]] = {}
        for one, own in zip(self.sentences, self._own, strict=True):
            key = (one.document.id, one.block)
            if key not in texts:
                texts[key] = words(f"{one.document.title} {one.heading}")
            texts[key] += own
        return [texts[one.document.id, one.block] for one in self.sentences]


class _Ranking:
    """BM25 over lists of words."""

    def __init__(self, corpus: Sequence[list[str]]) -> None:
        self._size = len(corpus)
        self._known = {word for some in corpus for word in some}
        self._bm25 = None
        if self._known:
            import bm25s  # noqa: PLC0415 - brings NumPy: only who searches pays for it

            self._bm25 = bm25s.BM25()
            self._bm25.index([list(some) for some in corpus], show_progress=False)

    def scores(self, asked: Sequence[str]) -> list[float]:
        """Return the score of every list, in order."""
        known = [word for word in asked if word in self._known]
        if self._bm25 is None or not known:
            return [0.0] * self._size
        return [float(score) for score in self._bm25.get_scores(known)]
