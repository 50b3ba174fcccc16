"""The page of one artifact: its content in the viewer of its type, and where it comes from."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.artifact_body import viewer
from agent_console.ui.components.basics import bones, copy_button, empty, facts, icon, identifier
from agent_console.ui.elements import NativeLink, moment
from agent_console.ui.live import live_page
from agent_console.ui.states.artifacts import ArtifactPage

FACTS = ArtifactPage.facts


def _head() -> rx.Component:
    download = NativeLink.create(
        icon("download", 15),
        "Download",
        href=FACTS.download,
        download=FACTS.name,
        class_name="rt-reset rt-BaseButton rt-r-size-2 rt-variant-soft rt-Button",
    )
    return rx.fragment(
        rx.link(icon("arrow_left", 14), "Artifacts", href="/artifacts", class_name="ac-back"),
        shell.heading(
            FACTS.name,
            shell.stale_badge(ArtifactPage.stale),
            actions=(
                rx.cond(FACTS.raw != "", copy_button(FACTS.raw, "Copy content")),
                download,
            ),
        ),
    )


def _facts() -> rx.Component:
    return facts(
        ("Artifact", identifier(FACTS.id)),
        ("Type", rx.el.span(FACTS.kind, class_name="ac-mono")),
        ("Format", rx.el.span(FACTS.media_type, class_name="ac-mono")),
        ("Size", FACTS.size),
        ("Created", moment(FACTS.created_at)),
        ("Job", rx.link(FACTS.job_id, href=FACTS.job_href, class_name="ac-mono")),
        ("SHA-256", rx.el.span(FACTS.digest, class_name="ac-mono")),
    )


def _body() -> rx.Component:
    return rx.el.div(
        viewer(ArtifactPage.body, FACTS.name),
        rx.el.aside(_facts(), aria_label="Facts", class_name="ac-aside"),
        class_name="ac-split art-page",
    )


def page() -> rx.Component:
    """Lay out the page."""
    everything = rx.link(
        rx.button("All artifacts", variant="soft"), href="/artifacts", underline="none"
    )
    lost = rx.fragment(
        shell.heading("Artifact"),
        empty("search_x", "This artifact cannot be shown", ArtifactPage.problem, everything),
    )
    waiting = rx.fragment(shell.heading("Artifact"), bones(6))
    return shell.frame(
        "Artifacts",
        rx.cond(
            ArtifactPage.problem != "",
            lost,
            rx.cond(ArtifactPage.loaded, rx.fragment(_head(), _body()), waiting),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/artifacts/[artifact_id]``."""
    live_page(app, "/artifacts/[artifact_id]", ArtifactPage.title, page, ArtifactPage.watch)
