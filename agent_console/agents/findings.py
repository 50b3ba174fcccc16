"""Answers to questions as quotations, each with its place and a confidence one can recompute."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from agent_console.agents.documents import Document
from agent_console.agents.passages import Sentence
from agent_console.agents.retrieval import Hit, Index
from agent_console.agents.words import words

MAX_NAME = 150  # characters of an artifact's name
_FLOOR = 0.12  # below this coverage a sentence has a common word with the question, no more
_SAME = 0.7  # share of common words from which two quotations say the same
_BESIDE = 0.4  # share of the best one's certainty that another finding needs
_DEPTH = 40  # hits looked at per question


class Value(BaseModel):
    """A part of an agent's result: camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class Place(Value):
    """Characters ``start`` to ``end`` of a version of a document, under the nearest heading."""

    document_id: str = Field(min_length=1, max_length=200)
    title: str = Field(max_length=500)
    version: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    heading: str = Field(default="", max_length=500)


class ResearchFinding(Value):
    """One statement and the quotation it rests on; ``quote`` is the document's exact text."""

    id: str = Field(min_length=1, max_length=20)
    question: str = Field(default="", max_length=2_000)
    claim: str = Field(min_length=1, max_length=4_000)
    quote: str = Field(min_length=1, max_length=4_000)
    source: Place
    confidence: float = Field(ge=0, le=1)
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the finding is listed as: its claim on one line, cut at a word."""
        line = " ".join(self.claim.split())
        if len(line) <= MAX_NAME:
            return line
        beginning = line[: MAX_NAME - 1]
        return (beginning.rpartition(" ")[0] or beginning) + "…"


class Answer(Value):
    """What was found for one question; ``missing`` are its words that no finding holds."""

    question: str
    confidence: float
    finding_ids: tuple[str, ...]
    missing: tuple[str, ...]


class SourceDocument(Value):
    """A document that was read, by its digest."""

    id: str
    title: str
    version: int
    digest: str


class Research(Value):
    """The findings of a round, by question; ``confidence`` is the mean over the questions.

    ``method`` says how they were made.
    """

    topic: str
    confidence: float
    answers: tuple[Answer, ...]
    findings: tuple[ResearchFinding, ...]
    documents: tuple[SourceDocument, ...]
    method: str = ""


def research(
    topic: str,
    questions: Sequence[str],
    documents: Sequence[Document],
    *,
    limit: int = 8,
    without: Collection[tuple[str, int]] = (),
) -> Research:
    """Return up to ``limit`` findings for ``questions`` (none: the topic itself is the question).

    ``without`` names places, document id and start, that a reviewer does not want to see again.
    """
    asked = list(dict.fromkeys(q.strip() for q in questions if q.strip())) or [topic.strip()]
    index = Index(documents)
    hits = {question: _usable(index.search(question, _DEPTH), without) for question in asked}
    chosen = _choose(hits, limit)
    findings = tuple(
        _finding(number, question, hit, _best(hits[question]))
        for number, (question, hit) in enumerate(chosen, 1)
    )
    answers = tuple(_answer(index, question, hits[question], chosen) for question in asked)
    return Research(
        topic=topic,
        confidence=_mean([answer.confidence for answer in answers]),
        answers=answers,
        findings=findings,
        documents=sources_of(documents),
    )


def from_findings(
    topic: str, findings: Sequence[ResearchFinding], documents: Sequence[SourceDocument]
) -> Research:
    """Return findings that somebody handed over in the form of a round of research."""
    answers = [
        Answer(
            question=question,
            confidence=max(one.confidence for one in mine),
            finding_ids=tuple(one.id for one in mine),
            missing=(),
        )
        for question in dict.fromkeys(one.question or topic for one in findings)
        for mine in [[one for one in findings if (one.question or topic) == question]]
    ]
    used = {one.source.document_id for one in findings}
    return Research(
        topic=topic,
        confidence=_mean([answer.confidence for answer in answers]),
        answers=tuple(answers),
        findings=tuple(findings),
        documents=tuple(one for one in documents if one.id in used),
        method="The findings were handed over with the task and not searched for again.",
    )


def without(research: Research, places: Collection[tuple[str, int]]) -> Research:
    """Return ``research`` less the findings at ``places``; an answer that lost all stays open."""
    kept = tuple(
        one for one in research.findings if (one.source.document_id, one.source.start) not in places
    )
    ids = {one.id for one in kept}
    answers = tuple(_left(answer, ids) for answer in research.answers)
    return research.model_copy(
        update={
            "findings": kept,
            "answers": answers,
            "confidence": _mean([answer.confidence for answer in answers]),
        }
    )


def _left(answer: Answer, ids: Collection[str]) -> Answer:
    left = tuple(one for one in answer.finding_ids if one in ids)
    if left or not answer.finding_ids:
        return answer.model_copy(update={"finding_ids": left})
    return answer.model_copy(update={"finding_ids": (), "confidence": 0.0})


def together(first: Research, more: Research) -> Research:
    """Return both rounds as one; the findings of ``more`` are numbered after those of ``first``."""
    taken = [int(one.id[1:]) for one in first.findings if one.id[1:].isdigit()]
    shift = max(taken, default=0)
    names = {one.id: f"F{shift + number}" for number, one in enumerate(more.findings, 1)}
    answers = [
        *first.answers,
        *(
            one.model_copy(update={"finding_ids": tuple(names[i] for i in one.finding_ids)})
            for one in more.answers
        ),
    ]
    new = (one.model_copy(update={"id": names[one.id]}) for one in more.findings)
    documents = {one.id: one for one in (*first.documents, *more.documents)}
    return first.model_copy(
        update={
            "findings": (*first.findings, *new),
            "answers": tuple(answers),
            "documents": tuple(documents.values()),
            "confidence": _mean([answer.confidence for answer in answers]),
        }
    )


def sources_of(documents: Sequence[Document]) -> tuple[SourceDocument, ...]:
    """Return what ``documents`` are, without their texts."""
    return tuple(
        SourceDocument(id=d.id, title=d.title, version=d.version, digest=d.digest)
        for d in documents
    )


def certainty(hit: Hit, best: float) -> float:
    """Return how far a quotation answers its question, 0 to 1.

    Coverage, dampened for questions of few words (one matching word proves little) and for
    sentences that rank far below the ``best`` score of the question.
    """
    asked = len(hit.matched) + len(hit.missing)
    rank = hit.score / best if best > 0 else 0.0
    return round(hit.coverage * (1 - 0.4 / max(asked, 1)) * (0.85 + 0.15 * min(rank, 1.0)), 3)


def _usable(hits: Sequence[Hit], without: Collection[tuple[str, int]]) -> list[Hit]:
    """Return the hits that may be shown, most certain first."""
    kept = [
        hit
        for hit in hits
        if hit.coverage >= _FLOOR and (hit.sentence.document.id, hit.sentence.start) not in without
    ]
    best = _best(kept)
    return sorted(kept, key=lambda hit: -certainty(hit, best))


def _best(hits: Sequence[Hit]) -> float:
    return max((hit.score for hit in hits), default=0.0)


def _choose(hits: dict[str, list[Hit]], limit: int) -> list[tuple[str, Hit]]:
    """Take from the questions in turn, best first, nothing that says the same again."""
    chosen: list[tuple[str, Hit]] = []
    waiting = {question: iter(found) for question, found in hits.items()}
    while waiting and len(chosen) < limit:
        for question in list(waiting):
            new = next((hit for hit in waiting[question] if not _said(hit, chosen)), None)
            if new is None:
                del waiting[question]
            elif len(chosen) < limit:
                chosen.append((question, new))
    order = list(hits)
    return sorted(chosen, key=lambda pair: order.index(pair[0]))


def _said(hit: Hit, chosen: Sequence[tuple[str, Hit]]) -> bool:
    return any(_alike(hit.sentence.claim, other.sentence.claim) for _, other in chosen)


def _alike(one: str, other: str) -> bool:
    first, second = set(words(one)), set(words(other))
    if not first or not second:
        return one == other
    return len(first & second) / len(first | second) >= _SAME


def _finding(number: int, question: str, hit: Hit, best: float) -> ResearchFinding:
    found = hit.sentence
    return ResearchFinding(
        id=f"F{number}",
        question=question,
        claim=found.claim,
        quote=found.quote,
        source=place_of(found),
        confidence=certainty(hit, best),
        missing=hit.missing,
    )


def place_of(sentence: Sentence) -> Place:
    """Return where ``sentence`` stands."""
    return Place(
        document_id=sentence.document.id,
        title=sentence.document.title,
        version=sentence.document.version,
        start=sentence.start,
        end=sentence.end,
        heading=sentence.heading,
    )


def _answer(
    index: Index, question: str, hits: Sequence[Hit], chosen: Sequence[tuple[str, Hit]]
) -> Answer:
    """Judge a question by its best finding and by what its findings hold together."""
    asked = list(dict.fromkeys(words(question)))
    kept = {id(hit) for hit in hits}
    mine = [(f"F{n}", hit) for n, (_, hit) in enumerate(chosen, 1) if id(hit) in kept]
    held = {word for _, hit in mine for word in hit.matched}
    whole = sum(index.weight(word) for word in asked)
    share = sum(index.weight(word) for word in asked if word in held) / whole if whole else 0.0
    best = max((certainty(hit, _best(hits)) for _, hit in mine), default=0.0)
    together = share * (1 - 0.4 / max(len(asked), 1))
    return Answer(
        question=question,
        confidence=round((best + together) / 2, 3),
        finding_ids=tuple(name for name, _ in mine),
        missing=tuple(word for word in asked if word not in held),
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 3) if values else 0.0
