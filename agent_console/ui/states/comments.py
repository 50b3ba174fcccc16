"""What people say on the card that is open: read with the desk, changed by its own verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.checkpoints import Checkpoint
from agent_console.domain.comments import (
    MAX_COMMENT,
    Comment,
    CommentQuery,
    LineComment,
    settled,
)
from agent_console.domain.queries import MAX_LIMIT
from agent_console.domain.visible import reveal
from agent_console.services.job_requests import who
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.components.comment_models import (
    CommentView,
    PlaceView,
    RemarkView,
    ThreadView,
)
from agent_console.ui.components.review_comments import FIELD
from agent_console.ui.guard import guarded
from agent_console.ui.line_places import Lines, paths_of, place_of, place_words
from agent_console.ui.live import LiveState
from agent_console.ui.views import iso, shown

SHOWN = 20  # latest comments, until somebody asks for more
BELOW = 100  # comments below their lines, of one card
MAX_BELOW = 1_000  # characters of one there; the thread has all of it


class CommentThread(LiveState, mixin=True):
    """The comments on the open card.

    ``saying`` is the line that the next one will be about, ``editing`` the one being changed.
    """

    thread: ThreadView = ThreadView()
    saying: PlaceView = PlaceView()
    editing: str = ""
    comment_error: str = ""
    _comments_shown: int = SHOWN
    _paths: tuple[str, ...] = ()  # of the changes on the card, for the lines of them

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def comment(self, form: dict[str, Any]) -> EventSpec | None:
        """Say what was typed; what could not be said goes back into the field."""
        body = _typed(form)
        on = str(form.get("checkpoint_id", ""))[:100]
        if not body:
            self._put(comment_error="Write something first.")
            return None
        line_id = str(form.get("place", ""))
        place = place_of(line_id, self._paths) if on == self._open_id() else None
        if line_id and place is None:
            self._put(comment_error="This line cannot be spoken of by itself.")
        elif await self._about_comment(bridge.services().comments.add, on, body, place):
            self._put(saying=PlaceView())
            return None
        return rx.set_value(FIELD, body)

    @rx.event
    @guarded(Permission.CHECKPOINTS_COMMENT)
    async def speak_of(self, form: dict[str, Any]) -> EventSpec:
        """Make the next comment one about the line that was chosen; without any, about all."""
        line_id = str(form.get("place", ""))
        place = place_of(line_id, self._paths)
        chosen = PlaceView(id=line_id, words=place_words(place)) if place else PlaceView()
        self._put(saying=chosen, comment_error="")
        return rx.set_focus(FIELD)

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

    def _begin_thread(self, point: Checkpoint | None) -> None:
        """Start anew, on another card."""
        self._put(editing="", comment_error="", saying=PlaceView(), _comments_shown=SHOWN)
        self._paths = paths_of(point.changes) if point else ()

    def _open_id(self) -> str:
        """Return which checkpoint is on the screen; for the page to say."""
        raise AssertionError(f"{type(self).__name__} does not say which card is open")

    async def _about_comment(self, use_case: Callable[..., object], *given: object) -> bool:
        actor = await self._actor()
        outcome = await bridge.call(use_case, actor, *given)
        failed = isinstance(outcome, Failure)
        self._put(comment_error=_words(outcome) if isinstance(outcome, Failure) else "")
        await self._reread(actor)
        return not failed


def read(actor: Actor, point: Checkpoint, limit: int, changes: Sequence[ChangeView]) -> ThreadView:
    """Return the latest ``limit`` comments on ``point``, and to its lines, as ``actor`` sees them.

    ``changes`` are those of the point as they are shown.
    """
    service = bridge.services().comments
    page = service.page(actor, point.id, CommentQuery(limit=limit))
    on_lines = service.on_lines(actor, point.id)
    lines = Lines(point.changes, changes, on_lines)
    may = actor.may(Permission.CHECKPOINTS_COMMENT)
    earlier = [one for one in on_lines if one.comment.checkpoint_id != point.id]
    in_thread = {one.id for one in page.items} | {one.comment.id for one in earlier}
    return ThreadView(
        comments=[_view(one, actor, point, may=may, **lines.own(one)) for one in page.items],
        earlier=[
            _view(
                one.comment,
                actor,
                point,
                may=False,
                outdated=one.line is None,
                round=f"round {one.round}",
                **lines.facts(one.comment, one.line),
            )
            for one in earlier
        ],
        said=dict(lines.said),
        below={
            line_id: [_remark(one, point, in_thread) for one in said]
            for line_id, said in lines.below(BELOW).items()
        },
        more=page.next_cursor is not None and limit < MAX_LIMIT,
        refusal="" if may else refusal(Permission.CHECKPOINTS_COMMENT),
    )


def _view(one: Comment, actor: Actor, point: Checkpoint, *, may: bool, **line: Any) -> CommentView:
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
        **line,
    )


def _remark(one: LineComment, point: Checkpoint, in_thread: set[str]) -> RemarkView:
    said = one.comment
    return RemarkView(
        id=said.id,
        author=shown(said.author_name, 60),
        at=iso(said.created_at),
        text=shown(said.body, MAX_BELOW),
        edited=said.edited_at is not None,
        round="" if said.checkpoint_id == point.id else f"round {one.round}",
        href=f"#said-{said.id}" if said.id in in_thread else "",
    )


def _typed(form: dict[str, Any]) -> str:
    return str(form.get("body", ""))[: MAX_COMMENT + 1].strip()


def _words(failure: Failure) -> str:
    return "; ".join(one.message for one in failure.fields) or failure.notice.text
