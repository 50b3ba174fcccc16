"""Wire models of comments on checkpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Pagination, Success, example
from agent_console.domain.anchors import MAX_PATH, Place
from agent_console.domain.comments import MAX_COMMENT, LineComment
from agent_console.domain.images import Side

Body = Annotated[StrictStr, StringConstraints(max_length=MAX_COMMENT, pattern=r"\S")]
PATH = "The file's path, or the title of a text, as in the checkpoint's `changes`."
SIDE = "Of the text that is there now, or the one that would be."
LINE = "The line's number, from 1; lines end at newlines."


class PlaceIn(In):
    """A line of what the checkpoint would change."""

    path: Annotated[StrictStr, Field(max_length=MAX_PATH, description=PATH)]
    side: Annotated[Side, Field(description=SIDE)]
    line: Annotated[StrictInt, Field(ge=1, le=2**31 - 1, description=LINE)]

    def place(self) -> Place:
        """Return it as the services take it."""
        return Place(path=self.path, side=self.side, line=self.line)


class CommentIn(In):
    """What to say, as plain text, and about which line; without `anchor` about all of it."""

    model_config = example(
        body="@ana is this line meant to be there?",
        anchor={"path": "src/app.py", "side": "after", "line": 12},
    )

    body: Body
    anchor: PlaceIn | None = None


class CommentChangeIn(In):
    """The text that takes the place of the one before; what it is about stays."""

    model_config = example(body="@ana is the second file meant to be there?")

    body: Body


class AnchorOut(Out):
    """A line of what the checkpoint would change, and how it reads."""

    path: str = Field(description=PATH)
    side: Side = Field(description=SIDE)
    line: int = Field(description=LINE)
    text: str = Field(description="The line, cut at 1,000 characters.")


class CommentOut(Out):
    """A comment; a deleted one has no ``body`` any more."""

    id: str
    checkpoint_id: str
    author_id: str
    author_name: str
    body: str
    mentions: list[str] = Field(description="Ids of the accounts that it mentions.")
    created_at: Instant
    edited_at: Instant | None
    deleted_at: Instant | None
    anchor: AnchorOut | None = Field(description="The line it is about; null: all of it.")


class CommentAnswer(Success):
    """One comment."""

    comment: CommentOut


class CommentPage(Success):
    """Comments in the order in which they were made."""

    comments: list[CommentOut]
    pagination: Pagination


class LineCommentOut(CommentOut):
    """A comment on a line, said in this round or one before."""

    round: int
    current_line: int | None = Field(
        description="Where that line stands in this round; null: it does not read so any more."
    )

    @classmethod
    def of(cls, one: LineComment) -> LineCommentOut:
        """Return ``one`` on the wire."""
        said = CommentOut.model_validate(one.comment).model_dump()
        return cls(**said, round=one.round, current_line=one.line)


class LineComments(Success):
    """Comments on lines, oldest round first."""

    comments: list[LineCommentOut]
