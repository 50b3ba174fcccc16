"""View models of what people say about a checkpoint; every text went through ``reveal``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentView:
    """A comment; ``own`` ones can be changed. Of a ``deleted`` one there is no text."""

    id: str = ""
    author: str = ""
    at: str = ""
    text: str = ""
    edited: bool = False
    deleted: bool = False
    own: bool = False
    to_me: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadView:
    """The latest comments, oldest first; ``more`` were made before. ``refusal``: why not to add."""

    comments: list[CommentView] = field(default_factory=list)
    more: bool = False
    refusal: str = ""
