"""Notifications: who hears of what, where, and what became of the messages."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import (
    OFFLINE,
    bones,
    callout,
    copy_button,
    empty,
    icon,
    section,
    status_mark,
    words,
)
from agent_console.ui.components.dialog_parts import sure
from agent_console.ui.components.notification_form import subscription_form
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.notification_views import PAGE, MessageRow, SubscriptionRow
from agent_console.ui.states.notifications import Notifications
from agent_console.ui.theme import DELIVERY_MARKS, SUBSCRIPTION_MARKS


def _act(label: str, icon_name: str, what: Any, on_click: Any, why: Any = "") -> rx.Component:
    return rx.el.span(
        rx.el.button(
            icon(icon_name, 15),
            type="button",
            on_click=on_click,
            disabled=OFFLINE | (why != "") if isinstance(why, rx.Var) else OFFLINE,
            aria_label=label + ": " + what,
            title=label,
            class_name="ac-icon",
        ),
        title=why,
        class_name="ac-verb",
    )


def _delete(row: rx.Var[SubscriptionRow]) -> rx.Component:
    trigger = rx.el.button(
        icon("trash_2", 15),
        type="button",
        disabled=OFFLINE,
        aria_label="Delete: " + row.name,
        title="Delete",
        class_name="ac-icon",
    )
    return sure(
        trigger,
        "Delete this subscription?",
        row.name,
        " is told nothing more, and the log of its messages goes with it.",
        keep="Keep it",
        do="Delete subscription",
        on_click=Notifications.delete(row.id),
    )


def _row(row: rx.Var[SubscriptionRow]) -> rx.Component:
    about = rx.el.div(
        rx.el.div(
            rx.link(row.name, href=row.href, class_name="ac-strong", underline="none"),
            class_name="ac-cut",
            title=row.name,
        ),
        rx.el.div(
            rx.el.span(row.way),
            rx.el.span(row.shown, class_name="ac-mono ac-cut"),
            rx.cond(row.shared, rx.el.span("Shared")),
            class_name="ac-meta ac-dots",
        ),
        rx.el.div(row.topics, class_name="ac-meta"),
        rx.cond(row.only != "", rx.el.div(row.only, class_name="ac-meta")),
        style={"min_width": "0"},
    )
    state = rx.el.div(
        status_mark(row.state, SUBSCRIPTION_MARKS),
        rx.cond(row.why != "", rx.el.div(row.why, class_name="ac-meta")),
        class_name="notify-state",
    )
    verbs = rx.el.div(
        _act("Send a test", "send", row.name, Notifications.test(row.id)),
        rx.cond(
            row.enabled,
            _act("Turn off", "bell_off", row.name, Notifications.switch(row.id, False)),
            _act("Turn on", "bell", row.name, Notifications.switch(row.id, True)),
        ),
        rx.link(
            icon("list", 15),
            href=row.href,
            aria_label="Messages: " + row.name,
            title="Messages",
            class_name="ac-icon",
            underline="none",
            custom_attrs={"aria-current": words(row.current, "true", "false")},
        ),
        rx.link(
            icon("pencil", 15),
            href=row.edit_href,
            aria_label="Edit: " + row.name,
            title="Edit",
            class_name="ac-icon",
            underline="none",
            custom_attrs={"aria-current": words(row.id == Notifications.draft.id, "true", "false")},
        ),
        _delete(row),
        class_name="notify-verbs",
    )
    return rx.el.li(
        about,
        state,
        verbs,
        key=row.id,
        class_name="ac-row notify-row",
        data_testid="subscription-row",
    )


def _message(row: rx.Var[MessageRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            status_mark(row.status, DELIVERY_MARKS),
            rx.el.span(row.topic, class_name="ac-strong"),
            rx.cond(
                row.href != "",
                rx.link(row.said, href=row.href, class_name="ac-cut", title=row.said),
            ),
            class_name="notify-said",
        ),
        rx.el.div(
            rx.cond(row.attempts != "", rx.el.span(row.attempts)),
            rx.cond(
                row.last != "",
                rx.el.span(row.last, class_name=words(row.failed, "notify-failed", "")),
            ),
            rx.cond(row.next_at != "", rx.el.span("next ", moment(row.next_at, "until"))),
            rx.el.span(moment(row.created_at)),
            class_name="ac-meta ac-dots",
        ),
        _act("Send again", "rotate_cw", row.topic, Notifications.redeliver(row.id), row.refusal),
        key=row.id,
        class_name="ac-row notify-message",
        data_testid="message-row",
    )


def _secret() -> rx.Component:
    told = rx.el.div(
        callout("amber", "key_round", "Requests are signed with this secret, shown this once:"),
        rx.el.div(
            rx.el.code(Notifications.made_secret, class_name="ac-mono notify-secret"),
            copy_button(Notifications.made_secret, "Copy secret"),
            rx.button("I have it", on_click=Notifications.forget_secret, variant="soft", size="1"),
            class_name="ac-id",
        ),
        role="status",
        data_testid="made-secret",
    )
    return rx.cond(Notifications.made_secret != "", told)


def _messages() -> rx.Component:
    none = rx.el.p("No messages yet. The button with the arrow sends a test.", class_name="ac-meta")
    rows = rx.el.ul(
        rx.foreach(Notifications.messages, lambda one: _message(cast("rx.Var[MessageRow]", one))),
        class_name="ac-rows",
        aria_label="Messages",
        role="list",
    )
    paging = rx.el.nav(
        rx.cond(
            Notifications.newest_href != "",
            rx.link("Back to newest", href=Notifications.newest_href),
        ),
        rx.cond(Notifications.older_href != "", rx.link("Older", href=Notifications.older_href)),
        aria_label="Pages",
        class_name="ac-paging",
    )
    content = rx.cond(Notifications.messages.length() > 0, rx.fragment(rows, paging), none)
    name = rx.el.span(Notifications.opened, class_name="ac-meta")
    return rx.cond(Notifications.opened != "", section("Messages", content, aside=name))


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Notifications.rows, lambda one: _row(cast("rx.Var[SubscriptionRow]", one))),
        class_name="ac-rows",
        aria_label="Subscriptions",
        role="list",
    )
    none = empty(
        "bell",
        "Nobody is told yet",
        "A subscription sends a message when a checkpoint needs a decision: by mail, to a chat, "
        "or to a program.",
    )
    return rx.fragment(
        rx.cond(Notifications.rows.length() > 0, rows, none),
        _messages(),
        section(
            words(Notifications.draft.id != "", "Change subscription", "New subscription"),
            _secret(),
            subscription_form(),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    return shell.frame(
        "Notifications",
        shell.heading("Notifications", shell.stale_badge(Notifications.stale)),
        rx.cond(
            Notifications.problem != "",
            empty("circle_alert", "This page cannot be shown", Notifications.problem),
            rx.cond(Notifications.loaded, _list(), bones(4, "5rem")),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/notifications``."""
    live_page(app, PAGE, "Notifications", page, Notifications.watch)
