"""Builds the Reflex app: every page registered by name, the gate in front of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from agent_console.ui import guard, intake
from agent_console.ui.pages import (
    agents,
    artifact,
    artifacts,
    audit,
    chat,
    checkpoints,
    document,
    documents,
    job,
    jobs,
    login,
    missing,
    new_job,
    notifications,
    overview,
    review_policies,
    schedule_form,
    schedules,
    sessions,
    setup,
    workers,
)

HOME = "/admin/agent-checkpoints"
STYLES = (
    "console",
    "desk",
    "diff",
    "artifacts",
    "work",
    "audit",
    "chat",
    "record",
    "schedules",
    "notifications",
)
Register = Callable[[rx.App], None]

PAGES: tuple[Register, ...] = (
    login.register,
    setup.register,
    jobs.register,
    job.register,
    new_job.register,
    schedules.register,
    schedule_form.register,
    agents.register,
    sessions.register,
    documents.register,
    document.register,
    artifacts.register,
    artifact.register,
    chat.register,
    workers.register,
    notifications.register,
    overview.register,
    audit.register,
    checkpoints.register,
    review_policies.register,
    missing.register,
)


def build_app(transformers: Sequence[Callable[..., Any]]) -> rx.App:
    """Return the app; ``transformers`` are the ASGI apps in front of Reflex (the API first).

    ``bridge.bind`` must have been called.

    Raises:
        RuntimeError: an event handler does not declare who may call it.
    """
    app = rx.App(
        api_transformer=list(transformers),
        html_lang="en",
        stylesheets=[f"/{name}.css" for name in STYLES],
        head_components=[
            rx.el.script(src="/time.js", defer=True),
            rx.el.script(src="/console.js", defer=True),
            rx.el.script(src="/desk.js", defer=True),
            rx.el.script(src="/diff.js", defer=True),
            rx.el.script(src="/hotkeys.js", defer=True),
            rx.el.script(src="/palette.js", defer=True),
            rx.el.script(src="/notify.js", defer=True),
            rx.el.script(src="/artifacts.js", defer=True),
            rx.el.script(src="/chat.js", defer=True),
        ],
        extra_app_wraps={},
        toaster=None,
        frontend_exception_handler=intake.browser_failed,
        backend_exception_handler=guard.handler_failed,
    )
    app.app_wraps.pop((5, "Overlay"), None)  # our own banner tells of a lost connection
    app.add_middleware(guard.AuthGate(), index=0)
    guard.redact_event_logs()
    for register in PAGES:
        register(app)
    guard.assert_all_guarded()
    intake.guard_socket(app)
    return app
