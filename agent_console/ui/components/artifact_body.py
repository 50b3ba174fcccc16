"""The viewers of artifacts, one per type; the job page and the artifact's own page share them."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.artifact_views import ArtifactBody, VariationView
from agent_console.ui.components.basics import Text, copy_button, icon, pick
from agent_console.ui.components.json_view import json_view
from agent_console.ui.components.markdown import markdown


def viewer(body: rx.Var[ArtifactBody], name: Text, page: Text = "") -> rx.Component:
    """Show ``body`` under the accessible name ``name``; ``page`` links to a page of its own."""
    has_page = isinstance(page, rx.Var) or page
    own = rx.link("Open on its own page", icon("arrow_right", 14), href=page, class_name="ac-go")
    return rx.el.div(
        pick(
            body.kind,
            ("finding", finding(body)),
            ("draft", draft(body)),
            ("report", markdown(body.blocks)),
            ("json", json_view(body.document, "Document")),
            rx.el.pre(body.text, class_name="ac-code", tab_index=0, aria_label="Content"),
        ),
        rx.cond(body.note != "", rx.el.p(body.note, class_name="ac-meta")),
        own if has_page else rx.fragment(),
        class_name="art-body",
        role="group",
        aria_label=name,
        custom_attrs={"data-kind": body.kind},
    )


def finding(body: rx.Var[ArtifactBody]) -> rx.Component:
    """Show a finding: claim, confidence, quotation with the way to its place."""
    source = rx.cond(
        body.source_href != "",
        rx.link(icon("text_quote", 14), body.source, href=body.source_href, class_name="art-place"),
        rx.el.span(icon("text_quote", 14), body.source, class_name="art-place"),
    )
    return rx.el.div(
        rx.el.p(body.claim, class_name="art-claim"),
        rx.cond(body.confidence >= 0, _confidence(body)),
        rx.cond(
            (body.quote != "") | (body.source != ""),
            rx.el.figure(
                rx.cond(body.quote != "", rx.el.blockquote(body.quote)),
                rx.cond(body.source != "", rx.el.figcaption(source)),
                class_name="art-quote",
            ),
        ),
    )


def _confidence(body: rx.Var[ArtifactBody]) -> rx.Component:
    return rx.el.div(
        rx.el.span("Confidence ", rx.el.strong(body.confidence_word)),
        rx.el.div(
            rx.el.div(style={"width": f"{body.confidence}%"}),
            class_name="ac-bar",
            aria_hidden="true",
        ),
        rx.el.span(f"{body.confidence} %"),
        class_name="art-confidence",
        data_tone=body.confidence_tone,
    )


def draft(body: rx.Var[ArtifactBody]) -> rx.Component:
    """Show the variations of a draft beside each other."""
    variations = rx.foreach(
        body.variations, lambda one: _variation(cast("rx.Var[VariationView]", one))
    )
    return rx.el.div(
        rx.cond(body.title != "", rx.el.p(body.title, class_name="art-claim")),
        rx.el.div(variations, class_name="art-variations"),
    )


def _variation(variation: rx.Var[VariationView]) -> rx.Component:
    return rx.el.article(
        rx.el.header(
            rx.el.strong(variation.name),
            rx.el.span(variation.size, class_name="ac-meta"),
            copy_button(variation.text, "Copy " + variation.name),
        ),
        rx.cond(variation.facts != "", rx.el.p(variation.facts, class_name="ac-meta")),
        markdown(variation.blocks),
        key=variation.key,
        aria_label=variation.name,
        class_name="art-variation",
    )
