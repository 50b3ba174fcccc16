"""The jobs list's bar for many jobs at once: picked ones, all that match, and how it goes."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import status_mark, verb_button, words
from agent_console.ui.components.picking import dismiss_button, pick_box, picked_part
from agent_console.ui.states.bulk import Bulk
from agent_console.ui.states.jobs import Jobs
from agent_console.ui.theme import JOB_MARKS
from agent_console.ui.views import JobRow


def job_box(row: rx.Var[JobRow]) -> rx.Component:
    """Return the box that picks a job."""
    return pick_box(row.id, row.title, Bulk.picked, Bulk.refusals["cancel"], Bulk.pick)


def bulk_bar() -> rx.Component:
    """Return the bar, and below it the bulk job that was started last."""
    return rx.fragment(
        rx.cond(
            (Bulk.picked.length() > 0) | Jobs.filtered,
            rx.el.div(_picked(), _matching(), class_name="ac-bulk", data_testid="bulk-bar"),
        ),
        rx.cond(Bulk.job.id != "", _progress()),
    )


def _picked() -> rx.Component:
    verbs = [
        _verb("Cancel selected", "cancel", on_click=Bulk.act_on_picked("cancel")),
        _verb("Retry selected", "retry", on_click=Bulk.act_on_picked("retry")),
    ]
    return picked_part(Bulk.picked, verbs, Bulk.pick_page, Bulk.let_go)


def _matching() -> rx.Component:
    return rx.cond(
        Jobs.filtered,
        rx.el.span(
            _verb("Cancel all that match", "cancel all", on_click=Bulk.ask_all("cancel")),
            _verb("Retry all that match", "retry all", on_click=Bulk.ask_all("retry")),
            _question(),
            class_name="ac-bulkall",
        ),
    )


def _verb(label: str, key: str, **props: object) -> rx.Component:
    tone = "red" if key.startswith("cancel") else "gray"
    return verb_button(
        label,
        reason=Bulk.refusals[key],
        size="1",
        variant="surface",
        color_scheme=tone,
        high_contrast=True,
        **props,
    )


def _question() -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(
                words(Bulk.asking == "retry", "Retry all that match?", "Cancel all that match?")
            ),
            rx.dialog.description(Bulk.question),
            rx.el.p(
                "A job of its own does it, oldest first; jobs made from now on are left alone.",
                class_name="ac-meta",
            ),
            rx.el.div(
                rx.dialog.close(
                    rx.button("Leave them", variant="soft", color_scheme="gray", type="button")
                ),
                rx.cond(
                    Bulk.confirm != "",
                    verb_button(
                        Bulk.confirm,
                        color_scheme="red",
                        high_contrast=True,
                        on_click=Bulk.act_on_all,
                        auto_focus=True,
                    ),
                ),
                class_name="ac-dialogverbs",
            ),
            max_width="28rem",
        ),
        open=Bulk.asking != "",
        on_open_change=Bulk.turn,
    )


def _progress() -> rx.Component:
    job = Bulk.job
    bar = rx.el.div(
        rx.el.div(style={"width": f"{job.progress}%"}),
        class_name="ac-bar",
        role="progressbar",
        aria_label="Progress",
        aria_valuenow=job.progress,
    )
    return rx.el.div(
        status_mark(job.status, JOB_MARKS),
        rx.link(job.title, href=job.href, class_name="ac-cut"),
        rx.cond(job.progress >= 0, bar),
        rx.el.span(job.note, class_name="ac-meta", role="status", aria_live="polite"),
        dismiss_button(Bulk.dismiss),
        class_name="ac-bulkjob",
        data_testid="bulk-job",
    )
