"""What a job is writing at the moment, as it comes."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import words
from agent_console.ui.states.job import JobPage


def live_text() -> rx.Component:
    """Return the live text in a box of one size, so that nothing moves while it grows.

    Only that writing began or paused is announced: the text itself would be read out without end.
    """
    writing, paused = "The agent is writing…", "The agent goes on with its work."
    box = rx.el.div(
        rx.el.div(JobPage.live, class_name="ac-livetext"),
        class_name="ac-panel ac-live",
        role="log",
        aria_label="What the agent is writing",
        aria_live="off",
        tab_index=0,
        data_testid="live-text",
        custom_attrs={"data-follow": "on"},
    )
    return rx.fragment(
        rx.el.p(
            words(JobPage.writing, writing, words(JobPage.live != "", paused, "")),
            class_name="ac-sr",
            role="status",
            aria_live="polite",
        ),
        rx.cond(
            JobPage.live != "",
            rx.el.section(
                rx.el.h2(
                    words(JobPage.writing, writing, "The agent has written"), class_name="ac-h2"
                ),
                rx.el.p("Shown as it comes, and not checked yet.", class_name="ac-meta"),
                box,
                class_name="ac-section",
            ),
        ),
    )
