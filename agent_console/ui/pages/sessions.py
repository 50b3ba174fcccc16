"""The work sessions: projects, and the sessions of one."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import (
    OFFLINE,
    bones,
    empty,
    icon,
    status_mark,
)
from agent_console.ui.components.list_parts import paging
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.sessions import AgentOption, ProjectRow, SessionRow, Sessions
from agent_console.ui.theme import SESSION_MARKS


def _meta(row: rx.Var[SessionRow]) -> rx.Component:
    return rx.el.div(
        rx.el.span(row.agent, class_name="ac-nowrap"),
        rx.cond(row.made != "", rx.el.span(row.made, class_name="ac-nowrap")),
        rx.cond(row.note != "", rx.el.span(row.note, class_name="ac-cut", title=row.note)),
        class_name="ac-meta ac-dots",
    )


def _progress(row: rx.Var[SessionRow]) -> rx.Component:
    return rx.cond(
        row.progress >= 0,
        rx.el.div(
            rx.el.div(style={"width": f"{row.progress}%"}),
            class_name="ac-bar",
            role="progressbar",
            aria_label="Progress",
            aria_valuenow=row.progress,
        ),
    )


def _verb(row: rx.Var[SessionRow]) -> rx.Component:
    execute = rx.el.button(
        icon("play", 14),
        "Execute",
        type="button",
        class_name="work-verb",
        disabled=OFFLINE | (Sessions.refusal != ""),
        title=Sessions.refusal,
        aria_label="Execute " + row.title,
        on_click=Sessions.execute(row.id),
    )
    use = rx.link(
        icon("arrow_right_left", 14),
        "Use findings",
        href=row.findings_href,
        underline="none",
        class_name="work-verb",
        aria_label="Use the findings of " + row.title,
    )
    return rx.el.div(
        rx.cond(row.can_execute, execute, rx.cond(row.findings_href != "", use)),
        class_name="work-act",
    )


def _when(row: rx.Var[SessionRow]) -> rx.Component:
    ran = rx.cond(
        row.started_at != "",
        rx.el.span(icon("timer", 12), moment(row.started_at, "elapsed", to=row.completed_at)),
        rx.el.span("not started"),
    )
    return rx.el.div(
        rx.el.div(moment(row.created_at)),
        rx.el.div(ran, class_name="ac-meta ac-ran"),
        class_name="ac-when",
    )


def _row(row: rx.Var[SessionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(status_mark(row.status, SESSION_MARKS), class_name="ac-jobstatus"),
        rx.el.div(
            rx.el.div(
                rx.link(row.title, href=row.href, class_name="ac-cover", underline="none"),
                class_name="ac-cut",
                title=row.title,
            ),
            _meta(row),
            _progress(row),
            class_name="ac-jobtitle",
        ),
        _verb(row),
        rx.el.div(row.user, class_name="ac-quiet ac-cut ac-jobuser", title=row.user),
        _when(row),
        key=row.id,
        class_name="ac-row work-session",
        data_testid="session-row",
    )


def _project(row: rx.Var[ProjectRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.link(row.name, href=row.href, class_name="ac-cover", underline="none"),
            class_name="ac-cut",
            title=row.name,
        ),
        rx.el.div(
            rx.cond(
                row.waiting != "",
                rx.el.span(icon("hand", 13), row.waiting, class_name="ac-mark", data_tone="amber"),
            ),
        ),
        rx.el.div(
            rx.el.span("newest ", class_name="ac-meta"), moment(row.latest_at), class_name="ac-when"
        ),
        key=row.id,
        class_name="ac-row work-project",
        data_testid="project-row",
    )


def _agents() -> rx.Component:
    def option(one: rx.Var[AgentOption]) -> rx.Component:
        return rx.el.option(one.label, value=one.value, key=one.value)

    return rx.el.select(
        rx.el.option("All agents", value=""),
        rx.foreach(Sessions.agents, option),
        value=Sessions.agent,
        on_change=Sessions.choose_agent,
        aria_label="Agent",
        class_name="ac-input work-filter",
    )


def _nothing() -> rx.Component:
    new = rx.link(
        rx.button("New session", size="2", variant="soft"), href=Sessions.new_href, underline="none"
    )
    clear = rx.link(
        rx.button("Clear filters", size="2", variant="soft"),
        href=Sessions.clear_href,
        underline="none",
    )
    return rx.cond(
        Sessions.filtered,
        empty("search_x", "No session matches", "No session fits the tab and the agent.", clear),
        empty("list_checks", "No sessions here yet", "What agents do appears here.", new),
    )


def _of_project() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Sessions.rows, _row), class_name="ac-rows", aria_label="Sessions", role="list"
    )
    return rx.fragment(
        rx.el.nav(
            rx.foreach(Sessions.tabs, tab_link),
            class_name="ac-tabs",
            aria_label="Session statuses",
        ),
        rx.cond(
            Sessions.rows.length() == 0,
            _nothing(),
            rx.fragment(rows, paging(Sessions.newest_href, Sessions.older_href, Sessions.total)),
        ),
    )


def _projects() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Sessions.projects, _project),
        class_name="ac-rows",
        aria_label="Projects",
        role="list",
    )
    new = rx.link(
        rx.button("Choose an agent", size="2", variant="soft"), href="/agents", underline="none"
    )
    none = empty(
        "list_checks",
        "No sessions yet",
        "A session is what an agent does for a project. Make the first one.",
        new,
    )
    lead = rx.el.p("Sessions are kept by project.", class_name="ac-meta")
    return rx.cond(Sessions.projects.length() == 0, none, rx.fragment(lead, rows))


def page() -> rx.Component:
    """Lay out the page."""
    new = rx.link(
        rx.button(icon("plus", 15), "New session", size="2"),
        href=Sessions.new_href,
        underline="none",
    )
    back = rx.link(icon("arrow_left", 14), "All projects", href="/sessions", class_name="ac-back")
    named = rx.el.span(Sessions.project, class_name="ac-quiet ac-cut", title=Sessions.project)
    in_project = Sessions.project != ""
    body = rx.cond(in_project, _of_project(), _projects())
    return shell.frame(
        "Sessions",
        rx.cond(in_project, back),
        shell.heading(
            "Sessions",
            rx.cond(in_project, named),
            shell.stale_badge(Sessions.stale),
            actions=(rx.cond(in_project, _agents()), new),
        ),
        rx.cond(
            Sessions.problem != "",
            empty("circle_alert", "This list cannot be shown", Sessions.problem),
            rx.cond(Sessions.loaded, body, bones(8)),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/sessions``."""
    live_page(app, "/sessions", "Sessions", page, Sessions.watch)
