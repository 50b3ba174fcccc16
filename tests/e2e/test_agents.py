"""From a card to reviewed findings: the offline agent, on a text that was pasted a moment ago."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

MINUTES = """# Minutes of the harbour board

The pilot of the berth planner begins on Monday, 9 March.

The board approved a budget of 41,000 euros for the berth planner.
"""


def ready(page: Page) -> None:
    """Wait until the page answers."""
    expect(page.get_by_role("heading", name="Agents", level=1, exact=True)).to_be_visible()
    expect(page.get_by_test_id("me")).not_to_be_empty()


def test_a_session_is_made_run_reviewed_and_its_quotes_lead_to_their_place(
    people: People, work: Work
) -> None:
    title = f"Minutes {uuid.uuid4().hex[:8]}"
    page = people.page("operator", "/agents")
    ready(page)
    page.get_by_role("navigation", name="Agents").get_by_text("Research", exact=True).click()
    page.get_by_text("Add a context document").click()
    file = {"name": f"{title}.md", "mimeType": "text/markdown", "buffer": MINUTES.encode()}
    page.get_by_label("From a file").set_input_files(file)
    expect(page.get_by_label("Title", exact=True)).to_have_value(title)
    expect(page.get_by_label("Text or Markdown")).to_have_value(MINUTES)
    page.get_by_role("button", name="Add document").click()
    expect(page.get_by_role("checkbox", name=re.compile(title))).to_be_checked()
    page.get_by_label("Task").fill("When does the pilot of the berth planner begin?")
    page.get_by_label("Ask once, at the end").check()
    page.get_by_role("button", name="Create and run").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    job = page.url.rstrip("/").rsplit("/", 1)[1]
    work.approve(work.open_checkpoint(job))
    assert work.finished(job)["status"] == "COMPLETED"
    page.goto(f"/artifacts?job={job}&type=research_finding&q=9+March")
    page.get_by_test_id("artifact-row").get_by_role("link").first.click()
    expect(page.get_by_text("Confidence")).to_be_visible()
    page.get_by_role("link", name=re.compile(title)).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    expect(page.locator("mark")).to_contain_text("9 March")


def test_a_template_keeps_what_was_typed(people: People) -> None:
    name = f"Template {uuid.uuid4().hex[:8]}"
    page = people.page("operator", "/agents?agent=research")
    ready(page)
    page.get_by_label("Topic").fill("Tides of the year")
    page.get_by_label("Let a policy approve low risk").check()
    page.get_by_role("button", name="Save as template").click()
    page.get_by_label("Name of the template").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name=name).click()
    page.wait_for_url(re.compile("template=tpl_"))
    page.reload()
    expect(page.get_by_label("Topic")).to_have_value("Tides of the year")
    expect(page.get_by_label("Let a policy approve low risk")).to_be_checked()
    page.get_by_role("button", name=f"Delete template {name}").click()
    expect(page.get_by_role("link", name=name)).to_have_count(0)


def test_a_session_may_wait_and_wrong_fields_are_shown(people: People) -> None:
    page = people.page("operator", "/agents?agent=research")
    ready(page)
    page.get_by_role("button", name="Use example").click()
    expect(page.get_by_label("Topic")).not_to_have_value("")
    page.get_by_label("Most findings").fill("many")
    page.get_by_role("button", name="Create session").click()
    expect(page.get_by_text("Enter a whole number.")).to_be_visible()
    page.get_by_label("Most findings").fill("3")
    page.get_by_role("button", name="Create session").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    expect(page.get_by_text("INITIALIZED", exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name="Execute job")).to_be_enabled()
