"""Words to search by: the same for both databases, because neither of them cuts the text.

Case, accents and width do not matter; a character of a script that is written without spaces is a
word of its own. A database is handed finished words and only has to find them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_WORD = 64  # characters of a word that count
MAX_INDEX = 900_000  # bytes of different words kept of one text; PostgreSQL's limit is 1 MiB
MIN_BEGINNING = 3  # letters of a word that is taken for the beginning of others
MAX_TERMS = 32  # words of a search that count
_CHUNK = 1_000_000  # characters of a text that are looked at together
# Ideographs, kana and the scripts of South-East Asia stand alone; letters and digits run together.
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_ID = re.compile(r"[a-z]{2,8}_[0-9a-z]{8,64}")
# Facts are words too, marked by characters that no text's word holds.
_MARKS = {"artifact_id": "\ue000", "job_id": "\ue001", "artifact_type": "\ue002"}
_PLAIN = re.compile(r"[0-9A-Za-z_]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A word that must be there; with ``prefix`` as the beginning of one."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for: all ``terms``, or the artifact called ``exact``; and ``facts``."""

    terms: tuple[Term, ...]
    facts: tuple[Term, ...] = ()
    exact: Term | None = None

    @property
    def possible(self) -> bool:
        """Say whether anything can be found: a search of signs alone names no word."""
        return bool(self.terms) or self.exact is not None


def words(text: str) -> Iterator[str]:
    """Return the words of ``text`` in order, folded and cut to ``MAX_WORD``."""
    for start in range(0, len(text), _CHUNK):
        for found in _WORD.finditer(_fold(text[start : start + _CHUNK])):
            yield found.group()[:MAX_WORD]


def index_text(facts: Mapping[str, str], *texts: str) -> str:
    """Return the different words of ``texts`` and ``facts``, parted by spaces.

    Of a text with more than ``MAX_INDEX`` bytes of different words the first ones are kept.
    """
    kept = dict.fromkeys(_mark(name, value) for name, value in facts.items())
    left = MAX_INDEX - sum(len(one.encode()) for one in kept)
    for text in texts:
        for word in words(text):
            if word in kept:
                continue
            left -= len(word.encode())
            if left < 0:
                return " ".join(kept)
            kept[word] = None
    return " ".join(kept)


def wanted(search: str, facts: Mapping[str, str | None]) -> Wanted | None:
    """Return what ``search`` means within ``facts``; None where nothing can be found.

    Each word is a beginning too, except short ones: they are the beginning of too much.
    """
    given = {name: value for name, value in facts.items() if value is not None}
    if not all(_PLAIN.fullmatch(value) for value in given.values()):
        return None  # no id and no type is made of other signs
    found = list(dict.fromkeys(words(search)))[:MAX_TERMS]
    named = search.strip()
    asked = Wanted(
        terms=tuple(Term(word, prefix=len(word) >= MIN_BEGINNING) for word in found),
        facts=tuple(Term(_mark(name, value)) for name, value in given.items()),
        exact=Term(_mark("artifact_id", named)) if _ID.fullmatch(named) else None,
    )
    return asked if asked.possible else None


def _mark(name: str, value: str) -> str:
    return _MARKS[name] + value


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
