"""Syntax colour as ranges beside the text, so that what an agent wrote stays plain text.

``colours`` says of every line which characters are a keyword, a string and so on, for
``assets/diff.js`` to colour. It decides nothing: with a file of an unknown kind, a long one or a
strange one it says nothing, and the text is read as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType

MAX_TEXT = 50_000  # characters; some 100 ms of work
MAX_LINE = 1_000  # a longer one was not written by hand, and costs most
MAX_SECONDS = 1.0  # of one text: what takes longer is no text the lexer was made for

_LEXERS = {
    alias: endings.split()
    for alias, endings in {
        "python": "py pyi",
        "javascript": "js mjs cjs jsx",
        "typescript": "ts mts cts tsx",
        "json": "json",
        "yaml": "yaml yml",
        "toml": "toml",
        "ini": "ini cfg",
        "html": "html htm",
        "xml": "xml svg",
        "css": "css",
        "scss": "scss",
        "sql": "sql",
        "bash": "sh bash",
        "go": "go",
        "rust": "rs",
        "java": "java",
        "kotlin": "kt",
        "csharp": "cs",
        "c": "c h",
        "cpp": "cc cpp hpp",
        "ruby": "rb",
        "php": "php",
        "swift": "swift",
        "docker": "dockerfile",
        "make": "makefile mk",
    }.items()
}
_BY_ENDING = {ending: alias for alias, endings in _LEXERS.items() for ending in endings}
# The first that a token is, or is below of, counts.
_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Keyword.Constant, "n"),
    (Keyword.Type, "t"),
    (Keyword, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Tag, "k"),
    (Name.Decorator, "t"),
    (Name.Attribute, "t"),
    (Name.Builtin, "t"),
)
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def colours(path: str, text: str | None) -> list[str]:
    """Return the coloured ranges of each line of ``text``, or nothing on any doubt.

    A line's are written like ``k0,3 s8,12``: a kind, from which character, how many. Kinds are
    (k)eyword, (s)tring, (c)omment, (n)umber or constant, (f)unction or class, (t)ype or name that
    the language gives. Lines end at newlines only; one with characters that browsers count as two
    has none.
    """
    alias = language(path)
    if not alias or not text or len(text) > MAX_TEXT:
        return []
    lines = text.split("\n")
    if max(map(len, lines)) > MAX_LINE:
        return []
    found: list[list[tuple[str, int, int]]] = [[] for _ in lines]
    deadline = time.monotonic() + MAX_SECONDS
    for number, kind, start, end in _ranges(alias, text):
        marks = found[number]
        if marks and marks[-1][0] == kind and marks[-1][2] == start:
            marks[-1] = (kind, marks[-1][1], end)
        else:
            marks.append((kind, start, end))
        if time.monotonic() > deadline:
            return []
    return [
        "" if _ASTRAL.search(line) else " ".join(f"{k}{i},{j - i}" for k, i, j in marks)
        for line, marks in zip(lines, found, strict=True)
    ]


def language(path: str) -> str:
    """Return the language of a file by its name, "" for one that is not known."""
    name = PurePosixPath(path.replace("\\", "/")).name.lower()
    return _BY_ENDING.get(name.rpartition(".")[2], "")


def _ranges(alias: str, text: str) -> Iterator[tuple[int, str, int, int]]:
    """Yield line, kind, and from and up to which character of it, of everything with a colour."""
    line = start_of_line = 0
    for at, token, value in _lexer(alias).get_tokens_unprocessed(text):
        kind = _kind(token)
        start = at
        for number, part in enumerate(value.split("\n")):
            if number:
                line += 1
                start_of_line = start
            if kind and part.strip():
                at_line = start - start_of_line
                yield line, kind, at_line, at_line + len(part)
            start += len(part) + 1


@lru_cache(maxsize=256)
def _kind(token: _TokenType) -> str:
    return next((kind for above, kind in _KINDS if token[: len(above)] == above), "")


@lru_cache(maxsize=len(_LEXERS))
def _lexer(alias: str) -> Lexer:
    return get_lexer_by_name(alias)
