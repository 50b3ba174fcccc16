"""View models of what people say about a checkpoint; every text went through ``reveal``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentView:
    """A comment; ``own`` ones can be changed. Of a ``deleted`` one there is no text.

    ``place`` says which line it is about, "" for none, ``line`` how that read, and ``href`` leads
    to it where it is on the card; ``outdated`` ones are of lines that do not read so any more, and
    ``round`` names the round it was made in, "" for this one.
    """

    id: str = ""
    author: str = ""
    at: str = ""
    text: str = ""
    edited: bool = False
    deleted: bool = False
    own: bool = False
    to_me: bool = False
    place: str = ""
    line: str = ""
    href: str = ""
    outdated: bool = False
    round: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkView:
    """A comment below its line, a long one cut; ``round`` as in ``CommentView``.

    ``href`` leads to it in the thread, "" where that does not show it.
    """

    id: str = ""
    author: str = ""
    at: str = ""
    text: str = ""
    edited: bool = False
    round: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadView:
    """The latest comments, oldest first; ``more`` were made before. ``refusal``: why not to add.

    ``earlier`` are those on lines of the rounds before. By the id of the line that they are about
    (``line_places``), ``said`` counts comments, and ``below`` has those to show below it.
    """

    comments: list[CommentView] = field(default_factory=list)
    earlier: list[CommentView] = field(default_factory=list)
    said: dict[str, int] = field(default_factory=dict)
    below: dict[str, list[RemarkView]] = field(default_factory=dict)
    more: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """The line that the next comment will be about: its id in the page, and in words; "": none."""

    id: str = ""
    words: str = ""
