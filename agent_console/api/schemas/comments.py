"""Wire models of comments on checkpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Pagination, Success, example
from agent_console.domain.comments import MAX_COMMENT


class CommentIn(In):
    """What to say, as plain text."""

    model_config = example(body="@ana is the second file meant to be there?")

    body: Annotated[StrictStr, StringConstraints(max_length=MAX_COMMENT, pattern=r"\S")]


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


class CommentAnswer(Success):
    """One comment."""

    comment: CommentOut


class CommentPage(Success):
    """Comments in the order in which they were made."""

    comments: list[CommentOut]
    pagination: Pagination
