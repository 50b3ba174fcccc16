"""What people say about a checkpoint, at the end of its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import reflex as rx

from agent_console.domain.comments import MAX_COMMENT
from agent_console.ui.components.basics import OFFLINE, icon, verb_button
from agent_console.ui.components.comment_head import comment_head
from agent_console.ui.components.comment_models import CommentView, PlaceView, ThreadView
from agent_console.ui.components.review_content import part
from agent_console.ui.components.review_models import BodyView
from agent_console.ui.elements import NativeLink

FIELD = "comment-text"
CHOSEN = "comment-line"  # the form by which assets/diff.js says which line was chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadVerbs:
    """What the section calls, and what it shows of it: the one that is edited, what was refused.

    ``begin`` takes the comment to edit, "" for none. ``speak_of`` takes the form that names a line
    (``assets/diff.js`` sends it), an empty one for none; ``saying`` is the line that holds.
    """

    add: rx.event.EventType[()]
    edit: rx.event.EventType[()]
    begin: Callable[[rx.Var[str] | str], rx.event.EventType[()]]
    delete: Callable[[rx.Var[str]], rx.event.EventType[()]]
    show_all: rx.event.EventType[()]
    speak_of: rx.EventHandler
    saying: rx.Var[PlaceView]
    editing: rx.Var[str]
    error: rx.Var[str]


def thread_section(
    body: rx.Var[BodyView], thread: rx.Var[ThreadView], verbs: ThreadVerbs
) -> rx.Component:
    """Return the thread of the open card, and the field to add to it."""
    return part(
        "Comments",
        rx.cond(
            thread.more,
            rx.button(
                "Earlier comments",
                on_click=verbs.show_all,
                size="1",
                variant="soft",
                color_scheme="gray",
                type="button",
            ),
        ),
        _earlier(thread, verbs),
        rx.el.ol(
            rx.foreach(
                thread.comments, lambda one: _comment(cast("rx.Var[CommentView]", one), verbs)
            ),
            class_name="card-comments",
            role="list",
            aria_label="Comments",
            aria_live="polite",
        ),
        _box(body, thread, verbs),
        _chosen_line(verbs),
        aside=rx.el.span("handed to the job with the decision", class_name="ac-meta card-aside"),
    )


def _earlier(thread: rx.Var[ThreadView], verbs: ThreadVerbs) -> rx.Component:
    """Show what was said to lines in the rounds before, so that it is not said in vain."""
    return rx.cond(
        thread.earlier.length() > 0,
        rx.el.ol(
            rx.foreach(
                thread.earlier, lambda one: _comment(cast("rx.Var[CommentView]", one), verbs)
            ),
            class_name="card-comments comment-earlier",
            role="list",
            aria_label="Comments on lines in earlier rounds",
        ),
    )


def _chosen_line(verbs: ThreadVerbs) -> rx.Component:
    """Return the form that tells which line's number was pressed; nobody sees it."""
    return rx.form(
        rx.el.input(type="hidden", name="place"),
        on_submit=verbs.speak_of,
        id=CHOSEN,
        hidden=True,
    )


def _place(one: rx.Var[CommentView]) -> rx.Component:
    where = rx.cond(
        one.href != "",
        NativeLink.create(one.place, href=one.href, class_name="comment-where"),
        rx.el.span(one.place),
    )
    old = rx.el.span("outdated", class_name="ac-mark", custom_attrs={"data-tone": "amber"})
    return rx.cond(
        one.place != "",
        rx.el.p(
            where,
            rx.cond(one.outdated, old),
            rx.cond(one.line != "", rx.el.code(one.line, class_name="ac-cut", title=one.line)),
            class_name="card-line ac-meta comment-place",
        ),
    )


def _comment(one: rx.Var[CommentView], verbs: ThreadVerbs) -> rx.Component:
    mark = rx.el.span(
        icon("at_sign", 12),
        "mentions you",
        class_name="ac-mark",
        custom_attrs={"data-tone": "blue"},
    )
    said = rx.cond(
        one.deleted,
        rx.el.p("This comment was deleted.", class_name="ac-meta comment-text"),
        rx.el.p(one.text, class_name="comment-text"),
    )
    return rx.el.li(
        comment_head(one, rx.cond(one.to_me, mark), rx.cond(one.own, _verbs(one, verbs))),
        _place(one),
        rx.cond(verbs.editing == one.id, _editor(one, verbs), said),
        id="said-" + one.id,  # where the comment below its line leads to
        key=one.id,
        data_testid="comment",
    )


def _verbs(one: rx.Var[CommentView], verbs: ThreadVerbs) -> rx.Component:
    return rx.el.span(
        *[
            rx.button(
                label,
                on_click=event,
                size="1",
                variant="ghost",
                color_scheme="gray",
                type="button",
                disabled=OFFLINE,
                aria_label=f"{label} comment",
            )
            for label, event in (("Edit", verbs.begin(one.id)), ("Delete", verbs.delete(one.id)))
        ],
        class_name="comment-verbs",
    )


def _editor(one: rx.Var[CommentView], verbs: ThreadVerbs) -> rx.Component:
    return rx.form(
        rx.el.input(type="hidden", name="comment_id", default_value=one.id),
        rx.el.textarea(
            name="body",
            rows=3,
            max_length=MAX_COMMENT,
            default_value=one.text,
            aria_label="Changed comment",
            auto_focus=True,
            class_name="ac-input",
        ),
        rx.el.div(
            rx.button("Save", type="submit", size="1", variant="surface", disabled=OFFLINE),
            rx.button(
                "Cancel",
                type="button",
                size="1",
                variant="soft",
                color_scheme="gray",
                on_click=verbs.begin(""),
            ),
            class_name="comment-verbs",
        ),
        on_submit=verbs.edit,
        class_name="comment-box",
    )


def _bound(verbs: ThreadVerbs) -> rx.Component:
    """Say which line the next comment is about, and let go of it."""
    about = rx.el.div(
        icon("message_square", 13),
        rx.el.span("On ", verbs.saying.words, id="comment-place", class_name="ac-cut"),
        rx.el.button(
            icon("x", 14),
            type="button",
            on_click=verbs.speak_of({}),
            class_name="ac-icon",
            title="Comment on all of it instead",
            aria_label="Comment on all of it instead",
        ),
        class_name="card-line ac-meta comment-bound",
    )
    return rx.cond(verbs.saying.id != "", about)


def _box(body: rx.Var[BodyView], thread: rx.Var[ThreadView], verbs: ThreadVerbs) -> rx.Component:
    return rx.form(
        rx.el.input(type="hidden", name="checkpoint_id", value=body.id, read_only=True),
        rx.el.input(type="hidden", name="place", value=verbs.saying.id, read_only=True),
        _bound(verbs),
        rx.el.textarea(
            name="body",
            id=FIELD,
            rows=2,
            max_length=MAX_COMMENT,
            placeholder="Say something; @name tells somebody",
            aria_label="Comment",
            disabled=thread.refusal != "",
            title=thread.refusal,
            class_name="ac-input",
            custom_attrs={
                "data-draft": body.id + ":comment",
                "aria-describedby": "comment-place comment-error",
            },
        ),
        rx.el.p(verbs.error, id="comment-error", class_name="ac-error", role="alert"),
        verb_button(
            "Comment",
            reason=thread.refusal,
            type="submit",
            size="1",
            variant="soft",
            color_scheme="gray",
        ),
        on_submit=verbs.add,
        reset_on_submit=True,
        class_name="comment-box",
    )
