"""What is shown at an address that no page has."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.elements import NativeLink


def page() -> rx.Component:
    """Lay out the page."""
    return shell.door(
        "There is no such page",
        rx.el.p("The address may be cut off or out of date.", class_name="ac-quiet"),
        NativeLink.create("Go to Checkpoints", href="/admin/agent-checkpoints"),
    )


def register(app: rx.App) -> None:
    """Show the page wherever there is no other."""
    app.add_page(page, route="404", title="Not found · agent_console")
