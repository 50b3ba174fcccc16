"""What a reviewer's words ask of the next round: findings to leave out, and what to look for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent_console.agents.findings import ResearchFinding
from agent_console.agents.words import words

_WITHOUT = re.compile(
    r"\b(?:without|drop|remove|omit|leave out|exclude|delete|not)\b"
    r"((?:[\s,;:]|\band\b|\bfindings?\b|\bthe\b|\bor\b|\bF\d{1,3}\b)+)",
    re.IGNORECASE,
)
_ID = re.compile(r"\bF\d{1,3}\b", re.IGNORECASE)
_SMALL = frozenset({"please", "add", "also", "look", "need", "want", "search", "include", "more"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """The wishes of all reviews so far. ``without`` are places: document id and start.

    ``notes`` are the reviewers' own words; ``fresh`` are the ``questions`` of the last review.
    """

    round: int = 1
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    without: frozenset[tuple[str, int]] = field(default_factory=frozenset)

    def after(self, feedback: str, shown: Sequence[ResearchFinding]) -> Wishes:
        """Return the wishes for the round after ``shown`` was sent back with ``feedback``."""
        dropped = {
            found.upper()
            for clause in _WITHOUT.finditer(feedback)
            for found in _ID.findall(clause.group(1))
        }
        places = {(f.source.document_id, f.source.start) for f in shown if f.id in dropped}
        rest = " ".join(_ID.sub(" ", _WITHOUT.sub(" ", feedback) if dropped else feedback).split())
        asked = rest.strip(" .,;:")[:500]
        wanted = set(words(asked)) - {word for small in _SMALL for word in words(small)}
        fresh = (asked,) if wanted else ()
        return replace(
            self,
            round=self.round + 1,
            notes=(*self.notes, feedback.strip()),
            questions=self.questions + fresh,
            fresh=fresh,
            without=self.without | places,
        )
