"""Whether quotations stand in their documents: the console looks, whatever the agent says.

A version of a document never changes, so an answer holds for good and is found once per payload.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from agent_console.domain.access import Actor, Permission
from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.errors import Invalid, NotFound
from agent_console.services.context import ContextService
from agent_console.ui.evidence_findings import MAX_FINDINGS
from agent_console.ui.evidence_rest import Object, text_in, whole
from agent_console.ui.evidence_views import kind_of

STANDS, DIFFERS, UNKNOWN = "stands", "differs", ""
MAX_TEXTS = 30  # versions of documents that are read for one checkpoint
REMEMBERED = 256

Read = Callable[[str, int], str | None]


def checks(context: ContextService, actor: Actor, point: Checkpoint) -> tuple[str, ...]:
    """Return for each finding in the data of ``point`` what its document says to the quotation.

    UNKNOWN where it names no place, the document is gone, or the reader may not read documents.
    Reads the database: call it in a thread.
    """
    if kind_of(point.data) != "findings" or not actor.may(Permission.CONTEXT_READ):
        return ()
    return _checked(_Quoted(context, actor, point))


class _Quoted:
    """A key for the memory: data never change under one id and digest."""

    def __init__(self, context: ContextService, actor: Actor, point: Checkpoint) -> None:
        self.context, self.actor, self.point = context, actor, point
        self._key = (point.id, point.payload_digest)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quoted) and self._key == other._key

    def text(self, document_id: str, version: int) -> str | None:
        try:
            found = self.context.get(self.actor, document_id, version=version)
        except (NotFound, Invalid):
            return None
        return found.shown.content


@lru_cache(maxsize=REMEMBERED)
def _checked(quoted: _Quoted) -> tuple[str, ...]:
    data = quoted.point.data
    listed = data.get("findings") if isinstance(data, dict) else None
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return compare(found[:MAX_FINDINGS], quoted.text)


def compare(found: Sequence[Object], read: Read) -> tuple[str, ...]:
    """Return for each of ``found`` whether its quotation is exactly what its place holds."""
    texts: dict[tuple[str, int], str | None] = {}
    return tuple(_one(finding, texts, read) for finding in found)


def _one(finding: Object, texts: dict[tuple[str, int], str | None], read: Read) -> str:
    source, quote = finding.get("source"), text_in(finding.get("quote"))
    if not isinstance(source, dict) or not quote:
        return UNKNOWN
    document, version = text_in(source.get("documentId")), source.get("version")
    start, end = source.get("start"), source.get("end")
    if not (document and whole(version) and whole(start) and whole(end)):
        return UNKNOWN
    place = (document, version)
    if place not in texts:
        if len(texts) >= MAX_TEXTS:
            return UNKNOWN
        texts[place] = read(*place)
    text = texts[place]
    if text is None:
        return UNKNOWN
    return STANDS if text[start:end] == quote else DIFFERS
