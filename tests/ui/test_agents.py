"""The Agents page: a session from a form, with documents chosen or pasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent_console import JobContext, handler
from agent_console.domain.context import NewContextDocument
from agent_console.domain.sessions import NewTemplate, SessionStatus, WorkSession
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.ui import bridge
from agent_console.ui.states.agents import AgentsPage
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, greet, run

PATH = "/agents?agent=ask"
FORM = {"taskDescription": "Look", "project": "harbor", "approvalStrategy": "final_only"}


class Question(BaseModel):
    """The configuration of the test's agent."""

    topic: str
    limit: int | None = Field(default=None, ge=1, le=9, title="Most answers")


@handler("ask", input=Question, title="Ask", examples=[{"topic": "tides"}], agent=True)
def ask(ctx: JobContext) -> dict[str, str]:
    """Answer."""
    return {"answer": ctx.input.topic}


@pytest.fixture
def services(console: Console) -> Services:
    """Bind services whose catalog has an agent beside the ordinary job type."""
    settings = Settings()
    made = build_services(console.db, Registry([greet, ask]), settings, console.services.feed)
    bridge.bind(made, settings)
    return made


async def opened(browser: Browser, *events: Any) -> None:
    await browser.send(AgentsPage.watch, wait=False)
    await browser.until(lambda: browser.wire.value(AgentsPage, "loaded") is True)
    for event in events:
        await browser.send(event)


def page_of(
    console: Console,
    *events: Any,
    path: str = PATH,
    role: str = "operator",
    until: Callable[[Browser], object] = lambda browser: True,  # noqa: ARG005
) -> Browser:
    """Open the page, send ``events``, wait ``until`` it shows their effect; return the browser."""

    async def look() -> Browser:
        async with Browser(console.sign_in(role), path) as browser:
            await opened(browser, *events)
            await browser.until(lambda: until(browser))
            return browser

    return run(look())


def made_in(services: Services, console: Console, browser: Browser) -> WorkSession:
    """Return the session the browser was sent to."""
    job_id = browser.wire.redirects()[-1].removeprefix("/jobs/")
    return services.sessions.get(console.actor("operator"), "harbor", job_id).session


def test_only_agents_are_offered_with_a_form(console: Console, services: Services) -> None:
    assert services.sessions.agents(console.actor("operator"))
    wire = page_of(console, AgentsPage.use_example).wire
    assert [card.agent_type for card in wire.value(AgentsPage, "cards")] == ["ask"]
    fields = wire.value(AgentsPage, "fields")
    assert [(one.label, one.value) for one in fields] == [("Topic", "tides"), ("Most answers", "")]
    assert page_of(console, path="/agents").wire.value(AgentsPage, "chosen") == ""


@pytest.mark.parametrize(
    ("runs", "status"), [(False, SessionStatus.INITIALIZED), (True, SessionStatus.IN_PROGRESS)]
)
def test_a_session_waits_or_runs_as_the_button_says(
    console: Console, services: Services, runs: bool, status: SessionStatus
) -> None:
    browser = page_of(
        console,
        AgentsPage.intend("run" if runs else "keep"),
        AgentsPage.create({**FORM, "topic": "x"}),
    )
    made = made_in(services, console, browser)
    assert (made.status, made.project_id, made.approval_strategy) == (
        status,
        "harbor",
        "final_only",
    )
    assert (made.task_description, made.user_id) == ("Look", console.actor("operator").id)


def documents_of(browser: Browser) -> Sequence[Any]:
    return browser.wire.value(AgentsPage, "documents") or []


def test_ticked_documents_go_with_the_session(console: Console, services: Services) -> None:
    actor = console.actor("operator")
    kept = [
        services.context.create(actor, NewContextDocument(title=t, content="text")).document.id
        for t in ("one", "two")
    ]
    form = {**FORM, "topic": "x", f"document:{kept[1]}": "on", "document:../x": "on"}
    browser = page_of(console, AgentsPage.create(form))
    assert {one.id for one in documents_of(browser)} == set(kept)
    assert made_in(services, console, browser).context_document_ids == (kept[1],)


