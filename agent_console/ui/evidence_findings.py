"""Findings inside a checkpoint's data, under the questions they answer; pure, no Reflex."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agent_console.domain.jobs import Json
from agent_console.ui.artifact_views import (
    ArtifactBody,
    confidence_word,
    finding_body,
    percent_of,
    source_link,
)
from agent_console.ui.components.evidence_models import (
    AnswerEvidence,
    EvidenceView,
    FindingEvidence,
    SourceEvidence,
)
from agent_console.ui.components.review_json import json_document
from agent_console.ui.evidence_rest import (
    MAX_LINE,
    MAX_NAME,
    Object,
    Shape,
    all_of,
    count,
    fraction,
    left_of,
    left_out,
    object_of,
    one_of,
    text_in,
    text_of,
    texts,
    texts_in,
    whole,
)
from agent_console.ui.views import shown

MAX_FINDINGS = 100  # shown as such; more are in the rest
MAX_CLAIM, MAX_QUOTE, MAX_TITLE = 4_000, 8_000, 200

Checks = Mapping[int, str]  # by the identity of the finding: their ids need not differ

_WORD = re.compile(r"\w+")
_PLACE: Shape = {
    "documentId": text_of(MAX_TITLE),
    "title": text_of(MAX_TITLE),
    "version": whole,
    "start": whole,
    "end": whole,
    "heading": text_of(MAX_TITLE),
}
_DOCUMENT: Shape = {
    "id": text_of(MAX_TITLE),
    "title": text_of(MAX_TITLE),
    "version": whole,
    "digest": text_of(MAX_TITLE),
}


def findings(data: Object, found: Sequence[Object], checks: Sequence[str] = ()) -> EvidenceView:
    """Return the evidence of ``found``, the findings of ``data``, each with a claim.

    ``checks`` says of each what its document holds: ``stands``, ``differs`` or nothing.
    """
    answers = _objects(data.get("answers"))
    known = {id(one): check for one, check in zip(found, checks, strict=False)}
    groups = _groups(answers, found[:MAX_FINDINGS], known)
    wrong = sum(check == "differs" for check in checks)
    word, tone = _assurance(data.get("confidence"))
    asked = sum(bool(group.question) for group in groups)
    return EvidenceView(
        kind="findings",
        summary=count(len(found), "finding") + (f", {count(asked, 'question')}" if asked else ""),
        confidence=word,
        tone=tone,
        alarm=f"{count(wrong, 'quotation')} not found at the place named." if wrong else "",
        title=shown(text_in(data.get("topic")), MAX_LINE),
        answers=groups,
        sources=[_source(f"{n}", one) for n, one in enumerate(_objects(data.get("documents")))],
        method=shown(text_in(data.get("method")), MAX_CLAIM),
        rest=json_document(_beside_findings(data, found, answers)),
    )


def _groups(
    answers: Sequence[Object], found: Sequence[Object], checks: Checks
) -> list[AnswerEvidence]:
    """Return the findings under the questions they answer, then those that name no answer."""
    left = list(found)
    groups = []
    for number, answer in enumerate(answers):
        ids = texts_in(answer.get("findingIds"))
        mine = [one for one in left if text_in(one.get("id")) in ids]
        left = [one for one in left if text_in(one.get("id")) not in ids]
        word, tone = _assurance(answer.get("confidence"))
        groups.append(
            AnswerEvidence(
                key=f"a{number}",
                question=shown(text_in(answer.get("question")), MAX_LINE),
                confidence=word,
                tone=tone,
                missing=missing_words(answer, answer.get("question")),
                findings=_listed(mine, checks),
                unanswered=not mine,
            )
        )
    for number, question in enumerate(dict.fromkeys(text_in(one.get("question")) for one in left)):
        mine = [one for one in left if text_in(one.get("question")) == question]
        asked = shown(question, MAX_LINE)
        groups.append(
            AnswerEvidence(key=f"q{number}", question=asked, findings=_listed(mine, checks))
        )
    return groups


def _listed(found: Iterable[Object], checks: Checks) -> list[FindingEvidence]:
    return [
        FindingEvidence(
            key=f"{number}",
            mark=shown(text_in(one.get("id")), MAX_NAME),
            place=_place(one),
            missing=missing_words(one, one.get("question")),
            body=_body(one),
            check=checks.get(id(one), ""),
        )
        for number, one in enumerate(found)
    ]


def _body(one: Object) -> ArtifactBody:
    """Return the finding for its viewer; a quotation that reads like the claim is said once."""
    body = finding_body(one)
    same = " ".join(body.quote.split()) == " ".join(body.claim.split())
    return replace(body, quote="") if same else body


def _place(one: Object) -> str:
    """Return where in its document a quotation stands, in words."""
    source = one.get("source")
    if not isinstance(source, dict):
        return ""
    heading, start, end = text_in(source.get("heading")), source.get("start"), source.get("end")
    same = text_in(one.get("quote")).split() == text_in(one.get("claim")).split()
    parts = [
        "quoted in these words" if same else "",
        f"under “{shown(heading, MAX_TITLE)}”" if heading else "",
        f"characters {start:,}–{end:,}" if whole(start) and whole(end) else "",
    ]
    return ", ".join(filter(None, parts))


def missing_words(holder: Object, question: Json) -> str:
    """Return the missing words; the stems that agents compare, as the question writes them."""
    asked = _WORD.findall(text_in(question))
    words = []
    for stem in texts_in(holder.get("missing")):
        like = (word for word in asked if stem and word.lower().startswith(stem.lower()))
        words.append(next(like, stem))
    return shown(", ".join(words), MAX_LINE)


def _source(key: str, document: Object) -> SourceEvidence:
    title, href = source_link({**document, "documentId": document.get("id")})
    digest = shown(text_in(document.get("digest")), MAX_TITLE)
    return SourceEvidence(key=key, title=title, href=href, digest=digest)


def _beside_findings(data: Object, found: Sequence[Object], answers: Sequence[Object]) -> Json:
    questions = {text_in(one.get("question")) for one in (*answers, *found)}
    shape: Shape = {
        "id": text_of(MAX_NAME),
        "question": one_of({one for one in questions if len(one) <= MAX_LINE}),
        "claim": text_of(MAX_CLAIM),
        "quote": text_of(MAX_QUOTE),
        "source": object_of(_PLACE),
        "confidence": fraction,
        "missing": texts(MAX_LINE),
    }
    ids = {text_in(one.get("id")) for one in found}
    answer: Shape = {
        "question": text_of(MAX_LINE),
        "confidence": fraction,
        "findingIds": lambda value: set(texts_in(value)) <= ids and texts(MAX_QUOTE)(value),
        "missing": texts(MAX_LINE),
    }
    rest = left_out(
        data,
        {
            "topic": text_of(MAX_LINE),
            "confidence": fraction,
            "answers": all_of(answer),
            "findings": lambda _: True,
            "documents": all_of(_DOCUMENT),
            "method": text_of(MAX_CLAIM),
        },
    )
    more = [*left_of(found[:MAX_FINDINGS], shape, "id"), *map(dict, found[MAX_FINDINGS:])]
    return {**rest, "findings": more} if more else rest


def _assurance(value: Json) -> tuple[str, str]:
    """Return a confidence in words, empty when nobody said, and its colour."""
    percent = percent_of(value)
    word, tone = confidence_word(percent)
    return (f"{word}, {percent} %" if word else ""), tone


def _objects(value: Json) -> list[Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
