"""``checkpoints comments`` and ``comment``: what people say about a checkpoint."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agent_console.cli import checkpoints
from agent_console.cli.checkpoints import CHECKPOINT_ID
from agent_console.cli.output import JSON_OPTION, ago, document, say
from agent_console.cli.session import opened
from agent_console.domain.anchors import Place, in_words
from agent_console.domain.comments import Comment, CommentQuery
from agent_console.domain.errors import Invalid
from agent_console.domain.queries import MAX_LIMIT
from agent_console.domain.visible import reveal

app = checkpoints.app  # the same group: these are commands of ``checkpoints``


class TextSide(StrEnum):
    """Which of a change's two texts a line is in."""

    before = "before"
    after = "after"


@app.command("comments")
def list_comments(
    checkpoint_id: CHECKPOINT_ID,
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT)] = 50,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List what people said about a checkpoint: the latest comments, oldest of them first."""
    with opened() as (console, actor):
        page = console.services.comments.page(actor, checkpoint_id, CommentQuery(limit=limit))
    if as_json:
        from agent_console.api.schemas.base import Pagination

        shown = [_plain(one) for one in page.items]
        document({"comments": shown, "pagination": Pagination.of(page).model_dump(mode="json")})
        return
    for one in page.items:
        where = "" if one.anchor is None else f", on {in_words(one.anchor)}"
        say(f"{one.id}  {reveal(one.author_name + where).text}, {ago(one.created_at)}")
        for line in reveal(one.body).text.splitlines() or ["(deleted)"]:
            say(f"  {line}")
    if not page.items:
        say("Nobody has said anything.")


@app.command("comment")
def comment(
    checkpoint_id: CHECKPOINT_ID,
    body: Annotated[str, typer.Argument(help="What to say; @name mentions an account.")],
    *,
    path: Annotated[
        str | None, typer.Option("--file", help="Path, or title, of what a line is in.")
    ] = None,
    line: Annotated[int | None, typer.Option("--line", min=1, help="Its number.")] = None,
    side: Annotated[
        TextSide, typer.Option("--side", help="In the text that is there now, or would be.")
    ] = TextSide.after,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Comment on a checkpoint, or a line of it; its handler gets it with the decision."""
    if (path is None) != (line is None):
        raise Invalid("--file and --line go together.")
    place = Place(path=path, side=side.value, line=line) if path and line else None
    with opened() as (console, actor):
        made = console.services.comments.add(actor, checkpoint_id, body, place)
    if as_json:
        document({"comment": _plain(made)})
    else:
        say(made.id)


def _plain(one: Comment) -> dict[str, object]:
    from agent_console.api.schemas.comments import CommentOut

    return CommentOut.model_validate(one).model_dump(mode="json")
