"""The chat: conversations beside the open one."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.domain.chat import MAX_MESSAGE
from agent_console.ui import shell
from agent_console.ui.chat_views import MessageView, SessionRow
from agent_console.ui.components.basics import bones, empty, icon, pick, verb_button, words
from agent_console.ui.components.markdown import markdown
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.chat import FIELD, Chat

OPEN = Chat.open


def chat_button(on_click: rx.event.EventType[()]) -> rx.Component:
    """Return the button that opens the conversation on something."""
    return verb_button(
        "Chat", icon_name="messages_square", variant="soft", color_scheme="gray", on_click=on_click
    )


def _row(row: rx.Var[SessionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.link(
                row.title,
                href=row.href,
                class_name="ac-cover ac-cut",
                underline="none",
                title=row.title,
                custom_attrs={"aria-current": words(row.current, "true", "false")},
            ),
            rx.cond(
                row.unread != "",
                rx.el.span(
                    row.unread, rx.el.span(" unread", class_name="ac-sr"), class_name="ac-count"
                ),
            ),
            class_name="chat-title",
        ),
        rx.el.div(row.preview, class_name="ac-meta ac-cut"),
        rx.el.div(
            rx.cond(row.about != "", rx.el.span(row.about)),
            moment(row.updated_at),
            class_name="ac-meta ac-dots",
        ),
        key=row.id,
        class_name="chat-row",
        data_testid="chat-row",
        custom_attrs={"data-current": words(row.current, "yes", "no")},
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Chat.sessions, lambda one: _row(cast("rx.Var[SessionRow]", one))),
        class_name="chat-rows",
        aria_label="Conversations",
        role="list",
    )
    nothing = rx.el.p(
        "No conversations yet. Begin one here, on a job's page or on a review card.",
        class_name="ac-meta chat-none",
    )
    newest, older = Chat.newest_sessions_href, Chat.older_sessions_href
    paging = rx.cond(
        (newest != "") | (older != ""),
        rx.el.nav(
            rx.cond(newest != "", rx.link("Newest", href=newest)),
            rx.cond(older != "", rx.link("Older", href=older)),
            aria_label="Pages of conversations",
            class_name="ac-paging",
        ),
    )
    return rx.el.div(
        rx.cond(Chat.sessions.length() == 0, nothing, rows), paging, class_name="chat-list"
    )


def _head() -> rx.Component:
    return rx.el.header(
        rx.link(icon("arrow_left", 14), "All conversations", href="/chat", class_name="chat-back"),
        rx.el.div(
            rx.el.h2(OPEN.title, class_name="ac-cut", title=OPEN.title),
            rx.cond(
                OPEN.about != "",
                rx.link("Open ", OPEN.about.lower(), href=OPEN.about_href, class_name="ac-go"),
            ),
            class_name="chat-title",
        ),
        rx.el.div(OPEN.people, class_name="ac-meta ac-cut", title=OPEN.people),
        class_name="chat-head",
    )


def _message(message: rx.Var[MessageView]) -> rx.Component:
    said = rx.el.div(
        rx.el.div(
            rx.cond(message.role == "assistant", icon("bot", 14)),
            rx.el.span(message.author, class_name="ac-strong"),
            moment(message.at),
            class_name="ac-meta chat-by",
        ),
        rx.cond(
            message.role == "assistant",
            markdown(message.blocks),
            rx.el.div(message.text, class_name="chat-text"),
        ),
        class_name="chat-said",
    )
    told = rx.el.div(message.text, " ", moment(message.at), class_name="ac-meta")
    return rx.el.li(
        pick(message.role, ("system", told), said),
        key=message.key,
        class_name="chat-message",
        data_testid="chat-message",
        custom_attrs={"data-role": message.role, "data-mine": words(message.mine, "yes", "no")},
    )


def _messages() -> rx.Component:
    hint = rx.el.p(
        "Nothing has been said yet. Write something, or ask the assistant: ",
        rx.el.code("/help"),
        class_name="ac-meta chat-none",
    )
    return rx.el.div(
        rx.cond(
            Chat.earlier_href != "",
            rx.link("Earlier messages", href=Chat.earlier_href, class_name="chat-more"),
        ),
        rx.cond(Chat.messages.length() == 0, hint),
        rx.el.ul(
            rx.foreach(Chat.messages, lambda one: _message(cast("rx.Var[MessageView]", one))),
            role="list",
        ),
        rx.cond(
            Chat.latest_href != "",
            rx.link("Latest messages", href=Chat.latest_href, class_name="chat-more"),
        ),
        class_name="chat-messages",
        role="log",
        aria_label="Messages",
        tab_index=0,
        data_follow=words(Chat.latest_href == "", "on", "off"),
    )


def _box() -> rx.Component:
    return rx.form(
        rx.el.textarea(
            id=FIELD,
            name="content",
            rows="2",
            max_length=MAX_MESSAGE,
            placeholder="Message, or /help",
            aria_label="Message",
            class_name="ac-input",
            custom_attrs={"data-enter-sends": "yes", "data-draft": "chat:" + OPEN.id},
        ),
        verb_button("Send", icon_name="send_horizontal", type="submit"),
        rx.el.p("Enter sends, Shift and Enter begin a new line.", class_name="ac-meta chat-hint"),
        on_submit=Chat.send,
        reset_on_submit=True,
        class_name="chat-box",
        key=OPEN.id,
    )


def _conversation() -> rx.Component:
    choose = empty(
        "messages_square",
        "Talk about the work",
        "Choose a conversation or begin one. The assistant looks things up; people decide.",
    )
    return rx.el.section(
        rx.cond(OPEN.id != "", rx.fragment(_head(), _messages(), _box()), choose),
        aria_label="Conversation",
        class_name="chat-open",
    )


def page() -> rx.Component:
    """Lay out the page."""
    # Where one is open, "Send" is what the page is for.
    new = verb_button(
        "New conversation",
        icon_name="plus",
        variant=words(OPEN.id != "", "soft", "solid"),
        on_click=Chat.create,
    )
    all_of_them = rx.link(
        rx.button("All conversations", variant="soft"), href="/chat", underline="none"
    )
    lost = empty("search_x", "This conversation cannot be shown", Chat.problem, all_of_them)
    shown = rx.el.div(
        _list(),
        _conversation(),
        class_name="chat",
        custom_attrs={"data-open": words(OPEN.id != "", "yes", "no")},
    )
    return shell.frame(
        "Chat",
        shell.heading("Chat", shell.stale_badge(Chat.stale), actions=(new,)),
        rx.cond(Chat.problem != "", lost, rx.cond(Chat.loaded, shown, bones(6))),
        width="full",
    )


def register(app: rx.App) -> None:
    """Add the pages at ``/chat`` and ``/chat/[session_id]``."""
    live_page(app, "/chat", "Chat", page, Chat.watch)
    live_page(app, "/chat/[session_id]", "Chat", page, Chat.watch)
