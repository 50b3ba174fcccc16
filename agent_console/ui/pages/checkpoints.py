"""The Checkpoints page: the list of what waits, and the card that is open beside it."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui import theme
from agent_console.ui.components.basics import (
    bones,
    callout,
    empty,
    icon,
    status_mark,
    words,
)
from agent_console.ui.components.desk_bulk import checkpoint_box, desk_bulk_bar
from agent_console.ui.components.file_diff import OnCard
from agent_console.ui.components.list_parts import search_form
from agent_console.ui.components.notify_switch import notify_switch
from agent_console.ui.components.review_asked import by_itself, votes_section
from agent_console.ui.components.review_card import review_card
from agent_console.ui.components.review_claim import claim_bar
from agent_console.ui.components.review_comments import ThreadVerbs, thread_section
from agent_console.ui.components.review_models import RowView, TabView
from agent_console.ui.components.review_question import AnswerFields, question_part
from agent_console.ui.components.review_verdict import EditForm, Verdicts, verdict_bar
from agent_console.ui.components.saved_bar import saved_bar
from agent_console.ui.components.undo_bar import undo_bar
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.shell import frame, stale_badge
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from agent_console.ui.states.policy_rules import PolicyRules
from agent_console.ui.states.saved import SavedViews

THREAD = ThreadVerbs(
    add=Desk.comment,
    edit=Desk.edit_comment,
    begin=Desk.begin_edit,
    delete=Desk.delete_comment,
    show_all=Desk.show_all_comments(),
    speak_of=Desk.speak_of,
    saying=Desk.saying,
    editing=Desk.editing,
    error=Desk.comment_error,
)
LINES = OnCard(
    of=Desk.body.id + " " + Desk.body.digest,
    may=Desk.thread.refusal == "",
    said=Desk.thread.said,
    below=Desk.thread.below,
)
EDIT = EditForm(
    there=Desk.edit_form,
    how=Desk.edit_as,
    turn=Desk.edit_in,
    fields=Desk.fields,
    error=Desk.form_error,
    add=Desk.add_item,
    remove=Desk.remove_item,
    approve=Desk.approve_form,
)
ANSWER = AnswerFields(
    fields=Desk.fields,
    error=Desk.form_error,
    add=Desk.add_item,
    remove=Desk.remove_item,
    answer=Desk.answer,
)
FOCUS_SETTLES = 250  # ms: from one row to the next the focus does not leave the list
ROUTE = f"{BASE}/[[checkpoint_id]]"  # optional: list and permanent link are one page


def register(app: rx.App) -> None:
    """Add the page to ``app``."""
    live_page(app, ROUTE, "Checkpoints", page, Desk.watch, SavedViews.load)


def page() -> rx.Component:
    """Return the desk."""
    return frame(
        "Checkpoints",
        rx.el.div(
            _list_pane(),
            _card_pane(),
            undo_bar(Desk.undoable, Desk.undo),
            class_name="desk",
            custom_attrs={"data-open": words(Desk.in_path, "card", "list")},
        ),
        width="full",
    )


def _list_pane() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h1("Checkpoints"),
            _news(),
            stale_badge(Desk.stale),
            notify_switch(),
            _type_filter(),
            class_name="desk-head",
        ),
        rx.el.div(
            rx.foreach(Desk.tabs, lambda one: _tab(cast("rx.Var[TabView]", one))),
            class_name="ac-tabs desk-tabs",
            role="group",
            aria_label="Filter by status",
        ),
        rx.el.div(
            search_form(Desk.q, "Search checkpoints", "Search: words or an id", Desk.search),
            saved_bar(),
            class_name="desk-find",
        ),
        desk_bulk_bar(),
        rx.el.p(Desk.announcement, class_name="ac-sr", role="status", aria_live="polite"),
        rx.el.div(
            _list(),
            on_focus=Desk.hold(True).debounce(FOCUS_SETTLES),
            on_blur=Desk.hold(False).debounce(FOCUS_SETTLES),
            class_name="desk-scroll",
        ),
        class_name="desk-list",
    )


def _news() -> rx.Component:
    count = Desk.news
    return rx.cond(
        count > 0,
        rx.button(
            words(count == 1, "1 new", f"{count} new"),
            on_click=Desk.let_in,
            size="1",
            variant="soft",
            title="Show them in the list, which holds still while you are in it",
        ),
    )


def _type_filter() -> rx.Component:
    return rx.el.select(
        rx.el.option("All job types", value="all"),
        rx.foreach(Desk.job_types, lambda name: rx.el.option(name, value=name, key=name)),
        value=Desk.job_type,
        on_change=Desk.choose_type,
        aria_label="Filter by job type",
        class_name="ac-input desk-type",
    )


def _tab(tab: rx.Var[TabView]) -> rx.Component:
    return rx.link(
        tab.label,
        href=tab.href,
        underline="none",
        key=tab.label,
        custom_attrs={"aria-current": words(tab.current, "page", "false")},
    )


def _list() -> rx.Component:
    return rx.cond(
        Desk.loaded,
        rx.cond(
            Desk.rows.length() > 0,
            rx.fragment(
                rx.el.ul(
                    rx.foreach(Desk.rows, lambda one: _row(cast("rx.Var[RowView]", one))),
                    class_name="ac-rows",
                    aria_label="Checkpoints",
                ),
                _paging(),
            ),
            _nothing(),
        ),
        bones(6, "3.4rem"),
    )


def _nothing() -> rx.Component:
    return rx.cond(
        Desk.filtered,
        empty(
            "filter_x",
            "No match",
            "No checkpoint fits the filter and the search.",
            rx.link(rx.button("Clear filters", size="2", variant="soft"), href=BASE),
        ),
        empty(
            "inbox",
            "Nothing waits for you",
            "When an agent needs a decision, its card appears here by itself.",
            rx.link(rx.button("New job", size="2", variant="soft"), href="/new"),
        ),
    )


def _row(row: rx.Var[RowView]) -> rx.Component:
    return rx.el.li(
        rx.cond(row.pending, checkpoint_box(row)),
        rx.link(
            rx.el.span(row.message, class_name="row-message", title=row.message),
            rx.el.span(
                rx.cond(
                    row.pending,
                    rx.cond(row.expires_at != "", moment(row.expires_at, "until")),
                    rx.cond(
                        row.gone,
                        rx.el.span("no longer here", class_name="ac-meta"),
                        rx.cond(row.note, "", status_mark(row.status, theme.CHECKPOINT_MARKS)),
                    ),
                ),
                class_name="row-when",
            ),
            rx.el.span(
                _type_mark(row),
                rx.el.span(row.work, class_name="ac-cut", title=row.work),
                rx.cond(
                    row.claimed_by != "",
                    rx.el.span(
                        icon("user_check", 13),
                        rx.el.span(row.claimed_by, class_name="ac-cut"),
                        class_name="row-claim",
                        title=row.claimed_by + " has claimed this",
                    ),
                ),
                class_name="row-meta",
            ),
            rx.el.span(moment(row.created_at), class_name="row-age"),
            href=row.href,
            underline="none",
            class_name="desk-row",
            aria_label=row.label,
            custom_attrs={
                "aria-current": words(row.id == Desk.body.id, "true", "false"),
                "data-hotkey-row": "yes",
                "data-gone": words(row.gone, "yes", "no"),
            },
        ),
        key=row.id,
        class_name="desk-line",
    )


def _type_mark(row: rx.Var[RowView]) -> rx.Component:
    icons = [(str(kind), icon(mark.icon, 13)) for kind, mark in theme.CHECKPOINT_TYPE_MARKS.items()]
    return rx.el.span(
        rx.match(row.type, *icons, icon("circle", 13)),
        row.type_word,
        class_name="row-type",
        custom_attrs={"data-tone": row.type_tone},
    )


def _paging() -> rx.Component:
    return rx.cond(
        (Desk.next_href != "") | (Desk.first_href != ""),
        rx.el.div(
            rx.cond(Desk.first_href != "", rx.link("First page", href=Desk.first_href)),
            rx.cond(Desk.next_href != "", rx.link("Next page", href=Desk.next_href)),
            class_name="desk-paging",
        ),
    )


def _card_pane() -> rx.Component:
    return rx.el.div(
        rx.cond(
            Desk.missing,
            empty(
                "search_x",
                "There is no such checkpoint",
                "The address may be cut off, or the checkpoint was removed.",
                rx.link(rx.button("All checkpoints", size="2", variant="soft"), href=BASE),
            ),
            rx.cond(
                Desk.body.id != "",
                _card(),
                rx.cond(Desk.loaded, _no_card(), bones(5, "5rem")),
            ),
        ),
        class_name="desk-card",
    )


def _no_card() -> rx.Component:
    return rx.cond(
        Desk.rows.length() > 0,
        empty("mouse_pointer_click", "No card is open", "Choose a checkpoint from the list."),
    )


def _card() -> rx.Component:
    verdicts = Verdicts(
        approve=Desk.approve,
        reject=Desk.reject,
        approve_edited=Desk.approve_edited,
        edit=EDIT,
        request_changes=Desk.request_changes,
        reason_error=Desk.reason_error,
        edit_error=Desk.edit_error,
        changes_error=Desk.changes_error,
    )
    return rx.fragment(
        review_card(
            Desk.body,
            Desk.ruling,
            Desk.context,
            verdict_bar=verdict_bar(Desk.body, Desk.ruling, verdicts, _next()),
            alert=rx.cond(
                Desk.conflict != "", callout("amber", "git_compare_arrows", Desk.conflict)
            ),
            claim_bar=claim_bar(Desk.ruling, Desk.claim, Desk.release()),
            votes=votes_section(Desk.ruling, Desk.withdraw()),
            question=question_part(Desk.body, Desk.ruling, ANSWER),
            by_itself=by_itself(
                Desk.ruling,
                PolicyRules.stop_of(
                    Desk.ruling.asked.stops_type, Desk.ruling.asked.stops_action, Desk.body.id
                ),
            ),
            thread=thread_section(Desk.body, Desk.thread, THREAD),
            lines=LINES,
        ),
    )


def _next() -> rx.Component:
    return rx.cond(
        Desk.upcoming != "",
        rx.link(
            "Next checkpoint",
            icon("arrow_right", 14),
            href=Desk.upcoming,
            class_name="verdict-next",
        ),
    )
