"""Picked rows of a list: one by one, through to another, all of the page."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from agent_console.domain.bulk import MAX_IDS


class Picking(rx.State, mixin=True):
    """Which rows are picked; each page says who may pick, and which rows there are."""

    picked: list[str] = []
    _anchor: str = ""

    def _pick(self, rows: Sequence[str], one: str, *, through: bool) -> None:
        """Pick a row or let go of it; ``through``: with all between it and the last one."""
        if one not in rows:
            return
        chosen = [one]
        if through and self._anchor in rows:
            ends = sorted((rows.index(self._anchor), rows.index(one)))
            chosen = list(rows[ends[0] : ends[1] + 1])
        if one in self.picked and not through:
            self.picked = [other for other in self.picked if other != one]
        else:
            self._pick_all(chosen)
        self._anchor = one

    def _pick_all(self, rows: Sequence[str]) -> None:
        self.picked = list(dict.fromkeys([*self.picked, *rows]))[:MAX_IDS]

    def _let_go(self) -> None:
        if self.picked:
            self.picked = []
        self._anchor = ""
