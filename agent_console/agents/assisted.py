"""Research by a language model that searches the documents itself; its quotations are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent_console import JobContext, Json, Rejected
from agent_console.agents.asking import Call, ask
from agent_console.agents.brief import Brief
from agent_console.agents.documents import Document
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import (
    Answer,
    Place,
    Research,
    ResearchFinding,
    sources_of,
    together,
)
from agent_console.agents.models import ModelChoice
from agent_console.agents.retrieval import Index
from agent_console.agents.words import words

_LOOK_UP = (
    "A reviewer has sent work back. Name the questions, if any, that have to be looked up in "
    "documents for what the reviewer asks. Wishes about wording, length, order, or what to leave "
    "out need nothing to be looked up."
)
_PAGE = 12_000  # characters of a document that one call reads
_OFF_TOPIC = 0.5  # the most a quotation without any word of its question is worth


class Search(BaseModel):
    """The arguments of the search tool."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=500)
    limit: int = Field(default=8, ge=1, le=30)


class Read(BaseModel):
    """The arguments of the reading tool; ``offset`` counts characters."""

    model_config = ConfigDict(extra="forbid")

    document_id: str = Field(min_length=1, max_length=200)
    offset: int = Field(default=0, ge=0)


class Quoted(BaseModel):
    """A finding as the model gives it."""

    question: str = Field(description="The question this answers, word for word.")
    claim: str = Field(min_length=1, max_length=2_000, description="One sentence.")
    document_id: str
    quote: str = Field(min_length=1, max_length=2_000, description="Copied exactly.")
    confidence: float = Field(ge=0, le=1)


class LookUp(BaseModel):
    """What a review asks to be found in the documents."""

    questions: list[str] = Field(max_length=10, description="Empty when there is nothing.")


class Findings(BaseModel):
    """All that the model found; questions without an answer are left out."""

    findings: list[Quoted]


def find(ctx: JobContext, brief: Brief, wishes: Wishes, choice: ModelChoice) -> Research:
    """Return the findings of a round: each model call and each tool call is a recorded step.

    Raises:
        NonRetryable: the model gives no usable answer, or there is no key for it.
    """
    asked = [*(brief.task.questions or [brief.topic])]
    if wishes.notes:
        asked += _questions(ctx, brief, wishes.notes, choice)
    return _searched(ctx, brief, asked, wishes, choice)


def widen(
    ctx: JobContext, brief: Brief, kept: Research, wishes: Wishes, choice: ModelChoice
) -> Research:
    """Return ``kept`` with what the last review asks to be looked up, if anything.

    Raises:
        NonRetryable: as ``find``.
    """
    asked = _questions(ctx, brief, wishes.notes[-1:], choice) if wishes.notes else []
    return together(kept, _searched(ctx, brief, asked, wishes, choice)) if asked else kept


def _questions(
    ctx: JobContext, brief: Brief, notes: Sequence[str], choice: ModelChoice
) -> list[str]:
    """Return what a review wants to have looked up: often it is only about the wording."""
    said = "\n".join(f"- {one}" for one in notes)
    found = ask(
        ctx,
        brief,
        choice,
        want=LookUp,
        instructions=_LOOK_UP,
        prompt=f"Topic: {brief.topic}\n\nThe reviewer said:\n{said}",
        complaints=lambda _: [],
    )
    return list(dict.fromkeys(" ".join(one.split()) for one in found.questions if one.strip()))


def _searched(
    ctx: JobContext, brief: Brief, asked: Sequence[str], wishes: Wishes, choice: ModelChoice
) -> Research:
    desk = _Desk(ctx, brief)
    found = ask(
        ctx,
        brief,
        choice,
        want=Findings,
        instructions=brief.definition.instructions,
        prompt=_prompt(brief, asked, wishes),
        complaints=desk.complaints,
        tools=desk.tools,
    )
    return _research(brief, asked, found, wishes, choice.label)


