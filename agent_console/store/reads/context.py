"""Context documents as lists, agents and the job's envelope see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, select

from agent_console.domain.context import ContextDocument, ContextDocumentVersion
from agent_console.domain.queries import SEARCH_WINDOW, ContextQuery
from agent_console.domain.records import Page
from agent_console.store import agent_tables, rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import capped_count, read_page, table

DOCUMENTS = table(agent_tables.ContextDocument)
VERSIONS = table(agent_tables.ContextDocumentVersion)
LISTED_VERSIONS = 200
_WHOLE_ID = re.compile("doc_[0-9a-f]{32}")
_LATEST = select(DOCUMENTS, VERSIONS.c.size, VERSIONS.c.digest).join(
    VERSIONS,
    and_(VERSIONS.c.document_id == DOCUMENTS.c.id, VERSIONS.c.version == DOCUMENTS.c.version),
)
_WITHOUT_CONTENT = [column for column in VERSIONS.c if column.name != "content"]


def page(reader: Reader, query: ContextQuery) -> Page[ContextDocument]:
    """Return one page, newest first; without texts."""
    statement = _LATEST
    if query.project_id is not None:
        statement = statement.where(DOCUMENTS.c.project_id == query.project_id)
    if query.archived is not None:
        put_away = DOCUMENTS.c.archived_at.is_not(None)
        statement = statement.where(put_away if query.archived else ~put_away)
    if query.search:
        statement = _search(statement, query.search)
    total = capped_count(reader, statement)
    if query.cursor:
        statement = statement.where(DOCUMENTS.c.id < decode(query.cursor, str)[0])
    return read_page(
        reader,
        statement.order_by(DOCUMENTS.c.id.desc()),
        query,
        rows.context_document,
        key=lambda row: encode(row["id"]),
        total=total,
    )


def _search(statement: Select[Any], wanted: str) -> Select[Any]:
    """Keep matches among the newest rows; a whole id is found at any age."""
    if _WHOLE_ID.fullmatch(wanted):
        return statement.where(DOCUMENTS.c.id == wanted)
    recent = select(DOCUMENTS.c.id).order_by(DOCUMENTS.c.id.desc()).limit(SEARCH_WINDOW)
    return statement.where(
        DOCUMENTS.c.id.in_(recent), DOCUMENTS.c.title.icontains(wanted, autoescape=True)
    )


def get(reader: Reader, document_id: str) -> ContextDocument | None:
    """Return the document at its latest version, or None."""
    found = reader.select(_LATEST.where(DOCUMENTS.c.id == document_id))
    return rows.context_document(found[0]) if found else None


def known(reader: Reader, document_ids: Iterable[str]) -> list[ContextDocument]:
    """Return those of the documents that exist, in the order asked for."""
    wanted = list(dict.fromkeys(document_ids))
    found = reader.select(_LATEST.where(DOCUMENTS.c.id.in_(wanted)))
    by_id = {row["id"]: rows.context_document(row) for row in found}
    return [by_id[one] for one in wanted if one in by_id]


def version(reader: Reader, document_id: str, number: int) -> ContextDocumentVersion | None:
    """Return the version with its text, or None."""
    found = reader.select(
        select(VERSIONS).where(VERSIONS.c.document_id == document_id, VERSIONS.c.version == number)
    )
    return rows.context_version(found[0]) if found else None


def versions(reader: Reader, document_id: str) -> Sequence[ContextDocumentVersion]:
    """Return the newest ``LISTED_VERSIONS`` versions, newest first, without texts."""
    statement = select(*_WITHOUT_CONTENT).where(VERSIONS.c.document_id == document_id)
    newest = statement.order_by(VERSIONS.c.version.desc()).limit(LISTED_VERSIONS)
    return [rows.context_version(row) for row in reader.select(newest)]
