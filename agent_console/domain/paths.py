"""Which relative paths a workspace takes: the same answer on every file system.

A path is refused when any common system would read it otherwise than it looks: Windows drives,
streams, reserved names and trailing dots; backslashes; Unicode forms that fold together; hidden
characters. What is accepted names one file below the root, and only one, everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.visible import reveal

MAX_PATH = 1_024  # bytes of UTF-8
MAX_PART = 200  # bytes; 255 is the limit of file systems
MAX_PARTS = 32
TEMP_PREFIX = ".agent-console-"  # the workspace's own unfinished files

_FORBIDDEN = re.compile(r'[\\:*?"<>|]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(\..*)?", re.IGNORECASE
)


def check_path(path: str, field: str = "path") -> tuple[str, ...]:
    """Return the parts of ``path``, or say what is wrong with it.

    Raises:
        Invalid: the path could leave the workspace, hide, or mean something else elsewhere.
    """
    problem = _problem(path)
    if problem:
        raise Invalid.field(field, problem)
    return tuple(path.split("/"))


def check_paths(paths: Iterable[str], field: str = "files") -> None:
    """Check each path, and that no two of them are one file on some system.

    Raises:
        Invalid: names every offender as ``{field}.{index}.path``.
    """
    errors: list[FieldError] = []
    seen: dict[str, str] = {}
    parents: dict[str, str] = {}
    for index, path in enumerate(paths):
        problem = _problem(path) or _collision(path, seen, parents)
        if problem:
            errors.append(FieldError(f"{field}.{index}.path", problem))
            continue
        key = fold(path)
        seen[key] = path
        for end in (i for i, char in enumerate(key) if char == "/"):
            parents.setdefault(key[:end], path)
    if errors:
        raise Invalid(fields=errors)


def fold(path: str) -> str:
    """Return what case- and form-insensitive file systems compare."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def _collision(path: str, seen: dict[str, str], parents: dict[str, str]) -> str:
    key = fold(path)
    if key in seen:
        same = "is given twice" if seen[key] == path else f"is the same file as {seen[key]!r}"
        return f"{same} on some systems" if seen[key] != path else same
    if key in parents:
        return f"is a file here and a directory in {parents[key]!r}"
    for end in (i for i, char in enumerate(key) if char == "/"):
        if key[:end] in seen:
            return f"needs a directory where {seen[key[:end]]!r} is a file"
    return ""


def _problem(path: str) -> str:
    if not path:
        return "is empty"
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "contains half of a surrogate pair"
    if size > MAX_PATH:
        return f"is longer than {MAX_PATH} bytes"
    if reveal(path).hidden or not path.replace(" ", "x").isprintable():
        return "contains hidden, control or look-alike characters"
    if path.startswith("/"):
        return "must be relative to the workspace, not absolute"
    forbidden = _FORBIDDEN.search(path)
    if forbidden:
        return f"contains {forbidden[0]!r}; use / between directories"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in Unicode normal form C"
    parts = path.split("/")
    if len(parts) > MAX_PARTS:
        return f"has more than {MAX_PARTS} parts"
    return next((problem for part in parts if (problem := _part_problem(part))), "")


def _part_problem(part: str) -> str:
    if not part:
        return "has an empty part (// or a trailing /)"
    if part in {".", ".."}:
        return f"has the part {part!r}, which would leave or repeat a directory"
    if part[-1] in " ." or part[0] == " ":
        return f"has a part that begins or ends with a space or ends with a dot: {part!r}"
    if len(part.encode()) > MAX_PART:
        return f"has a part longer than {MAX_PART} bytes"
    if _RESERVED.fullmatch(part):
        return f"has the part {part!r}, a reserved name on Windows"
    plain = unicodedata.normalize("NFKC", part)
    if plain != part and (set(plain) & set("/\\:") or not plain.strip(" .")):
        return f"has the part {part!r}, which looks like a separator or a dot"
    if fold(part).startswith(TEMP_PREFIX):
        return f"has a part that begins with {TEMP_PREFIX!r}, which is the workspace's own"
    return ""


def _as_value_error(path: str) -> str:
    problem = _problem(path)
    if problem:
        raise ValueError(problem)  # the form in which pydantic collects errors by field
    return path


WorkspacePath = Annotated[str, AfterValidator(_as_value_error)]
"""A field type for input models: text that ``check_path`` accepts."""
