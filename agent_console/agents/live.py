"""What a model has written so far, as text for people: also in the middle of an answer."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_core import from_json

from agent_console import Json

_RESULT = "final_result"  # the tool by which a model gives its answer
_SKIPPED = frozenset({"document_id", "finding_ids", "confidence"})  # for programs, not to be read
_PLAIN = frozenset({"text", "query"})


def readable(response: ModelResponse) -> str:
    """Return the texts of an answer, finished or not, and the calls of tools in words."""
    parts = (_part(part) for part in response.parts)
    return "\n\n".join(text for text in parts if text)


def _part(part: object) -> str:
    if isinstance(part, TextPart):
        return part.content.strip()
    if not isinstance(part, ToolCallPart):
        return ""
    text = "\n".join(_lines(_arguments(part))).strip()
    if part.tool_name.startswith(_RESULT):
        return text
    return f"{part.tool_name}: {text}" if text else part.tool_name


def _arguments(part: ToolCallPart) -> Json:
    """Return the arguments as far as they have been written."""
    if not isinstance(part.args, str):
        return dict(part.args or {})
    try:
        found: Json = from_json(part.args, allow_partial="trailing-strings")
    except ValueError:
        return {}
    return found


def _lines(value: Json, name: str = "") -> Iterator[str]:
    match value:
        case str() if value:
            yield value if not name or name in _PLAIN else f"{_words(name)}: {value}"
        case dict():
            for key, item in value.items():
                if key not in _SKIPPED:
                    yield from _lines(item, key)
        case list():
            for item in value:
                yield from _lines(item, name)
                if isinstance(item, dict):
                    yield ""


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
