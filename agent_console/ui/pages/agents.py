"""The Agents page."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components import agent_pickers, choice
from agent_console.ui.components.basics import callout, empty, icon, verb_button
from agent_console.ui.components.document_form import (
    content_field,
    file_field,
    format_field,
    text_field,
)
from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.live import live_page
from agent_console.ui.states.agents import (
    STRATEGIES,
    AgentCard,
    AgentsPage,
    TemplateRow,
)


def _card(one: rx.Var[AgentCard]) -> rx.Component:
    return choice.card(one, one.agent_type, rx.el.span(one.description, class_name="ac-meta"))


def _error(field: str) -> rx.Var[str]:
    return choice.error_of(AgentsPage, field)


def _strategy(value: str, label: str, meaning: str) -> rx.Component:
    checked = {"default_checked": AgentsPage.strategy == value}
    return rx.el.label(
        rx.el.input(type="radio", name="approvalStrategy", value=value, **checked),
        rx.el.span(rx.el.span(label), rx.el.span(meaning, class_name="ac-meta")),
        class_name="agent-choice",
    )


def _buttons() -> rx.Component:
    return rx.el.div(
        verb_button(
            "Create and run",
            reason=AgentsPage.refusal,
            icon_name="play",
            type="submit",
            size="3",
            on_click=AgentsPage.intend("run"),
        ),
        verb_button(
            "Create session",
            reason=AgentsPage.refusal,
            type="submit",
            size="3",
            variant="soft",
            on_click=AgentsPage.intend("keep"),
        ),
        verb_button(
            "Save as template",
            reason=AgentsPage.refusal,
            type="submit",
            size="3",
            variant="soft",
            color_scheme="gray",
            on_click=AgentsPage.intend("template"),
        ),
        class_name="agent-buttons",
    )


def _form() -> rx.Component:
    strategies = [_strategy(value, *said) for value, said in STRATEGIES.items()]
    return rx.form(
        choice.head(AgentsPage),
        text_field(
            "taskDescription",
            "Task",
            AgentsPage.description,
            _error("taskDescription"),
            "What the agent is to do, in your words.",
        ),
        text_field(
            "project",
            "Project",
            AgentsPage.project,
            _error("projectId"),
            "Sessions are kept by project.",
        ),
        agent_pickers.findings(),
        form_fields(AgentsPage.fields, AgentsPage.add_item, AgentsPage.remove_item),
        agent_pickers.documents(),
        rx.el.fieldset(rx.el.legend("Approval"), *strategies, class_name="ac-field agent-choices"),
        choice.wrong(AgentsPage),
        _buttons(),
        key=AgentsPage.form_key,
        on_submit=AgentsPage.create,
        reset_on_submit=False,
        no_validate=True,
        aria_label="New session",
    )


def _name() -> rx.Component:
    """Return the form that names a template, once there is something to name."""
    return rx.form(
        text_field(
            "templateName", "Name of the template", "", _error("templateName"), "Only you see it."
        ),
        rx.el.div(
            verb_button("Save", reason=AgentsPage.refusal, type="submit"),
            rx.button(
                "Cancel", type="button", variant="soft", color_scheme="gray",
                on_click=AgentsPage.forget_name,
            ),
            class_name="agent-buttons",
        ),
        on_submit=AgentsPage.save_template,
        reset_on_submit=False,
        no_validate=True,
        aria_label="New template",
        class_name="agent-name",
    )  # fmt: skip


def _template(one: rx.Var[TemplateRow]) -> rx.Component:
    return rx.el.li(
        rx.link(one.name, href=one.href),
        rx.el.button(
            icon("trash_2", 14),
            type="button",
            on_click=AgentsPage.delete_template(one.id),
            aria_label="Delete template " + one.name,
            title="Delete",
            class_name="ac-icon",
        ),
        key=one.id,
    )


def _templates() -> rx.Component:
    return rx.cond(
        AgentsPage.templates.length() > 0,
        rx.el.nav(
            rx.el.h3("Your templates", class_name="ac-label"),
            rx.el.ul(rx.foreach(AgentsPage.templates, _template), role="list"),
            aria_label="Templates",
            class_name="agent-templates",
        ),
    )


def _paste() -> rx.Component:
    """Return the form that keeps a text; apart from the session's, which it must not send."""
    return rx.el.details(
        rx.el.summary(icon("file_plus", 15), "Add a context document"),
        rx.form(
            file_field(),
            text_field("title", "Title", "", _error("title"), ""),
            format_field(),
            content_field(_error("content")),
            verb_button(
                "Add document", reason=AgentsPage.context_refusal, type="submit", variant="soft"
            ),
            key=AgentsPage.paste_key,
            on_submit=AgentsPage.add_document,
            reset_on_submit=False,
            no_validate=True,
            aria_label="New context document",
        ),
        class_name="agent-paste",
    )


def _problem() -> rx.Component:
    """Say why there are no findings of the session in the address."""
    return rx.cond(
        AgentsPage.handed_problem != "",
        callout("amber", "triangle_alert", AgentsPage.handed_problem),
    )


def page() -> rx.Component:
    """Lay out the page."""
    cards = rx.el.nav(
        rx.el.ul(rx.foreach(AgentsPage.cards, _card), class_name="ac-types"),
        rx.link("All agents", href="/agents", class_name="ac-others"),
        aria_label="Agents",
    )
    side = rx.el.div(cards, _templates())
    none = empty("bot", "No agents", "No handler declares itself to be an agent.")
    form = rx.el.div(_form(), rx.cond(AgentsPage.naming, _name()), _paste())
    both = rx.fragment(_problem(), choice.beside(AgentsPage, side, form, "Choose an agent"))
    return shell.frame(
        "Agents",
        shell.heading("Agents", shell.stale_badge(AgentsPage.stale)),
        choice.whole(AgentsPage, rx.cond(AgentsPage.cards.length() > 0, both, none)),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/agents``."""
    live_page(app, "/agents", "Agents", page, AgentsPage.watch)
