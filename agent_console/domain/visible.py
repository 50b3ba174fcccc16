"""Characters that hide or reorder text, made visible: what a reviewer reads is what is there.

Controls, bidirectional overrides, zero-width characters, invisible fillers, tags, private-use
characters and spaces that only look like spaces are replaced by escapes such as ``⟨U+202E⟩``
(Unicode Technical Report 36; the "Trojan Source" attack is the best-known case). So are Cyrillic
and Greek letters that look like Latin ones where they stand in a word with Latin letters.
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
# Drawn like Latin letters in common fonts (Unicode Technical Standard 39, confusables).
_LOOK_ALIKE = frozenset(
    "асеорѕхуіјһԁӏԛԝАВЕЅІЈКМНОРСТУХԌԚԜ"  # Cyrillic
    "οϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ"  # Greek
)
_WORD = re.compile(r"\w+")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Revealed:
    """Text that may be shown, and how many of its characters were not what they seemed."""

    text: str
    hidden: int = 0


def reveal(text: str) -> Revealed:
    """Return ``text`` with every hidden or look-alike character written as ``⟨U+XXXX⟩``.

    Newlines, tabs, spaces and Windows line ends (CR LF) stay. Length is not limited.
    """
    if text.isascii() and text.isprintable():
        return Revealed(text)
    plain = _unmask(text)
    hidden = [c for c in set(plain.text) if is_hidden(c)]
    if not hidden:
        return plain
    text, count = plain.text, plain.hidden

    def escape(match: re.Match[str]) -> str:
        nonlocal count
        char, at = match[0], match.start()
        if (char == "\r" and text.startswith("\n", at + 1)) or _EMOJI.match(text, at):
            return char
        count += 1
        return _escaped(char)

    shown = re.sub("[" + "".join(map(re.escape, hidden)) + "]", escape, text)
    return Revealed(shown, count)


def _unmask(text: str) -> Revealed:
    """Write out letters that only look Latin, in words that hold Latin ones."""
    if _LOOK_ALIKE.isdisjoint(text):
        return Revealed(text)
    count = 0

    def spell(match: re.Match[str]) -> str:
        nonlocal count
        word = match[0]
        if _LATIN.search(word) is None:
            return word
        count += sum(char in _LOOK_ALIKE for char in word)
        return "".join(_escaped(char) if char in _LOOK_ALIKE else char for char in word)

    return Revealed(_WORD.sub(spell, text), count)


def _escaped(char: str) -> str:
    return f"⟨U+{ord(char):04X}⟩"


def is_hidden(char: str) -> bool:
    """Say whether one character would not be seen, or would move others."""
    if char in _PLAIN:
        return False
    category = unicodedata.category(char)
    return category in _HIDDEN_CATEGORIES or category == "Zs" or char in _INVISIBLE
