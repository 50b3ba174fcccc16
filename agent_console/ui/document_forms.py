"""What was typed into the form of a context document, as the services take it: no Reflex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent_console.domain.context import ContextMediaType, NewContextDocument
from agent_console.domain.errors import FieldError


def new_document(form: Mapping[str, Any]) -> NewContextDocument:
    """Return the document that ``form`` describes; browsers send line ends of two characters."""
    kind = str(form.get("mediaType") or ContextMediaType.MARKDOWN.value)
    return NewContextDocument(
        title=str(form.get("title", "")).strip(),
        content=typed_text(form),
        media_type=kind,
        project_id=str(form.get("projectId", "")).strip() or None,
    )


def typed_text(form: Mapping[str, Any]) -> str:
    """Return the text in ``form`` with line ends of one character."""
    return str(form.get("content", "")).replace("\r\n", "\n")


def by_field(errors: Iterable[FieldError]) -> dict[str, str]:
    """Return the messages of ``errors`` by field."""
    return {one.field: one.message for one in errors}
