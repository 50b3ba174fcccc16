"""Text from documents as Markdown that shows it as it is: no link, heading or tag comes of it."""

from __future__ import annotations

import re

_INLINE = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LEADING = re.compile(r"^(\s*)([-+=]|\d{1,9}(?=[.)]))")


def literal(text: str) -> str:
    """Return ``text`` in one line with everything that Markdown would read escaped."""
    line = _INLINE.sub(r"\\\1", " ".join(text.split()))
    found = _LEADING.match(line)
    if found is None:
        return line
    mark = found.group(2)
    if mark.isdigit():
        return f"{mark}\\{line[found.end() :]}"
    return f"\\{line}"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