def test_a_pasted_document_is_kept_and_chosen(console: Console, services: Services) -> None:
    browser = page_of(
        console,
        AgentsPage.add_document({"title": "Notes", "content": "a\r\nb"}),
        until=documents_of,
    )
    (made,) = documents_of(browser)
    assert (made.title, made.chosen) == ("Notes", True)
    detail = services.context.get(console.actor("operator"), made.id)
    assert detail.shown.content == "a\nb"
    refused = page_of(console, AgentsPage.add_document({"title": " ", "content": "x"}))
    assert set(refused.wire.value(AgentsPage, "errors")) == {"title"}


def test_refused_fields_are_marked_and_nothing_is_made(
    console: Console, services: Services
) -> None:
    assert services.jobs
    browser = page_of(
        console,
        AgentsPage.create(FORM),
        AgentsPage.create({**FORM, "topic": "x", "limit": "99"}),
    )
    assert browser.wire.redirects() == []
    assert browser.wire.value(AgentsPage, "fields")[1].error != ""
    browser = page_of(console, AgentsPage.create({**FORM, "topic": "x", "project": " "}))
    assert set(browser.wire.value(AgentsPage, "errors")) == {"projectId"}
    wrong = {**FORM, "topic": "x", "approvalStrategy": "never"}
    browser = page_of(console, AgentsPage.create(wrong))
    assert "approvalStrategy" in browser.wire.value(AgentsPage, "form_error")
    assert sum(console.services.jobs.counts(console.actor("operator")).values()) == 0


def test_a_template_fills_the_form(console: Console, services: Services) -> None:
    new = NewTemplate(name="mine", agent_type="ask", task_configuration={"topic": "kept"})
    template = services.templates.create(console.actor("operator"), new)
    path = f"{PATH}&template={template.id}"
    assert page_of(console, path=path).wire.value(AgentsPage, "fields")[0].value == "kept"
    fields = page_of(console, path=path, role="reviewer").wire.value(AgentsPage, "fields")
    assert fields[0].value == ""


def test_what_was_typed_is_kept_as_a_template_and_deleted(
    console: Console, services: Services
) -> None:
    actor = console.actor("operator")
    wire = page_of(
        console,
        AgentsPage.intend("template"),
        AgentsPage.create({**FORM, "limit": "3"}),
        AgentsPage.save_template({"templateName": " "}),
        AgentsPage.save_template({"templateName": "Three"}),
        until=lambda browser: browser.wire.value(AgentsPage, "templates"),
    ).wire
    assert wire.redirects() == []
    (kept,) = services.templates.mine(actor)
    assert (kept.name, kept.task_configuration, kept.approval_strategy) == (
        "Three",
        {"limit": 3},
        "final_only",
    )
    (row,) = wire.value(AgentsPage, "templates")
    assert row.href == f"{PATH}&template={kept.id}"
    opened_again = page_of(
        console,
        AgentsPage.delete_template(kept.id),
        path=row.href,
        until=lambda browser: browser.wire.value(AgentsPage, "templates") == [],
    ).wire
    assert opened_again.value(AgentsPage, "strategy") == "final_only"
    assert opened_again.value(AgentsPage, "templates") == []
    assert services.templates.mine(actor) == []


def test_wrong_fields_make_no_template(console: Console, services: Services) -> None:
    wire = page_of(
        console,
        AgentsPage.intend("template"),
        AgentsPage.create({**FORM, "limit": "x"}),
        AgentsPage.save_template({"templateName": "None"}),
    ).wire
    assert wire.value(AgentsPage, "fields")[1].error == "Enter a whole number."
    assert services.templates.mine(console.actor("operator")) == []


def test_a_viewer_sees_the_form_and_the_reason(console: Console, services: Services) -> None:
    assert services.jobs
    wire = page_of(console, AgentsPage.create({**FORM, "topic": "x"}), role="viewer").wire
    assert "jobs:create" in wire.value(AgentsPage, "refusal")
    assert "context:write" in wire.value(AgentsPage, "context_refusal")
    assert wire.value(Session, "notices")[-1].code == "forbidden"
