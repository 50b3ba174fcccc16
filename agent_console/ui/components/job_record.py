"""The record on the job page: steps and what can be done from each, why it is parked, forks."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon, section, status_mark, verb_button
from agent_console.ui.elements import moment
from agent_console.ui.record_views import ForkRow, StepRow
from agent_console.ui.states.again import Again
from agent_console.ui.states.job import JobPage
from agent_console.ui.theme import JOB_MARKS

RECORD = JobPage.record


def _choice(label: str, action: str, event: rx.event.EventType[()]) -> rx.Component:
    """Return an entry of a step's menu; one that may not be chosen says why below itself."""
    reason = JobPage.refusals[action]
    return rx.menu.item(
        rx.el.div(
            rx.el.div(label),
            rx.cond(reason != "", rx.el.div(reason, class_name="again-why")),
        ),
        disabled=OFFLINE | (reason != ""),
        on_select=event,
    )


def _menu(row: rx.Var[StepRow]) -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.el.button(
                icon("ellipsis", 16),
                type="button",
                class_name="ac-icon",
                aria_label="From " + row.label,
                title="Fork or retry from here",
            )
        ),
        rx.menu.content(
            _choice("Fork from here", "fork", Again.fork_from(row.position)),
            _choice("Retry from here", "retry", Again.retry_from(row.position)),
            variant="soft",
        ),
    )


def _step(row: rx.Var[StepRow]) -> rx.Component:
    took = rx.el.span(
        rx.cond(row.since != "", moment(row.since, "elapsed", to=row.at)),
        class_name="ac-meta ac-nowrap record-time",
    )
    copied = rx.cond(row.copied, rx.el.span("copied", class_name="ac-meta"))
    return rx.el.li(
        rx.el.span(row.number, class_name="ac-meta record-number"),
        rx.el.div(
            rx.el.span(row.kind, class_name="ac-quiet"),
            " ",
            rx.el.span(row.name, class_name="ac-strong"),
            " ",
            copied,
            class_name="record-what",
        ),
        took,
        rx.el.span(moment(row.at), class_name="ac-meta ac-nowrap record-time"),
        _menu(row),
        key=row.key,
        class_name="record-row",
    )


def steps() -> rx.Component:
    """Return the recorded steps, each with its menu."""
    return rx.cond(
        JobPage.steps.length() > 0,
        section(
            "Steps",
            rx.el.ol(
                rx.foreach(JobPage.steps, _step),
                class_name="ac-rows record-rows",
                role="list",
                aria_label="Steps",
            ),
        ),
    )


def _side(
    label: str, version: rx.Var[str], call: rx.Var[str], message: rx.Var[str]
) -> rx.Component:
    return rx.el.div(
        rx.el.div(label, class_name="ac-meta"),
        rx.el.div(call, class_name="ac-strong"),
        rx.cond(message != "", rx.el.div(message)),
        rx.el.div("Code ", rx.el.span(version, class_name="ac-mono"), class_name="ac-meta"),
        class_name="parked-side",
    )


def _difference() -> rx.Component:
    resume = verb_button(
        "Resume on this version",
        reason=JobPage.refusals["resume"],
        icon_name="git_branch",
        size="2",
        on_click=Again.resume_here,
    )
    return rx.fragment(
        rx.el.div(RECORD.where, class_name="ac-meta"),
        rx.el.div(
            _side("The record holds", RECORD.code_before, RECORD.recorded, RECORD.recorded_message),
            _side("The code asks", RECORD.code_now, RECORD.asked, RECORD.asked_message),
            class_name="parked-sides",
        ),
        rx.el.div(
            resume,
            rx.cond(
                JobPage.steps.length() > 0,
                verb_button(
                    "Fork",
                    reason=JobPage.refusals["fork"],
                    icon_name="git_fork",
                    size="2",
                    variant="soft",
                    on_click=Again.fork_from(RECORD.position),
                ),
            ),
            _give_up(),
            class_name="parked-verbs",
        ),
    )


def _give_up() -> rx.Component:
    return verb_button(
        "Fail job",
        reason=JobPage.refusals["fail"],
        icon_name="circle_x",
        size="2",
        variant="outline",
        color_scheme="red",
        on_click=Again.give_up,
    )


def parked() -> rx.Component:
    """Return why the job is parked and the ways out; nothing where it is not."""
    diverged = RECORD.park_code == "diverged"
    return rx.cond(
        JobPage.job.park_reason != "",
        rx.el.div(
            icon("triangle_alert", 15),
            rx.el.div(
                rx.el.strong("This job is parked: it needs a person"),
                rx.el.div(JobPage.job.park_reason),
                rx.el.div(RECORD.advice, class_name="ac-meta"),
                rx.cond(diverged, _difference(), rx.el.div(_give_up(), class_name="parked-verbs")),
                style={"min_width": "0", "flex": "1"},
            ),
            class_name="ac-callout parked",
            data_tone="amber",
            data_testid="parked",
        ),
    )


def retry_note() -> rx.Component:
    """Return where a retry would go on; nothing where none is possible."""
    return rx.cond(
        RECORD.retry_words != "",
        rx.el.p(RECORD.retry_words, class_name="ac-meta goes-on", data_testid="goes-on"),
    )


def origin() -> rx.Component:
    """Return of which job this one is a fork, in the list of facts."""
    return rx.el.span(
        rx.link(RECORD.origin, href=RECORD.origin_href, class_name="ac-mono"),
        " ",
        RECORD.origin_words,
    )


def _fork(row: rx.Var[ForkRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(status_mark(row.status, JOB_MARKS), class_name="ac-jobstatus"),
        rx.el.div(
            rx.link(row.id, href=row.href, class_name="ac-mono"),
            " ",
            rx.el.span(row.words, class_name="ac-meta"),
            class_name="record-what",
        ),
        rx.el.span(moment(row.at), class_name="ac-meta ac-nowrap"),
        key=row.id,
        class_name="fork-row",
    )


def forks() -> rx.Component:
    """Return the job's forks, newest first."""
    return rx.cond(
        JobPage.forks.length() > 0,
        section(
            "Forks",
            rx.el.ul(
                rx.foreach(JobPage.forks, _fork),
                class_name="ac-rows",
                role="list",
                aria_label="Forks",
            ),
        ),
    )
