"""The audit page: who did what, when, with which verdict."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.audit_views import KNOWN, AuditRow
from agent_console.ui.components.basics import bones, empty, icon
from agent_console.ui.components.list_parts import paging
from agent_console.ui.components.saved_bar import saved_bar
from agent_console.ui.components.seal_bar import retention_section, seal_bar
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.audit import Audit
from agent_console.ui.states.saved import SavedViews
from agent_console.ui.states.seals import Seals


def _field(label: str, name: str, value: rx.Var[str], **more: str) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=f"audit-{name}"),
        rx.el.input(
            id=f"audit-{name}",
            name=name,
            default_value=value,
            key=value,
            auto_complete="off",
            class_name="ac-input ac-small",
            **more,
        ),
        class_name="audit-field",
    )


def _filters() -> rx.Component:
    return rx.form(
        _field("Action", "action", Audit.action, list="audit-actions", placeholder="job.failed"),
        rx.el.datalist(*[rx.el.option(value=one) for one in KNOWN], id="audit-actions"),
        _field("Actor", "actor", Audit.actor, placeholder="me, or an id"),
        _field("Job", "job", Audit.job, placeholder="job_…"),
        _field("Checkpoint", "checkpoint", Audit.checkpoint, placeholder="chk_…"),
        _field("From (UTC)", "since", Audit.first_day, type="date"),
        _field("To (UTC)", "until", Audit.last_day, type="date"),
        rx.el.div(
            rx.button(icon("filter", 14), "Filter", type="submit", size="2", variant="soft"),
            rx.cond(Audit.filtered, rx.link("Clear", href="/audit")),
            class_name="audit-verbs",
        ),
        on_submit=Audit.search,
        reset_on_submit=False,
        role="search",
        aria_label="Filter the journal",
        class_name="audit-filters",
    )


def _who(row: rx.Var[AuditRow]) -> rx.Component:
    return rx.el.div(
        rx.cond(
            row.actor_href != "",
            rx.link(row.actor, href=row.actor_href, title=row.actor),
            rx.el.span(row.actor),
        ),
        rx.el.span(row.actor_kind, class_name="ac-meta"),
        class_name="audit-who",
    )


def _what(row: rx.Var[AuditRow]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(class_name="audit-dot", data_tone=row.tone),
            rx.link(
                row.action,
                href=row.action_href,
                title="Only this action",
                class_name="ac-mono audit-action",
            ),
            rx.cond(row.change != "", rx.el.span(row.change, class_name="ac-meta")),
            class_name="audit-what",
        ),
        rx.el.div(
            rx.cond(row.job != "", rx.link(row.job, href=row.job_href, class_name="ac-mono")),
            rx.cond(
                row.checkpoint != "",
                rx.link(row.checkpoint, href=row.checkpoint_href, class_name="ac-mono"),
            ),
            rx.cond(row.subject != "", rx.el.span(row.subject, class_name="ac-mono")),
            class_name="ac-meta audit-links",
        ),
        rx.cond(
            row.data != "",
            rx.el.details(
                rx.el.summary("Details"),
                rx.el.pre(row.data, class_name="ac-code", tab_index=0, aria_label="Details"),
                class_name="audit-data",
            ),
        ),
        style={"min_width": "0"},
    )


def _row(row: rx.Var[AuditRow]) -> rx.Component:
    return rx.el.li(
        _what(row),
        _who(row),
        rx.el.div(moment(row.at), class_name="ac-meta audit-when"),
        key=row.key,
        class_name="ac-row audit-row",
        data_testid="audit-row",
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Audit.rows, _row), class_name="ac-rows", aria_label="Journal", role="list"
    )
    clear = rx.link(rx.button("Clear filters", size="2", variant="soft"), href="/audit")
    nothing = empty("search_x", "No entry matches", "Nothing in the journal fits.", clear)
    return rx.cond(
        Audit.problem != "",
        empty("circle_alert", "The journal cannot be shown", Audit.problem),
        rx.cond(
            Audit.loaded,
            rx.cond(
                Audit.rows.length() == 0,
                nothing,
                rx.fragment(rows, paging(Audit.newest_href, Audit.older_href)),
            ),
            bones(8),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    barred = empty("lock", "The journal is not open to you", Audit.problem)
    journal = rx.fragment(seal_bar(), _filters(), saved_bar(), _list(), retention_section())
    return shell.frame(
        "Audit",
        shell.heading("Audit", shell.stale_badge(Audit.stale)),
        rx.cond(Audit.problem_code == "forbidden", barred, journal),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/audit``."""
    live_page(app, "/audit", "Audit", page, Audit.watch, SavedViews.load, Seals.watch)
