"""The report of a replay on the job page, and the button that asks for it."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon, words
from agent_console.ui.elements import moment
from agent_console.ui.replay_views import DifferenceRow
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.replay import Replay

REPORT = Replay.report


def button() -> rx.Component:
    """Return the button; disabled, saying why, while it cannot be used."""
    reason = JobPage.refusals["replay"]
    return rx.el.span(
        rx.button(
            icon("history", 15),
            words(Replay.running, "Replaying…", "Replay job"),
            variant="soft",
            color_scheme="gray",
            disabled=OFFLINE | (reason != "") | Replay.running,
            on_click=Replay.start,
        ),
        rx.el.span(reason, class_name="ac-sr"),
        title=words(
            reason != "",
            reason,
            "Runs the handler again from the record, without effects, and shows what differs",
        ),
        class_name="ac-verb",
    )


def _value(label: str, text: rx.Var[str]) -> rx.Component:
    return rx.cond(
        text != "",
        rx.el.div(
            rx.el.div(label, class_name="ac-meta"),
            rx.el.pre(text, class_name="ac-code", tab_index=0, aria_label=label),
            class_name="replay-value",
        ),
    )


def _difference(row: rx.Var[DifferenceRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(row.kind, class_name="replay-kind"),
            rx.el.span(row.message),
            class_name="replay-line",
        ),
        rx.cond(
            (row.recorded != "") | (row.replayed != ""),
            rx.el.div(
                _value("Recorded", row.recorded),
                _value("Replayed", row.replayed),
                class_name="replay-values",
            ),
        ),
        key=row.key,
    )


def report() -> rx.Component:
    """Return the report on the job on the screen, if there is one; it is read out."""
    dismiss = rx.el.button(
        icon("x", 14),
        type="button",
        aria_label="Close the report",
        title="Close the report",
        class_name="ac-icon",
        on_click=Replay.close,
    )
    head = rx.el.div(
        rx.cond(REPORT.tone == "green", icon("circle_check", 16), icon("triangle_alert", 16)),
        rx.el.div(
            rx.el.h2("Replay: ", REPORT.title, class_name="replay-title"),
            rx.el.div(REPORT.detail, class_name="ac-meta"),
            rx.cond(REPORT.versions != "", rx.el.div(REPORT.versions, class_name="ac-meta")),
            style={"min_width": "0", "flex": "1"},
        ),
        rx.el.span(moment(REPORT.at), class_name="ac-meta ac-nowrap"),
        dismiss,
        class_name="replay-head",
        data_tone=REPORT.tone,
    )
    panel = rx.el.section(
        head,
        rx.el.ul(rx.foreach(REPORT.rows, _difference), class_name="replay-rows"),
        class_name="ac-panel replay",
        aria_label="Replay",
        data_testid="replay",
    )
    shown = (REPORT.job_id != "") & (REPORT.job_id == JobPage.job.id)
    return rx.el.div(rx.cond(shown, panel), role="status", aria_live="polite")
