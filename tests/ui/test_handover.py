"""The form of a session takes findings of finished ones, and documents found among many."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent_console import JobContext, handler
from agent_console.domain.context import NewContextDocument
from agent_console.domain.sessions import NewSession, NewTemplate, WorkSession
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.testing import drain
from agent_console.ui import bridge
from agent_console.ui.states import agent_documents
from agent_console.ui.states.agent_findings import basket_row
from agent_console.ui.states.agents import AgentsPage
from tests.ui.conftest import Browser, Console, greet, run

FORM = {"taskDescription": "Write", "project": "harbor", "approvalStrategy": "final_only"}
ALL = {"finding:0": "on", "finding:1": "on"}


class Task(BaseModel):
    """The configuration of an agent that writes."""

    topic: str = ""
    tone: str = Field(default="plain", max_length=9)
    sections: list[str] = []
    findings: list[dict[str, Any]] = []


@handler("research", title="Research", version="1", agent=True)
def research(ctx: JobContext) -> dict[str, Any]:
    """Find two things."""
    place = {"title": "Plan", "words": ["a", {"b": []}]}
    found = [
        {"id": f"F{n}", "claim": f"{ctx.job.description} {n}", "missing": [], "source": place}
        for n in (1, 2)
    ]
    return {"topic": "The pilot", "findings": found}


@handler("content", input=Task, title="Content", version="1", agent=True)
def content(_ctx: JobContext) -> None:
    """Write."""


REGISTRY = Registry([greet, research, content])


@pytest.fixture
def services(console: Console) -> Services:
    """Bind services with an agent that finds and one that writes."""
    settings = Settings()
    made = build_services(console.db, REGISTRY, settings, console.services.feed)
    bridge.bind(made, settings)
    return made


def found_by(console: Console, services: Services, name: str = "A", **more: Any) -> str:
    """Run a research session to its end and return its id."""
    new = NewSession(agent_type="research", task_description=name, auto_execute=True, **more)
    made = services.sessions.create(console.actor("operator"), "harbor", new).session
    drain(console.db, REGISTRY)
    return made.id


def keep(console: Console, services: Services, title: str) -> str:
    new = NewContextDocument(title=title, content="text")
    return services.context.create(console.actor("operator"), new).document.id


def page_of(console: Console, path: str, *events: Any) -> Browser:
    async def look() -> Browser:
        async with Browser(console.sign_in("operator"), path) as browser:
            await browser.send(AgentsPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(AgentsPage, "loaded") is True)
            for event in events:
                await browser.send(event)
            return browser

    return run(look())


def made_in(services: Services, console: Console, browser: Browser) -> WorkSession:
    job_id = browser.wire.redirects()[-1].removeprefix("/jobs/")
    return services.sessions.get(console.actor("operator"), "harbor", job_id).session


def claims(session: WorkSession) -> list[tuple[str, str]]:
    configuration: Any = session.task_configuration
    return [(one["id"], one["claim"]) for one in configuration["findings"]]


def test_findings_of_a_session_start_the_next_one(console: Console, services: Services) -> None:
    document = keep(console, services, "Plan")
    source = found_by(console, services, context_document_ids=(document,))
    path = f"/agents?agent=content&from={source}"
    form = {**FORM, "topic": "x", "finding:1": "on", "finding:7": "on"}
    browser = page_of(console, path, AgentsPage.create(form))
    wire = browser.wire
    basket = next(
        update
        for update in (
            (u.delta or {}).get(AgentsPage.get_full_name(), {}).get("basket_rx_state_")
            for u in wire.sent
        )
        if update
    )
    assert [row.claim for row in basket] == ["A 1", "A 2"]
    assert wire.count(AgentsPage, "project", "harbor") == 1
    assert [one.label for one in wire.value(AgentsPage, "fields")] == [
        "Topic",
        "Tone",
        "Sections",
    ]
    made = made_in(services, console, browser)
    assert claims(made) == [("F2", "A 2")]
    assert (made.basket_id, made.metadata["findingsFrom"]) == (source, [source])
    assert wire.value(AgentsPage, "basket") == []


def test_the_topic_and_the_documents_come_along(console: Console, services: Services) -> None:
    document, other = keep(console, services, "Plan"), keep(console, services, "Other")
    source = found_by(console, services, context_document_ids=(document,))
    wire = page_of(console, f"/agents?agent=content&from={source}").wire
    assert wire.value(AgentsPage, "fields")[0].value == "The pilot"
    chosen = {one.id: one.chosen for one in wire.value(AgentsPage, "documents")}
    assert chosen == {document: True, other: False}


def test_findings_of_several_sessions_have_ids_of_their_own(
    console: Console, services: Services
) -> None:
    first, second = found_by(console, services, "A"), found_by(console, services, "B")
    browser = page_of(
        console,
        f"/agents?agent=content&from={first}",
        AgentsPage.offer_sources("harbor"),
        AgentsPage.take(second),
        AgentsPage.take(second),
        AgentsPage.create({**FORM, **ALL, "finding:2": "on", "finding:3": "on"}),
    )
    assert [row.id for row in browser.wire.value(AgentsPage, "sources")] == [second]
    made = made_in(services, console, browser)
    assert claims(made) == [("F1", "A 1"), ("F2", "A 2"), ("F3", "B 1"), ("F4", "B 2")]
    assert made.metadata["findingsFrom"] == [first, second]


def test_an_emptied_basket_hands_nothing_on(console: Console, services: Services) -> None:
    source = found_by(console, services)
    path = f"/agents?agent=content&from={source}"
    browser = page_of(console, path, AgentsPage.empty_basket, AgentsPage.create({**FORM, **ALL}))
    made = made_in(services, console, browser)
    assert made.task_configuration == {
        "topic": "",
        "tone": "plain",
        "sections": [],
        "findings": [],
    }
    assert (made.basket_id, "findingsFrom" in made.metadata) == (None, False)


def test_a_session_without_findings_says_why_there_are_none(
    console: Console, services: Services
) -> None:
    new = NewSession(agent_type="research")
    waits = services.sessions.create(console.actor("operator"), "harbor", new).session
    wire = page_of(console, f"/agents?agent=content&from={waits.id}").wire
    assert "initialized" in wire.value(AgentsPage, "handed_problem")
    assert wire.value(AgentsPage, "chosen") == "content"
    lost = page_of(console, "/agents?agent=content&from=job_x").wire
    assert "no work session" in lost.value(AgentsPage, "handed_problem")


def test_an_agent_that_takes_none_says_so(console: Console, services: Services) -> None:
    source = found_by(console, services)
    wire = page_of(console, f"/agents?agent=research&from={source}").wire
    assert wire.value(AgentsPage, "takes_findings") in (False, None)
    (content_card,) = [c for c in wire.value(AgentsPage, "cards") if c.agent_type == "content"]
    assert f"from={source}" in content_card.href


def test_documents_are_found_and_ticks_survive_the_search(
    console: Console, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_documents, "OFFERED", 2)
    old, _, newer, newest = (keep(console, services, t) for t in ("Old", "B", "C", "D"))
    browser = page_of(
        console,
        "/agents?agent=content",
        AgentsPage.tick(newest, True),
        AgentsPage.tick("doc_nonsense", True),
        AgentsPage.find_documents(" old "),
    )
    wire = browser.wire
    assert wire.count(AgentsPage, "more_documents", True) == 1
    shown = [(one.id, one.chosen) for one in wire.value(AgentsPage, "documents")]
    assert shown == [(newest, True), (old, False)]
    again = page_of(
        console,
        f"/agents?agent=content&documents={old},nonsense",
        AgentsPage.tick(newer, True),
        AgentsPage.tick(newer, False),
        AgentsPage.find_documents("nothing like it"),
    )
    (left,) = again.wire.value(AgentsPage, "documents")
    assert (left.id, left.chosen) == (old, True)


def test_an_archived_document_is_not_offered(console: Console, services: Services) -> None:
    away = keep(console, services, "Away")
    services.context.archive(console.actor("operator"), away)
    wire = page_of(console, f"/agents?agent=content&documents={away}").wire
    assert wire.value(AgentsPage, "documents") in ([], None)


def test_a_template_that_the_agent_would_refuse_marks_its_fields(
    console: Console, services: Services
) -> None:
    wire = page_of(
        console,
        "/agents?agent=content",
        AgentsPage.intend("template"),
        AgentsPage.create({**FORM, "tone": "much too long"}),
        AgentsPage.save_template({"templateName": "Mine"}),
    ).wire
    (tone,) = [one for one in wire.value(AgentsPage, "fields") if one.label == "Tone"]
    assert "at most 9" in tone.error
    assert wire.value(AgentsPage, "naming") is False
    assert services.templates.mine(console.actor("operator")) == []


def test_a_template_with_a_list_is_kept(console: Console, services: Services) -> None:
    page_of(
        console,
        "/agents?agent=content",
        AgentsPage.intend("template"),
        AgentsPage.create({**FORM, "sections": "one\ntwo"}),
        AgentsPage.save_template({"templateName": "Mine"}),
    )
    (kept,) = services.templates.mine(console.actor("operator"))
    assert kept.task_configuration == {"sections": ["one", "two"]}


def test_findings_of_a_template_are_in_the_basket(console: Console, services: Services) -> None:
    given = {"topic": "x", "findings": [{"id": "F9", "claim": "Kept"}]}
    new = NewTemplate(name="mine", agent_type="content", task_configuration=given)
    template = services.templates.create(console.actor("operator"), new)
    wire = page_of(console, f"/agents?agent=content&template={template.id}").wire
    assert [row.claim for row in wire.value(AgentsPage, "basket")] == ["Kept"]


def test_any_finding_can_be_shown() -> None:
    row = basket_row(3, {"claim": "a\u202eb", "source": {"title": 7}, "confidence": True})
    assert (row.name, row.claim, row.source, row.confidence) == (
        "finding:3",
        "a⟨U+202E⟩b",
        "",
        "",
    )
