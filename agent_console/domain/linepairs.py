"""Which removed line of a diff became which added one, and which words of the two differ.

Both columns of a diff that stands side by side come from here, and the marked words of either
layout. The cost is bounded: a line is compared with few others, a long one not word by word, and
beyond ``MAX_MARKED`` pairs no words are marked; the lines themselves are always whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Span = tuple[int, int]  # characters of a line, from and up to
Pair = tuple[int | None, int | None]  # places in a list of lines: what was, what will be

MAX_MARKED = 1_000  # pairs of lines whose words are compared
_LOOK_AHEAD = 8  # added lines, searched for what a removed one has become
_KIN = 0.4  # share of two lines' words that both have
_MAX_WORDS = 600  # of a line that is compared word by word
_WORD = re.compile(r"\d+(?:\.\d+)+|\w+|\s+|[^\w\s]")
_SPACE = re.compile(r"\s+")


def pair_run(
    removed: Sequence[str], added: Sequence[str]
) -> tuple[list[Pair], list[tuple[int, int]]]:
    """Return the rows of one change, and those of them whose lines are kin, in order.

    Numbers are places in ``removed`` and ``added``; every place is in exactly one row.
    """
    rows: list[Pair] = []
    kin: list[tuple[int, int]] = []
    i = j = 0
    for was, now in _kin(removed, added):
        rows += _beside(range(i, was), range(j, now))
        rows.append((was, now))
        kin.append((was, now))
        i, j = was + 1, now + 1
    rows += _beside(range(i, len(removed)), range(j, len(added)))
    return rows, kin


def changed_words(old: str, new: str) -> tuple[list[Span], list[Span]]:
    """Return the parts of two lines, which are kin, that the other one has otherwise."""
    was, now = _WORD.findall(old), _WORD.findall(new)
    if max(len(was), len(now)) > _MAX_WORDS:
        return [], []
    left: list[Span] = []
    right: list[Span] = []
    i = j = 0
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        old_length, new_length = len("".join(was[i1:i2])), len("".join(now[j1:j2]))
        if tag != "equal":
            left += [(i, i + old_length)] if old_length else []
            right += [(j, j + new_length)] if new_length else []
        i, j = i + old_length, j + new_length
    return _joined(left, old), _joined(right, new)


def _kin(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield pairs of lines that have much in common; both numbers rise."""
    words = [frozenset(_WORD.findall(line)) for line in added]
    start = 0
    for was, line in enumerate(removed):
        mine = frozenset(_WORD.findall(line))
        near = range(start, min(start + _LOOK_AHEAD, len(added)))
        best = max(near, key=lambda now: _share(mine, words[now]), default=None)
        if best is not None and _share(mine, words[best]) >= _KIN:
            yield was, best
            start = best + 1


def _share(mine: frozenset[str], other: frozenset[str]) -> float:
    told = {word for word in mine | other if not word.isspace()}
    return len(mine & other & told) / len(told) if told else 0.0


def _beside(old: Sequence[int], new: Sequence[int]) -> Iterator[Pair]:
    """Put lines that have nothing to do with each other into the same rows: that is shorter."""
    for place in range(max(len(old), len(new))):
        yield (
            old[place] if place < len(old) else None,
            new[place] if place < len(new) else None,
        )


def _joined(spans: Sequence[Span], text: str) -> list[Span]:
    """Join spans with nothing but space between them: they read as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and not _SPACE.sub("", text[joined[-1][1] : start]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
