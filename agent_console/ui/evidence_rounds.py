"""What differs between two rounds, told by finding, draft or report; pure, no Reflex.

Findings are numbered anew in every round: here they are compared by what they say, so that a
finding that was left out does not make all that follow look changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent_console.domain.changes import FileChange, TextChange
from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.jobs import Json
from agent_console.domain.rounds import outline
from agent_console.ui.evidence_findings import missing_words
from agent_console.ui.evidence_rest import Object, text_in, texts_in
from agent_console.ui.evidence_views import kind_of

Change = dict[str, Json]
Texts = dict[str, str]  # by the name a difference is shown under

OTHER = "Other data"


def since(previous: Checkpoint, now: Checkpoint, plain: Sequence[Change]) -> list[Change]:
    """Return what ``now`` proposes otherwise, in the form of ``changes``.

    ``plain`` is the same without knowledge of shapes; it stays where the data have none, and for
    everything that is no data.
    """
    kind = kind_of(now.data)
    if not kind or kind_of(previous.data) != kind or previous.data == now.data:
        return list(plain)
    before, after = _texts(previous.data), _texts(now.data)
    names = [*before, *(name for name in after if name not in before)]
    told = [
        (FileChange if name == OTHER else TextChange)(
            name, before.get(name), after.get(name)
        ).to_json()
        for name in sorted(names, key=lambda name: name == OTHER)
        if before.get(name) != after.get(name)
    ]
    return [*told, *plain[1:]]  # the first of them is the data as a whole


def _texts(data: Json) -> Texts:
    if not isinstance(data, dict):
        return {}
    kind = kind_of(data)
    if kind == "findings":
        told = "\n".join(_findings(data)) + "\n"
        rest = {**_without(data, "findings", "answers", "confidence")}
        return {"Findings": told, **_other(rest)}
    if kind == "draft":
        made = _objects(data.get("variations"))
        drafts = {_title(number, one): text_in(one.get("text")) for number, one in enumerate(made)}
        facts: list[Json] = [_without(one, "text", "sentences") for one in made]
        return {**drafts, **_other({**_without(data, "variations"), "variations": facts})}
    return {"Report": text_in(data.get("markdown")), **_other(_without(data, "markdown"))}


def _title(number: int, variation: Object) -> str:
    return f"Draft {text_in(variation.get('name')) or number + 1}"


def _other(rest: Object) -> Texts:
    return {OTHER: outline(dict(rest))} if rest else {}


def _findings(data: Object) -> Iterator[str]:
    """Yield the findings under their questions as lines, without their numbers."""
    left = _objects(data.get("findings"))
    yield f"Confidence in all: {_number(data.get('confidence'))}"
    for answer in _objects(data.get("answers")):
        ids = texts_in(answer.get("findingIds"))
        yield from ("", text_in(answer.get("question")))
        yield f"  confidence {_number(answer.get('confidence'))}{_lacking(answer)}"
        for one in left:
            if text_in(one.get("id")) in ids:
                yield from _finding(one)
        left = [one for one in left if text_in(one.get("id")) not in ids]
    for one in left:
        yield from ("", text_in(one.get("question")))
        yield from _finding(one)


def _finding(one: Object) -> Iterator[str]:
    """Yield a finding: its claim, its quotation where that reads otherwise, and all else."""
    claim, quote = text_in(one.get("claim")), text_in(one.get("quote"))
    yield f"  • {claim}"
    if quote.split() != claim.split():
        yield f"    “{' '.join(quote.split())}”"
    source = one.get("source")
    place = source if isinstance(source, dict) else {}
    named = text_in(place.get("title")) or text_in(place.get("documentId"))
    at = f"version {_number(place.get('version'))}, {_span(place)}"
    yield f"    {named}, {at}; confidence {_number(one.get('confidence'))}{_lacking(one)}"
    more = _without(one, "id", "question", "claim", "quote", "source", "confidence", "missing")
    if more:
        yield f"    {outline(more).strip()}"


def _span(place: Object) -> str:
    return f"characters {_number(place.get('start'))}–{_number(place.get('end'))}"


def _lacking(holder: Object) -> str:
    words = missing_words(holder, holder.get("question"))
    return f"; does not speak of {words}" if words else ""


def _number(value: Json) -> str:
    return "unknown" if value is None else str(value)


def _without(holder: Mapping[str, Json], *names: str) -> dict[str, Json]:
    return {name: value for name, value in holder.items() if name not in names}


def _objects(value: Json) -> list[Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
