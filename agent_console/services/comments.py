"""What people say about a checkpoint, beside deciding it."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.anchors import Place, anchored, found_again
from agent_console.domain.clock import Clock
from agent_console.domain.comments import (
    MAX_COMMENT,
    Comment,
    CommentQuery,
    LineComment,
    mentioned,
)
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.jobs import Json
from agent_console.domain.records import Page
from agent_console.services.allowance import Allowance
from agent_console.services.job_requests import text, who
from agent_console.store import comments as store
from agent_console.store.database import Database, Reader
from agent_console.store.reads import checkpoints

COMMENTS, WINDOW = 60, 60.0  # an account may make so many within so many seconds


class CommentService:
    """Use cases of comments. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, *, clock: Clock) -> None:
        """Work on ``db``; ``clock`` drives how much an account may say in a while."""
        self._db = db
        self._allowance = Allowance(clock, COMMENTS, WINDOW)

    def page(self, actor: Actor, checkpoint_id: str, query: CommentQuery) -> Page[Comment]:
        """Return the latest comments in the order they were made; the cursor goes back.

        Raises:
            Forbidden: the actor may not read the checkpoint.
            Invalid: a limit out of bounds, a strange cursor.
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        query.check()
        with self._db.read() as reader:
            if not checkpoints.exists(reader, checkpoint_id):
                raise NotFound(f"There is no checkpoint {checkpoint_id}.")
            return store.page(reader, checkpoint_id, query)

    def on_lines(self, actor: Actor, checkpoint_id: str) -> list[LineComment]:
        """Return what was said to lines of this round and those before, and where they are now.

        Raises:
            Forbidden: the actor may not read the checkpoint.
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            said = store.on_lines(reader, checkpoint_id)
            if not said and checkpoints.exists(reader, checkpoint_id):
                return []  # by far the most: no payload is read for them
            changes = _changes(reader, checkpoint_id)
        return [
            LineComment(comment, number, found_again(changes, comment.anchor))
            for comment, number in said
            if comment.anchor is not None
        ]

    def add(
        self, actor: Actor, checkpoint_id: str, body: str, place: Place | None = None
    ) -> Comment:
        """Say something, about a line if ``place`` is one; accounts after an ``@`` are mentioned.

        Raises:
            Forbidden: the actor may not comment.
            Invalid: there is nothing in it, it is too long, or there is no such line.
            NotFound: there is no such checkpoint.
            Conflict: the thread is full.
            RateLimited: the account said as much as it may for now.
        """
        authorize(actor, Permission.CHECKPOINTS_COMMENT)
        said = _checked(body)
        anchor = None
        if place is not None:
            with self._db.read() as reader:  # the payload never changes
                anchor = anchored(_changes(reader, checkpoint_id), place)
        self._allowance.take(who(actor))
        return self._db.write(
            lambda tx: store.add(
                tx,
                checkpoint_id,
                said,
                mentioned(said, store.accounts(tx) if "@" in said else ()),
                who=who(actor),
                actor=actor,
                anchor=anchor,
            )
        )

    def edit(self, actor: Actor, checkpoint_id: str, comment_id: str, body: str) -> Comment:
        """Say it in other words, as long as the checkpoint was not decided with it.

        Raises:
            Forbidden: the actor may not comment, or somebody else wrote it.
            Invalid, NotFound: as ``add``.
            Conflict: it is deleted, or part of what was decided upon.
        """
        authorize(actor, Permission.CHECKPOINTS_COMMENT)
        said = _checked(body)
        return self._db.write(
            lambda tx: store.edit(
                tx,
                checkpoint_id,
                comment_id,
                said,
                mentioned(said, store.accounts(tx) if "@" in said else ()),
                who=who(actor),
                actor=actor,
            )
        )

    def delete(self, actor: Actor, checkpoint_id: str, comment_id: str) -> Comment:
        """Take the words away; who said something, and when, stays.

        Raises:
            Forbidden, NotFound, Conflict: as ``edit``.
        """
        authorize(actor, Permission.CHECKPOINTS_COMMENT)
        return self._db.write(
            lambda tx: store.delete(tx, checkpoint_id, comment_id, who=who(actor), actor=actor)
        )


def _changes(reader: Reader, checkpoint_id: str) -> list[dict[str, Json]]:
    point = checkpoints.get(reader, checkpoint_id)
    if point is None:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")
    return point.changes


def _checked(body: str) -> str:
    said = body.strip()
    if not said:
        raise Invalid.field("body", "must not be empty.")
    text("body", said, MAX_COMMENT)
    return said
