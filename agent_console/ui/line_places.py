"""Lines of a card's differences as places in the page, with an id each; pure, no Reflex."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from agent_console.domain.anchors import MAX_PATH, Place, in_words, named
from agent_console.domain.comments import Comment, LineComment
from agent_console.domain.images import Side
from agent_console.domain.jobs import Json
from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.views import shown

MAX_SHOWN = 300  # characters of a line, or of a path, beside a comment
_ID = re.compile(r"line-(\d{1,6})-(before|after)-(\d{1,9})")


def paths_of(changes: Sequence[Mapping[str, Json]]) -> tuple[str, ...]:
    """Return by the number of a change what its lines are asked for by, "" where it has none."""
    paths = {index: path for path, index in named(changes).items()}
    return tuple(paths.get(index, "")[:MAX_PATH] for index in range(len(changes)))


def place_of(line_id: str, paths: Sequence[str]) -> Place | None:
    """Return the line that an element of the page stands for; None if it is none of ``paths``."""
    found = _ID.fullmatch(line_id)
    if found is None or int(found[1]) >= len(paths) or not paths[int(found[1])]:
        return None
    path = paths[int(found[1])]
    return Place(path=path, side=cast("Side", found[2]), line=int(found[3]))


def place_words(place: Place) -> str:
    """Return ``place`` as it is said, nothing of it hidden."""
    return in_words(replace(place, path=shown(place.path, MAX_SHOWN)))


class Lines:
    """The lines of one card, and what was said to them."""

    def __init__(
        self,
        changes: Sequence[Mapping[str, Json]],
        views: Sequence[ChangeView],
        said: Sequence[LineComment],
    ) -> None:
        """Take the changes of a card, as they are and as they are shown."""
        self._named = named(changes) if said else {}
        self._shown = {name for one in views for name in _ids(one)} if said else set()
        self._led = [(self._id(one.comment, one.line), one) for one in said if one.line is not None]
        self.said = Counter(line_id for line_id, _ in self._led)

    def below(self, most: int) -> dict[str, list[LineComment]]:
        """Return by the id of their line the latest comments, ``most`` in all, on shown lines."""
        found: dict[str, list[LineComment]] = {}
        shown_ones = [(line_id, one) for line_id, one in self._led if line_id in self._shown]
        for line_id, one in shown_ones[-most:]:
            found.setdefault(line_id, []).append(one)
        return found

    def own(self, comment: Comment) -> dict[str, Any]:
        """Return ``facts`` of a comment that was made on this very card."""
        return self.facts(comment, comment.anchor.line) if comment.anchor else {}

    def facts(self, comment: Comment, line: int | None) -> dict[str, Any]:
        """Return what a view says of the line of ``comment``, which stands at ``line`` now."""
        if comment.anchor is None or comment.deleted_at is not None:
            return {}
        name = "" if line is None else self._id(comment, line)
        return {
            "place": place_words(comment.anchor),
            "line": shown(comment.anchor.text.strip(), MAX_SHOWN),
            "href": f"#{name}" if name in self._shown else "",
        }

    def _id(self, comment: Comment, line: int) -> str:
        anchor = comment.anchor
        if anchor is None or anchor.path not in self._named:
            return ""
        return f"line-{self._named[anchor.path]}-{anchor.side}-{line}"


def _ids(view: ChangeView) -> list[str]:
    olds = [f"line-{view.key}-before-{line.old}" for line in view.lines if line.old]
    return olds + [f"line-{view.key}-after-{line.new}" for line in view.lines if line.new]
