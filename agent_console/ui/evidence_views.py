"""Data of a checkpoint by its shape, as the viewers of artifacts show it; pure, no Reflex.

What is approved is all of the data. So what a viewer leaves out or would cut comes back as
``rest``, which the card shows as JSON: nothing is approved that was not on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from agent_console.domain.jobs import Json
from agent_console.domain.visible import reveal
from agent_console.services.markdown_blocks import MAX_BLOCKS, MAX_MARKDOWN, BlockView
from agent_console.ui.artifact_views import (
    MAX_VARIATIONS,
    VariationView,
    draft_body,
    report_body,
)
from agent_console.ui.components.evidence_models import EvidenceView
from agent_console.ui.components.review_json import json_document
from agent_console.ui.evidence_findings import findings
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
    text_in,
    text_of,
    texts,
)
from agent_console.ui.views import shown


def kind_of(data: Json) -> str:
    """Return findings, draft or report where ``data`` has such a shape, else an empty text."""
    if not isinstance(data, dict):
        return ""
    found, made, text = data.get("findings"), data.get("variations"), data.get("markdown")
    if isinstance(found, list) and _all_have(found, "claim") and (found or data.get("answers")):
        return "findings"
    if isinstance(made, list) and made and _all_have(made, "text"):
        return "draft"
    return "report" if isinstance(text, str) and text else ""


def evidence_of(data: Json, checks: Sequence[str] = ()) -> EvidenceView:
    """Return ``data`` as findings, drafts or a report where it has such a shape.

    ``checks`` are those of the findings, in their order (``quote_checks``).
    """
    kind = kind_of(data)
    if not kind or not isinstance(data, dict):
        return EvidenceView()
    if kind == "findings":
        return findings(data, cast("list[Object]", data["findings"]), checks)
    if kind == "draft":
        return _drafts(data, cast("list[Object]", data["variations"]))
    return _report(data, text_in(data["markdown"]))


def _all_have(items: Sequence[Json], name: str) -> bool:
    return all(isinstance(one, dict) and isinstance(one.get(name), str) for one in items)


def _drafts(data: Object, made: Sequence[Object]) -> EvidenceView:
    body = draft_body(data)
    more: list[Json] = [dict(one) for one in made[MAX_VARIATIONS:]]
    for one, view in zip(made, body.variations, strict=False):
        more += left_of([one], _variation_shape(view), "name")
    rest = left_out(
        data, {"title": text_of(300), "tone": text_of(MAX_NAME), "variations": lambda _: True}
    )
    tone = shown(text_in(data.get("tone")), MAX_NAME)
    return EvidenceView(
        kind="draft",
        summary=count(len(made), "variation") + (f", {tone} tone" if tone else ""),
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
    title = text_in(data.get("title"))
    shape: Shape = {
        "title": text_of(300),
        "markdown": lambda _: _is_whole(text, body.blocks),
    }
    first = plain_text(body.blocks[:1])
    return EvidenceView(
        kind="report",
        summary=count(len(text.split()), "word"),
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
