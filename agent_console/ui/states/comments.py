"""What people say on the card that is open: read with the desk, changed by its own verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.comments import MAX_COMMENT, Comment, CommentQuery, settled
from agent_console.domain.queries import MAX_LIMIT
from agent_console.domain.visible import reveal
from agent_console.services.job_requests import who
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.components.comment_models import CommentView, ThreadView
from agent_console.ui.components.review_comments import FIELD
from agent_console.ui.guard import guarded
from agent_console.ui.live import LiveState
from agent_console.ui.views import iso, shown

SHOWN = 20  # latest comments, until somebody asks for more


class CommentThread(LiveState, mixin=True):
    """The comments on the open card. ``editing`` is the one that is being changed."""

    thread: ThreadView = ThreadView()
    editing: str = ""
    comment_error: str = ""
    _comments_shown: int = SHOWN

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def comment(self, form: dict[str, Any]) -> EventSpec | None:
        """Say what was typed; what could not be said goes back into the field."""
        body = _typed(form)
        on = str(form.get("checkpoint_id", ""))[:100]
        if not body:
            self._put(comment_error="Write something first.")
            return None
        if await self._about_comment(bridge.services().comments.add, on, body):
            return None
        return rx.set_value(FIELD, body)

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def edit_comment(self, form: dict[str, Any]) -> None:
        """Keep the changed text of the comment that is being edited."""
        edit, comment_id = bridge.services().comments.edit, str(form.get("comment_id", ""))[:100]
        if await self._about_comment(edit, self._open_id(), comment_id, _typed(form)):
            self._put(editing="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def delete_comment(self, comment_id: str) -> None:
        """Take a comment of one's own away."""
        delete = bridge.services().comments.delete
        await self._about_comment(delete, self._open_id(), str(comment_id)[:100])

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def begin_edit(self, comment_id: str) -> None:
        """Edit a comment; "" for none any more."""
        self._put(editing=str(comment_id)[:100], comment_error="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def show_all_comments(self) -> None:
        """Show as many comments as there are."""
        self._comments_shown = MAX_LIMIT
        await self._reread(await self._actor())

    def _open_id(self) -> str:
        """Return which checkpoint is on the screen; for the page to say."""
        raise AssertionError(f"{type(self).__name__} does not say which card is open")

    async def _about_comment(self, use_case: Callable[..., object], *given: str) -> bool:
        actor = await self._actor()
        outcome = await bridge.call(use_case, actor, *given)
        failed = isinstance(outcome, Failure)
        self._put(comment_error=_words(outcome) if isinstance(outcome, Failure) else "")
        await self._reread(actor)
        return not failed


def read(actor: Actor, point: Checkpoint, limit: int) -> ThreadView:
    """Return the latest ``limit`` comments on ``point`` as ``actor`` sees them."""
    page = bridge.services().comments.page(actor, point.id, CommentQuery(limit=limit))
    may = actor.may(Permission.CHECKPOINTS_COMMENT)
    return ThreadView(
        comments=[_view(one, actor, point, may=may) for one in page.items],
        more=page.next_cursor is not None and limit < MAX_LIMIT,
        refusal="" if may else refusal(Permission.CHECKPOINTS_COMMENT),
    )


def _view(one: Comment, actor: Actor, point: Checkpoint, *, may: bool) -> CommentView:
    stands = one.deleted_at is None and settled(one, point.decided_at) is None
    return CommentView(
        id=one.id,
        author=shown(one.author_name, 60),
        at=iso(one.created_at),
        text=reveal(one.body).text,
        edited=one.edited_at is not None and one.deleted_at is None,
        deleted=one.deleted_at is not None,
        own=may and stands and one.author_id == who(actor),
        to_me=actor.id is not None and actor.id in one.mentions,
    )


def _typed(form: dict[str, Any]) -> str:
    return str(form.get("body", ""))[: MAX_COMMENT + 1].strip()


def _words(failure: Failure) -> str:
    return "; ".join(one.message for one in failure.fields) or failure.notice.text
