"""Words as a search compares them: lower case, without the common ones, endings folded."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:[.,:][0-9]+)*")
_COMMON = (
    "a about above after again all also am an and any are as at be because been before being "
    "below between both but by can could did do does doing down during each few for from "
    "further had has have having he her here hers him his how i if in into is it its itself "
    "just me more most my no nor not now of off on once only or other our ours out over own "
    "please same she should so some such than that the their theirs them then there these they "
    "this those through to too under until up us very was we were what when where which while "
    "who whom why will with would you your whether give tell say list name show describe find "
    "many much summarise summarize explain compare analyse analyze research overview "
)
COMMON = frozenset(_COMMON.split())


def words(text: str) -> list[str]:
    """Return the words of ``text`` that carry meaning, folded, in order, repetitions kept."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return [fold(word) for word in _WORD.findall(plain) if word not in COMMON]


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Return ``word`` without its English ending, so that "risks" finds "risk".

    A light folding on purpose: it joins plurals and verb forms and leaves short words, figures and
    other languages alone.
    """
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]  # planned: plann: plan
    return word.removesuffix("e") if len(word) > 3 else word
