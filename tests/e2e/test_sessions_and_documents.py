"""Sessions by project, findings handed to the next session, and the life of a context document."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

MINUTES = """# Minutes of the harbour board

The pilot of the berth planner begins on Monday, 9 March.

The board approved a budget of 41,000 euros for the berth planner.
"""


def ready(page: Page, heading: str) -> None:
    """Wait until the page answers."""
    expect(page.get_by_role("heading", name=heading, level=1, exact=True)).to_be_visible()
    expect(page.get_by_test_id("me")).not_to_be_empty()


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    return dict(answer.json())


def keep(console: ConsoleProcess, title: str) -> str:
    """Keep a document over REST and return its id."""
    with console.api("operator") as operator:
        body = {"title": title, "content": MINUTES}
        return str(ok(operator.post("/api/context-documents", json=body))["document"]["id"])


def session_in(console: ConsoleProcess, project: str, **body: Any) -> str:
    with console.api("operator") as operator:
        url = f"/api/projects/{project}/work-sessions"
        return str(ok(operator.post(url, json=body))["session"]["id"])


def session_of(console: ConsoleProcess, project: str, session: str) -> dict[str, Any]:
    with console.api("operator") as operator:
        url = f"/api/projects/{project}/work-sessions/{session}/status"
        return dict(ok(operator.get(url))["session"])


def test_findings_go_from_the_list_into_a_new_session(
    people: People, work: Work, console: ConsoleProcess
) -> None:
    project, document = f"harbour-{uuid.uuid4().hex[:8]}", keep(console, "Minutes")
    page = people.page("operator", f"/sessions?project={project}")
    ready(page, "Sessions")
    expect(page.get_by_text("No sessions here yet")).to_be_visible()
    question = "When does the pilot of the berth planner begin?"
    research = session_in(
        console,
        project,
        agentType="research",
        taskDescription=question,
        taskConfiguration={"questions": [question]},
        contextDocumentId=document,
        approvalStrategy="final_only",
        autoExecute=True,
    )
    # Nobody loads the page anew: the row, its status and its verb come by themselves.
    row = page.get_by_test_id("session-row")
    expect(row.get_by_text("pending_review", exact=True)).to_be_visible()
    work.approve(work.open_checkpoint(research))
    expect(row.get_by_text("completed", exact=True)).to_be_visible()
    expect(row.get_by_role("link", name="Use the findings")).to_be_visible()
    row.get_by_role("link", name=question, exact=True).click()
    page.get_by_role("link", name="Use these findings").click()
    ready(page, "Agents")
    basket = page.get_by_test_id("basket")
    expect(basket.get_by_role("checkbox", name=re.compile("9 March"))).to_be_checked()
    expect(page.get_by_role("checkbox", name=re.compile("^Minutes")).first).to_be_checked()
    for box in basket.get_by_role("checkbox").all()[1:]:
        box.uncheck()
    page.get_by_label("Task").fill("Tell the crews")
    page.get_by_label("Ask once, at the end").check()
    page.get_by_role("button", name="Create and run").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    made = page.url.rstrip("/").rsplit("/", 1)[1]
    work.approve(work.open_checkpoint(made))
    assert work.finished(made)["status"] == "COMPLETED"
    session = session_of(console, project, made)
    assert (session["agentType"], session["basketId"]) == ("content", research)
    assert session["contextDocumentIds"] == [document]
    (finding,) = session["taskConfiguration"]["findings"]
    assert "9 March" in finding["claim"]


def test_a_session_that_waits_is_executed_from_the_list(
    people: People, work: Work, console: ConsoleProcess
) -> None:
    project = f"quay-{uuid.uuid4().hex[:8]}"
    asked = {"topic": "Results of the pilot"}
    waits = session_in(console, project, agentType="reporting", taskConfiguration=asked)
    page = people.page("operator", "/sessions")
    ready(page, "Sessions")
    page.get_by_test_id("project-row").get_by_role("link", name=project).click()
    page.wait_for_url(re.compile(f"project={project}"))
    tabs = page.get_by_role("navigation", name="Session statuses")
    expect(tabs.get_by_role("link", name="initialized 1")).to_be_visible()
    page.get_by_role("button", name="Execute").click()
    work.open_checkpoint(waits)
    expect(tabs.get_by_role("link", name="pending_review 1")).to_be_visible()
    tabs.get_by_role("link", name="completed").click()
    expect(page.get_by_text("No session matches")).to_be_visible()


def test_a_document_among_many_is_found_and_goes_with_the_session(
    people: People, console: ConsoleProcess
) -> None:
    mark = uuid.uuid4().hex[:8]
    first = keep(console, f"Oldest {mark}")
    for number in range(26):
        keep(console, f"Filler {number} {mark}")
    page = people.page("operator", "/agents?agent=research")
    ready(page, "Agents")
    newest = page.get_by_role("checkbox", name=re.compile(f"Filler 25 {mark}"))
    newest.check()
    expect(page.get_by_role("checkbox", name=re.compile(f"Oldest {mark}"))).to_have_count(0)
    search = page.get_by_role("searchbox", name="Search documents")
    search.fill(f"Oldest {mark}")
    search.press("Enter")
    page.get_by_role("checkbox", name=re.compile(f"Oldest {mark}")).check()
    expect(newest).to_be_checked()
    page.get_by_label("Task").fill("Read both")
    page.get_by_role("button", name="Create session").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    made = page.url.rstrip("/").rsplit("/", 1)[1]
    chosen = session_of(console, "default", made)["contextDocumentIds"]
    assert (first in chosen, len(chosen)) == (True, 2)


def test_a_document_is_uploaded_changed_compared_archived_and_deleted(people: People) -> None:
    title = f"Minutes {uuid.uuid4().hex[:8]}"
    page = people.page("operator", "/context")
    ready(page, "Documents")
    page.get_by_text("Add a context document").click()
    file = {"name": f"{title}.txt", "mimeType": "text/plain", "buffer": MINUTES.encode()}
    page.get_by_label("From a file").set_input_files(file)
    expect(page.get_by_label("Title", exact=True)).to_have_value(title)
    expect(page.get_by_label("Format")).to_have_value("text/plain")
    page.get_by_role("button", name="Add document").click()
    ready(page, title)
    page.get_by_role("button", name="New version").click()
    text = page.get_by_label("Text or Markdown")
    expect(text).to_have_value(MINUTES)
    text.fill(MINUTES.replace("9 March", "10 March"))
    page.get_by_role("button", name="Save version").click()
    changes = page.get_by_role("table", name="Changes to Version 1 → 2")
    expect(changes.get_by_text("begins on Monday, 10 March")).to_be_visible()
    page.get_by_label("Show").select_option("")
    expect(page.get_by_role("group", name="Text")).to_contain_text("10 March")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Archived: jobs that have it")).to_be_visible()
    expect(page.get_by_role("button", name="New version")).to_be_disabled()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete document").click()
    page.wait_for_url(re.compile("/context/?$"))
    page.goto("/context?shelf=archived")
    ready(page, "Documents")
    expect(page.get_by_role("link", name=title)).to_have_count(0)
