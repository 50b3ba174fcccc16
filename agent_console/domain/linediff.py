"""A line diff whose cost is bounded: exact where that is affordable, never quadratic.

``difflib`` is quadratic already for a file in which every other line changed. Here common ends
are cut off, lines that occur exactly once on both sides become anchors (Bram Cohen's "patience
diff"), and only the small gaps between anchors go to ``difflib``. A gap that is still too big is
shown as removed and added: longer to read than needed, but never wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 3  # unchanged lines around a change
_GAP = 250_000  # lines before x lines after that ``difflib`` may be given at once
_TOTAL = 4_000_000  # the same, for all gaps of one diff


@dataclass(frozen=True, slots=True)
class Opcode:
    """``old[i1:i2]`` becomes ``new[j1:j2]``; ``equal`` when they are the same."""

    equal: bool
    i1: int
    i2: int
    j1: int
    j2: int


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return how ``old`` becomes ``new``: equal and unequal stretches in turn, all covered."""
    merged: list[Opcode] = []
    for op in _Differ(old, new).run():
        last = merged[-1] if merged else None
        if last and last.equal == op.equal:
            merged[-1] = Opcode(op.equal, last.i1, op.i2, last.j1, op.j2)
        elif op.i1 < op.i2 or op.j1 < op.j2:
            merged.append(op)
    return merged


def grouped(ops: Sequence[Opcode], context: int = CONTEXT) -> Iterator[list[Opcode]]:
    """Split at long unchanged stretches; each group keeps ``context`` lines at its ends."""
    group: list[Opcode] = []
    for index, op in enumerate(ops):
        if not op.equal:
            group.append(op)
            continue
        length = op.i2 - op.i1
        first, last = index == 0, index == len(ops) - 1
        if not first and not last and length <= 2 * context:
            group.append(op)
            continue
        if not first:
            keep = min(context, length)
            group.append(Opcode(True, op.i1, op.i1 + keep, op.j1, op.j1 + keep))
            yield group
        keep = min(context, length)
        group = [Opcode(True, op.i2 - keep, op.i2, op.j2 - keep, op.j2)] if not last else []
    if any(not op.equal for op in group):
        yield group


class _Differ:
    """One comparison; keeps what is left of the budget."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self.old = old
        self.new = new
        self.left = _TOTAL

    def run(self) -> Iterator[Opcode]:
        old, new = self.old, self.new
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        yield Opcode(True, 0, head, 0, head)
        i, j = head, head
        end_i, end_j = len(old) - tail, len(new) - tail
        for anchor_i, anchor_j in self._anchors(head, end_i, head, end_j):
            yield from self._gap(i, anchor_i, j, anchor_j)
            yield Opcode(True, anchor_i, anchor_i + 1, anchor_j, anchor_j + 1)
            i, j = anchor_i + 1, anchor_j + 1
        yield from self._gap(i, end_i, j, end_j)
        yield Opcode(True, end_i, len(old), end_j, len(new))

    def _anchors(self, i1: int, i2: int, j1: int, j2: int) -> list[tuple[int, int]]:
        """Return the longest rising run of lines that are unique on both sides."""
        if (i2 - i1) * (j2 - j1) <= _GAP:
            return []  # small enough for an exact answer
        once_old = Counter(self.old[i1:i2])
        once_new = Counter(self.new[j1:j2])
        at = {line: j for j, line in enumerate(self.new[j1:j2], j1) if once_new[line] == 1}
        pairs = [
            (i, at[line])
            for i, line in enumerate(self.old[i1:i2], i1)
            if line in at and once_old[line] == 1
        ]
        return _rising(pairs)

    def _gap(self, i1: int, i2: int, j1: int, j2: int) -> Iterator[Opcode]:
        cost = (i2 - i1) * (j2 - j1)
        if cost == 0 or cost > min(_GAP, self.left):
            yield Opcode(False, i1, i2, j1, j2)
            return
        self.left -= cost
        matcher = SequenceMatcher(None, self.old[i1:i2], self.new[j1:j2], autojunk=False)
        for tag, a1, a2, b1, b2 in matcher.get_opcodes():
            yield Opcode(tag == "equal", i1 + a1, i1 + a2, j1 + b1, j1 + b2)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    for index, (a, b) in enumerate(zip(old, new, strict=False)):
        if a != b:
            return index
    return min(len(old), len(new))


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence whose second members rise (patience sorting)."""
    tops: list[int] = []
    top_index: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        previous.append(top_index[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(j)
            top_index.append(index)
        else:
            tops[pile] = j
            top_index[pile] = index
    chain: list[tuple[int, int]] = []
    index = top_index[-1] if top_index else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