class _Desk:
    """The tools of one run, and the check of what comes of them."""

    def __init__(self, ctx: JobContext, brief: Brief) -> None:
        self._ctx, self._brief = ctx, brief
        self._documents = {one.id: one for one in brief.documents}

    @property
    def tools(self) -> list[Call]:
        """Those that the definition lets the model call."""
        known: dict[str, Call] = {"search": self.search, "read": self.read}
        return [tool for name, tool in known.items() if name in self._brief.definition.tools]

    async def search(self, query: str, limit: int = 8) -> Any:
        """Search the documents; returns sentences with the id of their document.

        Args:
            query: a few words or a question
            limit: how many sentences at most, 1 to 30
        """
        return self._call("search", Search(query=query, limit=limit), self._search)

    async def read(self, document_id: str, offset: int = 0) -> Any:
        """Read a document, up to 12,000 characters from an offset.

        Args:
            document_id: the document's id
            offset: where to begin, in characters
        """
        return self._call("read", Read(document_id=document_id, offset=offset), self._read)

    def complaints(self, found: Findings) -> list[str]:
        """Return a complaint for every quotation that does not stand in its document."""
        return [
            f"Finding {number}: {one.document_id} does not hold this quotation word for word."
            for number, one in enumerate(found.findings, 1)
            if locate(self._documents.get(one.document_id), one.quote) is None
        ]

    def _call(self, name: str, args: BaseModel, work: Callable[[BaseModel], Json]) -> Json:
        """Do one call of a tool, after it was approved where the definition wants that."""
        if name in self._brief.definition.approve_tools:
            try:
                decision = self._ctx.approve(
                    f"The agent wants to use its tool “{name}”.",
                    action=f"Use the tool {name}",
                    data=args,
                    edit=type(args),
                )
            except Rejected as refused:
                why = " ".join(part for part in (refused.reason, refused.feedback) if part)
                return f"This call was refused by a person and not made. {why}".strip()
            args = type(args).model_validate(decision.data)
        return self._ctx.step(f"tool {name}", work, args)

    def _search(self, args: BaseModel) -> Json:
        wanted = Search.model_validate(args.model_dump())
        hits = Index(self._brief.documents).search(wanted.query, wanted.limit)
        return [
            {
                "document_id": hit.sentence.document.id,
                "title": hit.sentence.document.title,
                "heading": hit.sentence.heading,
                "text": hit.sentence.quote,
            }
            for hit in hits
        ]

    def _read(self, args: BaseModel) -> Json:
        wanted = Read.model_validate(args.model_dump())
        document = self._documents.get(wanted.document_id)
        if document is None:
            return f"There is no document {wanted.document_id}."
        text = document.text[wanted.offset : wanted.offset + _PAGE]
        return {"title": document.title, "characters": len(document.text), "text": text}


def locate(document: Document | None, quote: str) -> tuple[int, int] | None:
    """Return where ``quote`` stands in ``document``, whatever its lines are; None: nowhere."""
    parts = quote.split()
    if document is None or not parts:
        return None
    found = re.search(r"\s+".join(map(re.escape, parts)), document.text)
    return None if found is None else found.span()


def _prompt(brief: Brief, asked: Sequence[str], wishes: Wishes) -> str:
    listed = "\n".join(f"- {one.id}: {one.title}" for one in brief.documents)
    questions = "\n".join(f"- {one}" for one in asked)
    notes = "\n".join(f"- {one}" for one in wishes.notes)
    review = f"\n\nA reviewer said of earlier findings:\n{notes}" if notes else ""
    return (
        f"Topic: {brief.topic}\n\nQuestions:\n{questions}\n\nDocuments:\n{listed}{review}\n\n"
        f"Give at most {brief.task.max_findings} findings."
    )


def _research(
    brief: Brief, asked: Sequence[str], found: Findings, wishes: Wishes, label: str
) -> Research:
    made = [one for one in (_finding(brief, asked, q) for q in found.findings) if one is not None]
    kept = [f for f in made if (f.source.document_id, f.source.start) not in wishes.without]
    findings = tuple(
        one.model_copy(update={"id": f"F{number}"})
        for number, one in enumerate(kept[: brief.task.max_findings], 1)
    )
    answers = tuple(_answer(question, findings) for question in asked)
    return Research(
        topic=brief.topic,
        confidence=round(sum(one.confidence for one in answers) / len(answers), 3),
        answers=answers,
        findings=findings,
        documents=sources_of(brief.documents),
        method=(
            f"The findings were chosen and worded by {label}. Every quotation was compared with "
            "its document word for word. The confidence is the model's own, bounded by how many "
            "words of the question the quotation and its claim hold."
        ),
    )


def _finding(brief: Brief, asked: Sequence[str], quoted: Quoted) -> ResearchFinding | None:
    document = next((one for one in brief.documents if one.id == quoted.document_id), None)
    span = locate(document, quoted.quote)
    if document is None or span is None:
        return None
    question = quoted.question if quoted.question in asked else asked[0]
    wanted = set(words(question))
    held = wanted & set(words(f"{quoted.quote} {quoted.claim}"))
    most = _OFF_TOPIC + (1 - _OFF_TOPIC) * (len(held) / len(wanted) if wanted else 0.0)
    return ResearchFinding(
        id="F",
        question=question,
        claim=" ".join(quoted.claim.split()),
        quote=document.text[slice(*span)],
        source=Place(
            document_id=document.id,
            title=document.title,
            version=document.version,
            start=span[0],
            end=span[1],
        ),
        confidence=round(min(quoted.confidence, most), 3),
        missing=tuple(sorted(wanted - held)),
    )


def _answer(question: str, findings: Sequence[ResearchFinding]) -> Answer:
    mine = [one for one in findings if one.question == question]
    return Answer(
        question=question,
        confidence=max((one.confidence for one in mine), default=0.0),
        finding_ids=tuple(one.id for one in mine),
        missing=() if mine else tuple(dict.fromkeys(words(question))),
    )
