"""Data of a checkpoint by its shape, as the viewers of artifacts show it; pure, no Reflex.

What is approved is all of the data. So what a viewer leaves out or would cut comes back as
``rest``, which the card shows as JSON: nothing is approved that was not on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from agent_console.domain.jobs import Json
from agent_console.domain.visible import reveal
from agent_console.ui.artifact_views import (
    MAX_VARIATIONS,
    VariationView,
    confidence_word,
    draft_body,
    finding_body,
    percent_of,
    report_body,
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
    Object,
    Shape,
    all_of,
    fraction,
    left_of,
    left_out,
    object_of,
    one_of,
    text_of,
    texts,
    whole,
)
from agent_console.ui.markdown_view import MAX_BLOCKS, MAX_MARKDOWN, BlockView
from agent_console.ui.views import shown

MAX_FINDINGS = 100  # shown as such; more are in the rest
MAX_CLAIM, MAX_QUOTE, MAX_LINE, MAX_TITLE, MAX_NAME = 4_000, 8_000, 2_000, 200, 40

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


def evidence_of(data: Json) -> EvidenceView:
    """Return ``data`` as findings, drafts or a report where it has such a shape."""
    if not isinstance(data, dict):
        return EvidenceView()
    found, made, text = data.get("findings"), data.get("variations"), data.get("markdown")
    if isinstance(found, list) and _all_have(found, "claim") and (found or data.get("answers")):
        return _findings(data, cast("list[Object]", found))
    if isinstance(made, list) and made and _all_have(made, "text"):
        return _drafts(data, cast("list[Object]", made))
    if isinstance(text, str) and text:
        return _report(data, text)
    return EvidenceView()


def _all_have(items: Sequence[Json], name: str) -> bool:
    return all(isinstance(one, dict) and isinstance(one.get(name), str) for one in items)


def _findings(data: Object, found: Sequence[Object]) -> EvidenceView:
    answers = _objects(data.get("answers"))
    groups = _groups(answers, found[:MAX_FINDINGS])
    word, tone = _assurance(data.get("confidence"))
    asked = sum(bool(group.question) for group in groups)
    return EvidenceView(
        kind="findings",
        summary=_count(len(found), "finding") + (f", {_count(asked, 'question')}" if asked else ""),
        confidence=word,
        tone=tone,
        title=shown(_text(data.get("topic")), MAX_LINE),
        answers=groups,
        sources=[_source(f"{n}", one) for n, one in enumerate(_objects(data.get("documents")))],
        method=shown(_text(data.get("method")), MAX_CLAIM),
        rest=json_document(_beside_findings(data, found, answers)),
    )


def _groups(answers: Sequence[Object], found: Sequence[Object]) -> list[AnswerEvidence]:
    """Return the findings under the questions they answer, then those that name no answer."""
    left = list(found)
    groups = []
    for number, answer in enumerate(answers):
        ids = _texts(answer.get("findingIds"))
        mine = [one for one in left if _text(one.get("id")) in ids]
        left = [one for one in left if _text(one.get("id")) not in ids]
        word, tone = _assurance(answer.get("confidence"))
        groups.append(
            AnswerEvidence(
                key=f"a{number}",
                question=shown(_text(answer.get("question")), MAX_LINE),
                confidence=word,
                tone=tone,
                missing=_missing(answer),
                findings=_listed(mine),
                unanswered=not mine,
            )
        )
    for number, question in enumerate(dict.fromkeys(_text(one.get("question")) for one in left)):
        mine = [one for one in left if _text(one.get("question")) == question]
        asked = shown(question, MAX_LINE)
        groups.append(AnswerEvidence(key=f"q{number}", question=asked, findings=_listed(mine)))
    return groups


def _listed(found: Iterable[Object]) -> list[FindingEvidence]:
    return [
        FindingEvidence(
            key=f"{number}",
            mark=shown(_text(one.get("id")), MAX_NAME),
            place=_place(one.get("source")),
            missing=_missing(one),
            body=finding_body(one),
        )
        for number, one in enumerate(found)
    ]


def _place(source: Json) -> str:
    """Return where in its document a quotation stands, in words."""
    if not isinstance(source, dict):
        return ""
    heading, start, end = _text(source.get("heading")), source.get("start"), source.get("end")
    under = f"under “{shown(heading, MAX_TITLE)}”" if heading else ""
    at = f"characters {start:,}–{end:,}" if whole(start) and whole(end) else ""
    return ", ".join(filter(None, [under, at]))


def _missing(holder: Object) -> str:
    return shown(", ".join(_texts(holder.get("missing"))), MAX_LINE)


def _source(key: str, document: Object) -> SourceEvidence:
    title, href = source_link({**document, "documentId": document.get("id")})
    digest = shown(_text(document.get("digest")), MAX_TITLE)
    return SourceEvidence(key=key, title=title, href=href, digest=digest)


def _beside_findings(data: Object, found: Sequence[Object], answers: Sequence[Object]) -> Json:
    questions = {_text(one.get("question")) for one in (*answers, *found)}
    shape: Shape = {
        "id": text_of(MAX_NAME),
        "question": one_of({one for one in questions if len(one) <= MAX_LINE}),
        "claim": text_of(MAX_CLAIM),
        "quote": text_of(MAX_QUOTE),
        "source": object_of(_PLACE),
        "confidence": fraction,
        "missing": texts(MAX_LINE),
    }
    ids = {_text(one.get("id")) for one in found}
    answer: Shape = {
        "question": text_of(MAX_LINE),
        "confidence": fraction,
        "findingIds": lambda value: set(_texts(value)) <= ids and texts(MAX_QUOTE)(value),
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


def _drafts(data: Object, made: Sequence[Object]) -> EvidenceView:
    body = draft_body(data)
    more: list[Json] = [dict(one) for one in made[MAX_VARIATIONS:]]
    for one, view in zip(made, body.variations, strict=False):
        more += left_of([one], _variation_shape(view), "name")
    rest = left_out(
        data, {"title": text_of(300), "tone": text_of(MAX_NAME), "variations": lambda _: True}
    )
    tone = shown(_text(data.get("tone")), MAX_NAME)
    return EvidenceView(
        kind="draft",
        summary=_count(len(made), "variation") + (f", {tone} tone" if tone else ""),
        body=replace(body, note=""),
        rest=json_document({**rest, "variations": more} if more else rest),
    )


def _variation_shape(view: VariationView) -> Shape:
    plain = plain_text(view.blocks)

    def stands_there(value: Json) -> bool:
        return isinstance(value, str) and " ".join(reveal(value).text.split()) in plain

    sentence: Shape = {"text": stands_there, "findingIds": texts(MAX_LINE)}
    return {
        "name": text_of(100),
        "structure": text_of(MAX_NAME),
        "confidence": fraction,
        "text": lambda _: _is_whole(view.text, view.blocks),
        "sentences": all_of(sentence),
    }


def _report(data: Object, text: str) -> EvidenceView:
    body = report_body(text)
    title = _text(data.get("title"))
    shape: Shape = {
        "title": text_of(300),
        "markdown": lambda _: _is_whole(text, body.blocks),
    }
    first = plain_text(body.blocks[:1])
    return EvidenceView(
        kind="report",
        summary=_count(len(text.split()), "word"),
        title="" if " ".join(title.split()) == first else shown(title, 300),
        body=replace(body, note=""),
        rest=json_document(left_out(data, shape)),
    )


def _is_whole(text: str, made: Sequence[BlockView]) -> bool:
    return len(text) <= MAX_MARKDOWN and len(made) < MAX_BLOCKS


def plain_text(made: Sequence[BlockView]) -> str:
    """Return the words of ``made`` in their order, with single spaces between them."""
    runs = []
    for block in made:
        cells = [*block.head, *(cell for line in block.lines for cell in line.cells)]
        spans = [block.spans, *(one.spans for one in block.points), *(one.spans for one in cells)]
        runs += ["".join(span.text for span in one) for one in spans]
        runs.append(block.text)
    return " ".join(" ".join(runs).split())


def _assurance(value: Json) -> tuple[str, str]:
    """Return a confidence in words, empty when nobody said, and its colour."""
    percent = percent_of(value)
    word, tone = confidence_word(percent)
    return (f"{word}, {percent} %" if word else ""), tone


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _objects(value: Json) -> list[Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
