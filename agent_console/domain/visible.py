"""Characters that hide or reorder text, made visible: what a reviewer reads is what is there.

Controls, bidirectional overrides, zero-width characters, invisible fillers, tags, private-use
characters and spaces that only look like spaces are replaced by escapes such as ``⟨U+202E⟩``
(Unicode Technical Report 36; the "Trojan Source" attack is the best-known case).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = frozenset("\n\t ")
# Letters, marks and symbols by category, yet drawn as nothing.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(c) for c in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)
_PICTURE = "[\u00a9\u00ae\u2190-\u2bff\U0001f000-\U0001faff]"
# An emoji's own joiner and colour selector, where they belong: after (and between) pictures.
_EMOJI = re.compile(
    f"(?<={_PICTURE})\ufe0f(?!\ufe0f)|(?<=[{_PICTURE[1:-1]}\ufe0f])\u200d(?={_PICTURE})"
)


@dataclass(frozen=True, slots=True)
class Revealed:
    """Text that may be shown, and how many of its characters would have been invisible."""

    text: str
    hidden: int = 0


def reveal(text: str) -> Revealed:
    """Return ``text`` with every hidden character written out as ``⟨U+XXXX⟩``.

    Newlines, tabs, spaces and Windows line ends (CR LF) stay. Length is not limited.
    """
    if text.isascii() and text.isprintable():
        return Revealed(text)
    hidden = [c for c in set(text) if is_hidden(c)]
    if not hidden:
        return Revealed(text)
    count = 0

    def escape(match: re.Match[str]) -> str:
        nonlocal count
        char, at = match[0], match.start()
        if (char == "\r" and text.startswith("\n", at + 1)) or _EMOJI.match(text, at):
            return char
        count += 1
        return f"⟨U+{ord(char):04X}⟩"

    shown = re.sub("[" + "".join(map(re.escape, hidden)) + "]", escape, text)
    return Revealed(shown, count)


def is_hidden(char: str) -> bool:
    """Say whether one character would not be seen, or would move others."""
    if char in _PLAIN:
        return False
    category = unicodedata.category(char)
    return category in _HIDDEN_CATEGORIES or category == "Zs" or char in _INVISIBLE
