"""The job types on the workers page: a row each, and the dialog that pauses or limits one."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import (
    bones,
    empty,
    facts,
    icon,
    section,
    verb_button,
)
from agent_console.ui.components.dialog_parts import complaint, line, verbs
from agent_console.ui.elements import moment
from agent_console.ui.policy_views import PATH
from agent_console.ui.states.job_types import JobTypes, TypeRow


def job_types() -> rx.Component:
    """Return the section."""
    rows = rx.el.ul(
        rx.foreach(JobTypes.rows, _row), class_name="ac-rows jt-rows", aria_label="Job types"
    )
    none = empty("puzzle", "No job types", "Set AGENT_CONSOLE_HANDLERS to modules with handlers.")
    content = rx.cond(JobTypes.rows.length() > 0, rows, none)
    return rx.el.div(
        section(
            "Job types",
            rx.el.p(
                "Who decides what they ask: ",
                rx.link("review policies", href=PATH, underline="always"),
                ".",
                class_name="ac-meta",
            ),
            rx.cond(
                JobTypes.problem != "",
                rx.el.p(JobTypes.problem, class_name="ac-meta"),
                rx.cond(JobTypes.loaded, content, bones(3)),
            ),
        ),
        rx.dialog.root(_dialog(), open=JobTypes.asking != "", on_open_change=JobTypes.turn),
        class_name="jt",
    )


def _row(row: rx.Var[TypeRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.h3(row.title, class_name="ac-strong ac-cut"),
                rx.cond(row.paused, _paused()),
                class_name="ac-workerhead",
            ),
            rx.el.div(row.job_type, class_name="ac-meta ac-mono ac-cut"),
            rx.cond(row.paused, _why(row)),
            _verbs(row),
            style={"min_width": "0"},
        ),
        facts(("Running", row.running), ("Queued", row.queued), ("Held", row.held)),
        facts(
            (
                "Limits",
                rx.el.span(
                    row.limits,
                    rx.cond(
                        row.changed,
                        rx.el.span(" (declared: ", row.declared, ")", class_name="ac-meta"),
                    ),
                ),
            ),
        ),
        key=row.job_type,
        class_name="ac-worker jt-row",
        data_testid="job-type-row",
    )


def _paused() -> rx.Component:
    return rx.el.span(icon("circle_pause", 13), "PAUSED", class_name="ac-mark", data_tone="amber")


def _why(row: rx.Var[TypeRow]) -> rx.Component:
    return rx.el.div(
        "by ",
        row.paused_by,
        " ",
        moment(row.paused_at),
        rx.cond(row.reason != "", rx.el.span(": ", row.reason)),
        class_name="ac-meta jt-why",
    )


def _verbs(row: rx.Var[TypeRow]) -> rx.Component:
    return rx.el.div(
        rx.cond(
            row.paused,
            verb_button(
                "Resume", reason=row.refusal, icon_name="play", size="1", variant="soft",
                on_click=JobTypes.resume(row.job_type), aria_label="Resume " + row.job_type,
            ),
            verb_button(
                "Pause", reason=row.refusal, icon_name="pause", size="1", variant="soft",
                color_scheme="gray", on_click=JobTypes.ask_to("pause", row.job_type),
                aria_label="Pause " + row.job_type,
            ),
        ),
        verb_button(
            "Limits", reason=row.refusal, icon_name="gauge", size="1", variant="soft",
            color_scheme="gray", on_click=JobTypes.ask_to("limits", row.job_type),
            aria_label="Limits of " + row.job_type,
        ),
        class_name="ac-ownverbs",
    )  # fmt: skip


def _dialog() -> rx.Component:
    return rx.dialog.content(
        rx.cond(JobTypes.asking == "limits", _limits(), _pause()), max_width="28rem"
    )


def _pause() -> rx.Component:
    return rx.fragment(
        rx.dialog.title("Pause ", JobTypes.asked.job_type, "?"),
        rx.dialog.description(
            "No job of this type starts any more, on any worker. What runs may end; "
            "what is queued is held until you resume."
        ),
        rx.form(
            _field("reason", "Reason (optional)", "", "text", 500),
            _end("Pause job type"),
            on_submit=JobTypes.pause,
            reset_on_submit=False,
        ),
    )


def _limits() -> rx.Component:
    row = JobTypes.asked
    return rx.fragment(
        rx.dialog.title("Limits of ", row.job_type),
        rx.dialog.description(
            "Over all workers. Empty: as declared (", row.declared, "). 0: not limited."
        ),
        rx.form(
            _field("running", "Running at once", row.set_running),
            rx.cond(row.keyed, _field("perKey", "Running at once per key", row.set_per_key)),
            rx.el.div(
                _field("starts", "Starts", row.set_starts),
                _field("per", "in so many seconds", row.set_per, "decimal"),
                class_name="jt-rate",
            ),
            _end("Set limits"),
            key=row.job_type,
            on_submit=JobTypes.limit,
            reset_on_submit=False,
        ),
    )


def _field(
    name: str, label: str, value: rx.Var[str] | str, mode: str = "numeric", longest: int = 12
) -> rx.Component:
    return line(f"jt-{name}", name, label, default_value=value, input_mode=mode, max_length=longest)


def _end(label: str) -> rx.Component:
    return rx.fragment(complaint(JobTypes.wrong), verbs(label))
