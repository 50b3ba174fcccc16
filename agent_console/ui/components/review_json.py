"""JSON documents as view models: every value as exact text, hidden characters revealed."""

from __future__ import annotations

import json

from agent_console.domain.jobs import Json
from agent_console.domain.visible import reveal
from agent_console.ui.components.json_models import JsonView, NodeView

MAX_NODES = 1_500  # values in a tree; a larger document is shown as text
MAX_DEPTH = 8  # levels that fold; what is deeper is printed on one line


def json_document(value: Json) -> JsonView:
    """Return ``value`` as a tree that folds, or as text when it is very large.

    An absent document (None, an empty object or array) has neither nodes nor text.
    """
    if value is None or value in ({}, []):
        return JsonView()
    text = json.dumps(value, indent=2, ensure_ascii=False)
    count = _count(value)
    if count > MAX_NODES:
        note = f"{count:,} values: too many for a tree, shown as text."
        return JsonView(text=reveal(text).text, note=note)
    return JsonView(nodes=_children(value, 1) or [_node("", value, 1)], text=text)


def _count(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_count, value))
    return 1


def _children(value: Json, depth: int) -> list[NodeView]:
    if depth > MAX_DEPTH:
        return []
    if isinstance(value, dict):
        return [_node(reveal(key).text, one, depth) for key, one in value.items()]
    if isinstance(value, list):
        return [_node(str(index), one, depth) for index, one in enumerate(value)]
    return []


def _node(key: str, value: Json, depth: int) -> NodeView:
    if isinstance(value, dict | list):
        children = _children(value, depth + 1)
        kind = "object" if isinstance(value, dict) else "array"
        text = _size(value) if children else _inline(value)
        return NodeView(key=key, kind=kind, text=text, children=children)
    return NodeView(key=key, kind=_kind(value), text=_inline(value))


def _size(value: dict[str, Json] | list[Json]) -> str:
    noun = "field" if isinstance(value, dict) else "item"
    return f"{len(value)} {noun}{'' if len(value) == 1 else 's'}"


def _inline(value: Json) -> str:
    if isinstance(value, str):
        return f"“{reveal(value).text}”" if "\n" in value else f'"{reveal(value).text}"'
    return reveal(json.dumps(value, ensure_ascii=False)).text


def _kind(value: bool | float | str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
