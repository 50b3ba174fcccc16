"""The bar of saved views above a list, and the dialog that saves and deletes them."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon, words
from agent_console.ui.saved_views import SavedView
from agent_console.ui.states.saved import SavedViews


def saved_bar() -> rx.Component:
    """Return the bar: a link per view, and the button of the dialog."""
    return rx.el.div(
        rx.cond(
            SavedViews.views.length() > 0,
            rx.el.nav(
                rx.foreach(SavedViews.views, _link), aria_label="Saved views", class_name="sv-links"
            ),
        ),
        rx.dialog.root(
            rx.dialog.trigger(
                rx.button(
                    icon("bookmark", 14),
                    "Saved views",
                    variant="ghost",
                    color_scheme="gray",
                    size="1",
                    class_name="sv-open",
                )
            ),
            _dialog(),
            open=SavedViews.opened,
            on_open_change=SavedViews.turn,
        ),
        class_name="sv-bar",
    )


def _link(view: rx.Var[SavedView]) -> rx.Component:
    return rx.link(
        view.name,
        href=view.href,
        title=view.title,
        underline="none",
        key=view.id,
        class_name="sv-link",
        custom_attrs={"aria-current": words(view.current, "page", "false")},
    )


def _dialog() -> rx.Component:
    return rx.dialog.content(
        rx.dialog.title("Saved views"),
        rx.dialog.description("A saved view keeps the filters of this list under a name."),
        rx.cond(SavedViews.can_save, _form(), _nothing()),
        rx.cond(
            SavedViews.refused != "",
            rx.el.p(SavedViews.refused, class_name="ac-error", role="alert"),
        ),
        rx.cond(
            SavedViews.views.length() > 0,
            rx.el.ul(rx.foreach(SavedViews.views, _kept), class_name="sv-kept"),
        ),
        rx.el.div(
            rx.dialog.close(rx.button("Close", variant="soft", color_scheme="gray")),
            class_name="ac-dialogverbs",
        ),
        max_width="28rem",
    )


def _nothing() -> rx.Component:
    return rx.el.p("Filter or search the list first, then save what you see.", class_name="ac-meta")


def _form() -> rx.Component:
    return rx.form(
        rx.el.div(
            rx.el.label("Name", html_for="sv-name"),
            rx.el.input(
                id="sv-name",
                name="name",
                required=True,
                max_length=200,
                auto_complete="off",
                class_name="ac-input",
            ),
            class_name="ac-field",
        ),
        rx.el.div(
            rx.el.label(
                rx.el.input(type="checkbox", name="shared"),
                "Show it to everybody who may see this list",
                class_name="ac-check",
            ),
            rx.button("Save current filters", type="submit", disabled=OFFLINE),
            class_name="sv-verbs",
        ),
        on_submit=SavedViews.save,
        reset_on_submit=False,
        class_name="sv-form",
    )


def _kept(view: rx.Var[SavedView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(view.name, class_name="ac-cut", title=view.name),
            rx.el.div(view.title, class_name="ac-meta"),
            style={"min_width": "0", "flex": "1"},
        ),
        rx.cond(
            view.mine,
            rx.el.button(
                icon("trash_2", 15),
                type="button",
                aria_label="Delete " + view.name,
                title="Delete",
                class_name="ac-icon",
                disabled=OFFLINE,
                on_click=SavedViews.delete(view.id),
            ),
        ),
        key=view.id,
    )
