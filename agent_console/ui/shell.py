"""The frame of every page: navigation, who is signed in, connection, notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import reflex as rx

from agent_console.ui.bridge import Notice
from agent_console.ui.components.basics import OFFLINE, Text, icon
from agent_console.ui.components.hotkeys import help_button, help_overlay, hotkey
from agent_console.ui.components.palette import palette, palette_button
from agent_console.ui.elements import NativeForm, NativeLink
from agent_console.ui.guard import Notices
from agent_console.ui.states.session import Session

Width = Literal["text", "page", "full"]


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the main navigation."""

    title: str
    href: str
    icon: str
    needs: str = ""  # the permission without which it is not offered
    keys: str = ""  # that lead there


PLACES = (
    Place("Checkpoints", "/admin/agent-checkpoints", "shield_check", keys="g c"),
    Place("Jobs", "/jobs", "layers", keys="g j"),
    Place("New job", "/new", "circle_plus"),
    Place("Schedules", "/schedules", "calendar_clock"),
    Place("Agents", "/agents", "bot"),
    Place("Sessions", "/sessions", "list_checks"),
    Place("Documents", "/context", "file_text"),
    Place("Artifacts", "/artifacts", "package"),
    Place("Chat", "/chat", "messages_square"),
    Place("Workers", "/workers", "server", keys="g w"),
    Place("Review policies", "/review-policies", "scale"),
    Place("Notifications", "/notifications", "bell"),
    Place("Overview", "/overview", "chart_line", keys="g o"),
    Place("Audit", "/audit", "scroll_text", needs="audit:read"),
)


def brand() -> rx.Component:
    """Return the product's mark and name."""
    return rx.link(
        icon("shield_check", 19),
        "agent_console",
        href="/admin/agent-checkpoints",
        class_name="ac-brand",
        underline="none",
    )


def _badge(place: Place) -> rx.Component:
    if place.title != "Checkpoints":
        return rx.fragment()
    count = rx.cond(Session.pending > 99, "99+", Session.pending.to_string())
    return rx.cond(
        Session.pending > 0,
        rx.el.span(
            count,
            rx.el.span(" pending", class_name="ac-sr"),
            class_name="ac-count",
            data_testid="pending-badge",
        ),
    )


def _entry(place: Place, active: str) -> rx.Component:
    attributes = {"aria-current": "page"} if place.title == active else {}
    if place.keys:
        attributes |= hotkey(place.keys)
    entry = rx.el.li(
        rx.link(
            icon(place.icon, 17),
            place.title,
            _badge(place),
            href=place.href,
            underline="none",
            custom_attrs=attributes,
        )
    )
    return rx.cond(Session.may[place.needs], entry) if place.needs else entry


def _account() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(Session.name, class_name="ac-cut", title=Session.name, data_testid="me"),
            rx.el.div(Session.role, class_name="ac-meta"),
            class_name="ac-who",
        ),
        palette_button(),
        help_button(),
        rx.el.button(
            rx.color_mode_cond(icon("moon"), icon("sun")),
            type="button",
            on_click=rx.toggle_color_mode,
            class_name="ac-icon",
            aria_label="Switch between light and dark",
            title="Switch between light and dark",
        ),
        NativeForm.create(
            rx.el.button(
                icon("log_out"),
                type="submit",
                class_name="ac-icon",
                aria_label="Sign out",
                title="Sign out",
            ),
            action="/auth/logout",
            method="post",
        ),
        class_name="ac-account",
    )


def _side(active: str) -> rx.Component:
    return rx.el.header(
        brand(),
        rx.el.nav(
            rx.el.ul(*[_entry(place, active) for place in PLACES]),
            aria_label="Main",
            class_name="ac-nav",
        ),
        _account(),
        class_name="ac-side",
        custom_attrs={"data-pending": Session.pending.to_string()},  # for assets/notify.js
    )


def connection_banner() -> rx.Component:
    """Say that the connection is lost, and everything that acts disabled, or the database down."""
    return rx.el.div(
        rx.cond(
            OFFLINE,
            rx.el.div(
                icon("wifi_off", 15),
                "Connection lost. Trying to reconnect; nothing can be changed meanwhile.",
                class_name="ac-banner",
            ),
            rx.cond(
                Session.outage != "",
                rx.el.div(icon("database", 15), Session.outage, class_name="ac-banner"),
            ),
        ),
        role="status",
        aria_live="polite",
    )


def _notice(notice: rx.Var[Notice]) -> rx.Component:
    return rx.el.div(
        rx.match(
            notice.tone,
            ("success", icon("circle_check", 17)),
            ("warning", icon("triangle_alert", 17)),
            ("error", icon("circle_alert", 17)),
            icon("info", 17),
        ),
        rx.el.div(
            rx.el.div(notice.text),
            rx.cond(
                notice.request_id != "",
                rx.el.div(notice.code, " · ", notice.request_id, class_name="ac-meta ac-mono"),
            ),
            style={"flex": "1", "min_width": "0"},
        ),
        rx.el.button(
            icon("x", 14),
            type="button",
            aria_label="Dismiss",
            class_name="ac-icon",
            on_click=Notices.dismiss(notice.id),
        ),
        key=notice.id,
        class_name="ac-notice",
        data_tone=notice.tone,
        data_notice="yes",
    )


def notices() -> rx.Component:
    """Return the region in which notices appear and are read out."""
    return rx.el.div(
        rx.foreach(Session.notices, _notice),
        role="status",
        aria_live="polite",
        aria_label="Notices",
        class_name="ac-notices",
    )


def stale_badge(stale: rx.Var[str]) -> rx.Component:
    """Say that the page may be behind."""
    return rx.cond(
        stale != "",
        rx.el.span(icon("cloud_off", 14), stale, class_name="ac-stale", role="status"),
    )


def heading(
    title: Text, *beside: rx.Component, actions: tuple[rx.Component, ...] = ()
) -> rx.Component:
    """Return the head of a page: its only ``h1``, what belongs beside it, its actions."""
    act = [rx.el.div(*actions, class_name="ac-actions")] if actions else []
    return rx.el.div(rx.el.h1(title), *beside, *act, class_name="ac-head")


def frame(active: str, *content: rx.Component, width: Width = "page") -> rx.Component:
    """Put ``content`` (starting with a :func:`heading`) into the console's frame.

    ``active`` is the title of the place in the navigation; ``width`` bounds long lines.
    """
    return rx.el.div(
        NativeLink.create("Skip to content", href="#main", class_name="ac-skip"),
        _side(active),
        rx.el.div(
            connection_banner(),
            rx.el.main(
                *content, id="main", tab_index=-1, class_name="ac-content", data_width=width
            ),
            class_name="ac-main",
        ),
        notices(),
        help_overlay(),
        palette(),
        class_name="ac-shell",
    )


def door(title: str, *content: rx.Component) -> rx.Component:
    """Return a page without the frame, for those who are not in yet."""
    return rx.el.div(
        rx.el.main(
            rx.el.div(icon("shield_check", 22), "agent_console", class_name="ac-brand"),
            rx.el.h1(title),
            *content,
        ),
        class_name="ac-door",
    )
