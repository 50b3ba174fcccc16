"""The JSON viewer: a tree that folds without asking the server, and a copy button."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.json_models import JsonView, NodeView
from agent_console.ui.components.review_json import MAX_DEPTH


def json_view(document: rx.Var[JsonView], label: str) -> rx.Component:
    """Show ``document`` under the accessible name ``label``."""
    return rx.el.div(
        rx.cond(
            document.nodes.length() > 0,
            rx.el.ul(_nodes(document.nodes, 1), class_name="json-tree"),
            rx.el.div(
                rx.el.p(document.note, class_name="desk-meta"),
                rx.el.pre(document.text, class_name="json-text", tab_index=0),
            ),
        ),
        class_name="json-view",
        role="group",
        aria_label=label,
    )


def _nodes(nodes: rx.Var[list[NodeView]], depth: int) -> rx.Component:
    return rx.foreach(nodes, lambda node: _node(cast("rx.Var[NodeView]", node), depth))


def _node(node: rx.Var[NodeView], depth: int) -> rx.Component:
    key = rx.el.span(node.key, class_name="json-key")
    leaf = rx.el.span(node.text, class_name="json-" + node.kind.to(str))
    if depth >= MAX_DEPTH:
        return rx.el.li(key, leaf, class_name="json-leaf", key=node.key)
    return rx.el.li(
        rx.cond(
            node.children.length() > 0,
            rx.el.details(
                rx.el.summary(key, rx.el.span(node.text, class_name="json-size")),
                rx.el.ul(_nodes(node.children, depth + 1)),
                open=depth <= 2,
            ),
            rx.el.div(key, leaf, class_name="json-leaf"),
        ),
        key=node.key,
    )
