"""The page of one artifact: its content in the viewer of its type, and where it comes from."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.artifact_body import viewer
from agent_console.ui.components.basics import bones, copy_button, empty, facts, icon, identifier
from agent_console.ui.components.diff import changes
from agent_console.ui.elements import NativeLink, moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.artifacts import ArtifactPage

FACTS = ArtifactPage.facts


VERSIONS = ArtifactPage.versions
_BUTTON = "rt-reset rt-BaseButton rt-r-size-2 rt-variant-soft rt-Button"


def _download(word: str, href: rx.Var[str], name: rx.Var[str]) -> rx.Component:
    return NativeLink.create(
        icon("download", 15), word, href=href, download=name, class_name=_BUTTON
    )


def _head() -> rx.Component:
    return rx.fragment(
        rx.link(icon("arrow_left", 14), "Artifacts", href="/artifacts", class_name="ac-back"),
        shell.heading(
            FACTS.name,
            shell.stale_badge(ArtifactPage.stale),
            actions=(
                rx.cond(FACTS.raw != "", copy_button(FACTS.raw, "Copy content")),
                rx.cond(FACTS.pdf != "", _download("PDF", FACTS.pdf, FACTS.file_name + ".pdf")),
                rx.cond(
                    FACTS.markdown != "",
                    _download("Markdown", FACTS.markdown, FACTS.file_name + ".md"),
                ),
                rx.cond(FACTS.original, _download("Download", FACTS.download, FACTS.file_name)),
            ),
        ),
    )


def _versions() -> rx.Component:
    return rx.cond(
        VERSIONS.tabs.length() > 0,
        rx.fragment(
            rx.el.nav(
                rx.foreach(VERSIONS.tabs, tab_link), class_name="ac-tabs", aria_label="Versions"
            ),
            rx.el.p(
                rx.cond(
                    VERSIONS.compare_href != "",
                    rx.link(
                        icon("file_diff", 14),
                        VERSIONS.compare_word,
                        href=VERSIONS.compare_href,
                        class_name="ac-go",
                    ),
                ),
                rx.cond(
                    VERSIONS.whole_href != "",
                    rx.link(
                        icon("arrow_left", 14),
                        "Show it whole",
                        href=VERSIONS.whole_href,
                        class_name="ac-go",
                    ),
                ),
                class_name="art-compare",
            ),
        ),
    )


def _changes() -> rx.Component:
    nothing = rx.el.p("Both versions say the same.", class_name="ac-meta")
    return rx.cond(
        VERSIONS.heading != "",
        rx.el.section(
            rx.el.h2(VERSIONS.heading, class_name="art-part"),
            rx.cond(VERSIONS.same, nothing, changes(VERSIONS.changes)),
            aria_label=VERSIONS.heading,
            class_name="art-changes",
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
        rx.el.div(
            _versions(),
            _changes(),
            # A comparison stands alone; what was approved stands above what came of it.
            rx.cond(VERSIONS.whole_href == "", viewer(ArtifactPage.body, FACTS.name)),
            style={"min_width": "0"},
        ),
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
