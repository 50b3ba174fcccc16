"""The page of one job."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components import again_dialogs, replay_report
from agent_console.ui.components import job_parts as parts
from agent_console.ui.components import job_record as record
from agent_console.ui.components.basics import (
    OFFLINE,
    bones,
    empty,
    fact,
    facts,
    icon,
    identifier,
    status_mark,
    verb_button,
    words,
)
from agent_console.ui.components.dialog_parts import sure
from agent_console.ui.components.live_text import live_text
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.chat import chat_button
from agent_console.ui.states.chat import Chat
from agent_console.ui.states.job import JobPage
from agent_console.ui.theme import JOB_MARKS

JOB = JobPage.job


def _cancel() -> rx.Component:
    reason = JobPage.refusals["cancel"]
    trigger = rx.button(
        icon("ban", 15), "Cancel job", variant="outline", color_scheme="red",
        disabled=OFFLINE | (reason != ""),
    )  # fmt: skip
    dialog = sure(
        trigger,
        "Cancel this job?",
        "It stops at its next safe point, and its open checkpoints are closed. "
        "What it already did stays done. You can retry it later.",
        keep="Keep job",
        do="Cancel job",
        on_click=JobPage.control("cancel"),
    )
    return rx.el.span(
        dialog,
        rx.el.span(reason, class_name="ac-sr"),
        title=reason,
        class_name="ac-verb",
    )


def _verb(label: str, action: str, icon_name: str, variant: str = "soft") -> rx.Component:
    return verb_button(
        label,
        reason=JobPage.refusals[action],
        icon_name=icon_name,
        variant=variant,
        color_scheme="gray",
        on_click=JobPage.control(action),
    )


def _retry() -> rx.Component:
    """Return the button; its title says where a retry goes on."""
    reason = JobPage.refusals["retry"]
    return rx.el.span(
        rx.button(
            icon("rotate_ccw", 15),
            "Retry job",
            variant="soft",
            color_scheme="gray",
            disabled=OFFLINE | (reason != ""),
            on_click=JobPage.control("retry"),
        ),
        rx.el.span(reason, class_name="ac-sr"),
        title=words(reason != "", reason, JobPage.record.retry_words),
        class_name="ac-verb",
    )


def _verbs() -> rx.Component:
    held = (JOB.status == "PAUSED") | (JOB.status == "PARKED")
    return rx.fragment(
        rx.cond(
            JOB.status == "INITIALIZED",
            verb_button(
                "Execute job",
                reason=JobPage.refusals["execute"],
                icon_name="play",
                on_click=JobPage.control("execute"),
            ),
        ),
        rx.cond(
            held,
            _verb("Resume job", "resume", "play"),
            _verb("Pause job", "pause", "pause"),
        ),
        _retry(),
        chat_button(Chat.on_job(JOB.id)),
        replay_report.button(),
        _cancel(),
    )


def _head() -> rx.Component:
    return rx.fragment(
        rx.link(icon("arrow_left", 14), "Jobs", href="/jobs", class_name="ac-back"),
        shell.heading(
            JOB.title,
            status_mark(JOB.status, JOB_MARKS),
            shell.stale_badge(JobPage.stale),
            actions=(_verbs(),),
        ),
    )


def _progress() -> rx.Component:
    return rx.cond(
        (JOB.progress >= 0) | (JOB.progress_text != ""),
        rx.el.div(
            rx.el.div(
                rx.el.span(JOB.progress_text),
                rx.cond(JOB.progress >= 0, rx.el.span(f"{JOB.progress} %")),
                class_name="ac-meta ac-spread",
            ),
            rx.cond(
                JOB.progress >= 0,
                rx.el.div(
                    rx.el.div(style={"width": f"{JOB.progress}%"}),
                    class_name="ac-bar",
                    role="progressbar",
                    aria_label="Progress",
                    aria_valuenow=JOB.progress,
                ),
                # Nobody knows how far it is: an empty track says so without a number.
                rx.el.div(class_name="ac-bar", role="progressbar", aria_label="Progress"),
            ),
            class_name="ac-section",
        ),
    )


def _alerts() -> rx.Component:
    trace = rx.el.details(
        rx.el.summary("Traceback"), rx.el.pre(JOB.traceback, class_name="ac-code", tab_index=0)
    )
    failed = rx.el.div(
        icon("circle_x", 15),
        rx.el.div(
            rx.el.strong(JOB.error_type),
            rx.el.div(JOB.error_message),
            rx.cond(JOB.traceback != "", trace),
            style={"min_width": "0", "flex": "1"},
        ),
        class_name="ac-callout",
        data_tone="red",
    )
    waits = rx.el.div(
        icon("hand", 15),
        rx.el.span("This job waits for a decision. It holds no worker meanwhile."),
        rx.link("Review checkpoint", href=JOB.open_checkpoint, class_name="ac-go"),
        class_name="ac-callout ac-wide",
        data_tone="amber",
    )
    held = rx.el.div(
        icon("circle_pause", 15),
        rx.el.span("Held: ", JOB.held),
        rx.link("Job types", href="/workers", class_name="ac-go"),
        class_name="ac-callout ac-wide",
    )
    found = rx.el.div(
        icon("quote", 15),
        rx.el.span("These findings are approved. Drafts and reports can be made of them."),
        rx.link("Use these findings", href=JOB.findings_href, class_name="ac-go"),
        class_name="ac-callout ac-wide",
    )
    later = rx.el.div(
        icon("calendar_clock", 15),
        rx.el.span("This job is not due yet. It starts ", moment(JOB.starts_at), "."),
        class_name="ac-callout",
    )
    return rx.fragment(
        rx.cond(JOB.starts_at != "", later),
        rx.cond(JOB.findings_href != "", found),
        rx.cond(JOB.open_checkpoint != "", waits),
        rx.cond(JOB.error_message != "", failed),
        record.parked(),
        record.retry_note(),
        rx.cond(JOB.held != "", held),
    )


def _facts() -> rx.Component:
    ran = moment(JOB.started_at, "elapsed", to=JOB.completed_at)
    version = rx.el.span(JOB.code_version, class_name="ac-mono")
    project = rx.link(JOB.project, href=JOB.project_href)
    schedule = rx.cond(
        JOB.schedule_href != "",
        rx.link(JOB.schedule, href=JOB.schedule_href),
        rx.el.span(JOB.schedule),
    )
    started, finished = JOB.started_at != "", JOB.completed_at != ""
    return facts(
        ("Job", identifier(JOB.id)),
        ("Type", rx.el.span(JOB.job_type, class_name="ac-mono")),
        fact("Project", project, given=JOB.project != ""),
        ("Requested by", JOB.user),
        ("Created", moment(JOB.created_at)),
        fact("Starts", moment(JOB.starts_at), given=JOB.starts_at != ""),
        fact("Schedule", schedule, given=JOB.schedule != ""),
        fact("Started", moment(JOB.started_at), given=started),
        fact("Finished", moment(JOB.completed_at), given=finished),
        fact("Duration", ran, given=started),
        fact("Goes on", moment(JOB.run_at, "until"), given=JOB.run_at != ""),
        ("Attempts", JOB.attempts),
        ("Priority", JOB.priority),
        fact(
            "Models",
            rx.el.span(JOB.usage, title=JOB.usage_detail, data_testid="usage"),
            given=JOB.usage != "",
        ),
        fact("Worker", identifier(JOB.worker), given=JOB.worker != ""),
        fact("Unique key", JOB.unique_key, given=JOB.unique_key != ""),
        fact("Limits", JobPage.limits, given=JobPage.limits != ""),
        fact("Code version", version, given=JOB.code_version != ""),
        fact("Retries", JobPage.record.policy, given=JobPage.record.policy != ""),
        fact("Forked from", record.origin(), given=JobPage.record.origin != ""),
    )


def _body() -> rx.Component:
    over = JOB.completed_at != ""
    return rx.el.div(
        rx.el.div(
            _alerts(),
            replay_report.report(),
            _progress(),
            live_text(),
            parts.checkpoints(),
            record.steps(),
            record.forks(),
            parts.timeline(),
            parts.logs(),
            parts.artifacts(),
            parts.document("Output", JOB.output, words(over, "None.", "Nothing yet.")),
            parts.document("Input", JOB.input, "None."),
            style={"min_width": "0"},
        ),
        rx.el.aside(_facts(), aria_label="Facts", class_name="ac-aside"),
        class_name="ac-split",
    )


def page() -> rx.Component:
    """Lay out the page."""
    jobs = rx.link(rx.button("All jobs", variant="soft"), href="/jobs", underline="none")
    lost = rx.fragment(
        shell.heading("Job"), empty("search_x", "This job cannot be shown", JobPage.problem, jobs)
    )
    waiting = rx.fragment(shell.heading("Job"), bones(6))
    shown = rx.fragment(_head(), _body(), again_dialogs.dialogs())
    return shell.frame(
        "Jobs",
        rx.cond(
            JobPage.problem != "",
            lost,
            rx.cond(JobPage.loaded, shown, waiting),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/jobs/[job_id]``."""
    live_page(app, "/jobs/[job_id]", JobPage.title, page, JobPage.watch)
