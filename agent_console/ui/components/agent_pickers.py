"""What a new session is given to work from: context documents, and findings of other sessions."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import callout, icon
from agent_console.ui.elements import moment
from agent_console.ui.states.agent_documents import DocumentChoice
from agent_console.ui.states.agent_findings import BasketRow, SourceRow
from agent_console.ui.states.agents import AgentsPage

SEARCH_DELAY = 300  # milliseconds without another letter until the documents are looked for


def _document(one: rx.Var[DocumentChoice]) -> rx.Component:
    return rx.el.li(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                name=one.name,
                default_checked=one.chosen,
                on_change=lambda checked: AgentsPage.tick(one.id, checked),
            ),
            rx.el.span(
                rx.el.span(one.title),
                rx.el.span(one.note, " · ", moment(one.updated_at), class_name="ac-meta"),
            ),
            class_name="agent-choice",
        ),
        rx.link("Read", href=one.href, aria_label="Read " + one.title),
        key=one.id,
    )


def _find() -> rx.Component:
    """Return the search: no field of the form, and Enter in it sends nothing."""
    return rx.el.div(
        icon("search", 15),
        rx.el.input(
            type="search",
            placeholder="Search titles of all documents",
            aria_label="Search documents",
            class_name="ac-input",
            default_value=AgentsPage.document_q,
            on_change=AgentsPage.find_documents.debounce(SEARCH_DELAY),
            custom_attrs={"data-quiet": "enter"},
        ),
        class_name="ac-search work-find",
    )


def documents() -> rx.Component:
    """Return the picker of context documents."""
    searched = AgentsPage.document_q != ""
    none = rx.cond(
        searched,
        rx.el.p("No title has these words.", class_name="ac-meta"),
        rx.el.p(
            "No document yet. Without one the agent works from the examples it comes with.",
            class_name="ac-meta",
        ),
    )
    offered = AgentsPage.documents.length() > 0
    more = "These are the newest that fit; search for others."
    return rx.el.fieldset(
        rx.el.legend("Context documents"),
        rx.cond(offered | searched, _find()),
        rx.cond(offered, rx.el.ul(rx.foreach(AgentsPage.documents, _document), role="list"), none),
        rx.cond(AgentsPage.more_documents, rx.el.p(more, class_name="ac-meta")),
        class_name="ac-field agent-choices",
    )


def _finding(row: rx.Var[BasketRow]) -> rx.Component:
    return rx.el.li(
        rx.el.label(
            rx.el.input(type="checkbox", name=row.name, default_checked=True),
            rx.el.span(
                rx.el.span(row.claim),
                rx.el.span(
                    rx.cond(row.source != "", rx.el.span(row.source)),
                    rx.cond(
                        row.confidence != "", rx.el.span(row.confidence, class_name="ac-nowrap")
                    ),
                    class_name="ac-meta ac-dots",
                ),
            ),
            class_name="agent-choice",
        ),
        key=AgentsPage.basket_key + row.key,
    )


def _source(row: rx.Var[SourceRow]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            icon("plus", 14),
            rx.el.span(row.topic, class_name="ac-cut"),
            rx.el.span(row.note, " · ", moment(row.completed_at), class_name="ac-meta ac-nowrap"),
            type="button",
            on_click=AgentsPage.take(row.id),
            class_name="ac-fold",
        ),
        key=row.id,
    )


def _sources() -> rx.Component:
    none = rx.el.p("No other finished session of this project has findings.", class_name="ac-meta")
    return rx.cond(
        AgentsPage.sources.length() > 0,
        rx.el.ul(
            rx.foreach(AgentsPage.sources, _source), role="list", aria_label="Finished sessions"
        ),
        none,
    )


def _basket_verbs() -> rx.Component:
    opened = AgentsPage.sources_open
    return rx.el.div(
        rx.el.button(
            icon("list_plus", 14),
            "Add findings of a session",
            type="button",
            on_click=AgentsPage.offer_sources(AgentsPage.project),
            aria_expanded=opened,
            class_name="work-verb",
        ),
        rx.cond(
            AgentsPage.basket.length() > 0,
            rx.el.button(
                icon("x", 14),
                "Remove all",
                type="button",
                on_click=AgentsPage.empty_basket,
                class_name="work-verb",
            ),
        ),
        class_name="agent-buttons",
    )


def findings() -> rx.Component:
    """Return the basket of findings, for agents that take any."""
    none = rx.el.p("None: the agent searches the documents first.", class_name="ac-meta")
    basket = rx.el.fieldset(
        rx.el.legend("Findings"),
        rx.cond(
            AgentsPage.basket.length() > 0,
            rx.el.ul(rx.foreach(AgentsPage.basket, _finding), role="list"),
            none,
        ),
        _basket_verbs(),
        rx.cond(AgentsPage.sources_open, _sources()),
        class_name="ac-field agent-choices work-basket",
        data_testid="basket",
    )
    return rx.cond(AgentsPage.takes_findings, basket, _unwanted())


def _unwanted() -> rx.Component:
    """Say that findings wait for an agent that takes them."""
    said = "This agent takes no findings. Choose one that writes to use those in the basket."
    return rx.cond(AgentsPage.basket.length() > 0, callout("amber", "info", said))
