"""From the Agents page to a PDF, without a model; and a model whose every search is decided."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.answers import CLAIM, GUARDED
from tests.e2e.browser import People
from tests.e2e.test_agents import ready
from tests.e2e.test_rounds import send_back
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

QUESTION = "When does wave 2 start?"
WISH = "What does a device cost?"
FACT = re.compile("6 October 2025")


def started(page: Page, button: str = "Create and run") -> str:
    """Send the form; return the id of the session that came of it."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url(re.compile("/jobs/job_"))
    return page.url.rstrip("/").rsplit("/", 1)[1]


def card_of(desk: Page, checkpoint: str) -> Locator:
    desk.goto(f"/admin/agent-checkpoints/{checkpoint}")
    shown = desk.get_by_test_id("review-card")
    expect(shown).to_be_visible()
    return shown


def approve(desk: Page) -> None:
    desk.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.get_by_text(re.compile("^Approved:")).first).to_be_visible()


def hand_over(page: Page, job: str, agent: str, task: str) -> str:
    """Start another agent from the findings of a finished session, as its page offers."""
    page.goto(f"/jobs/{job}")
    page.get_by_role("link", name="Use these findings").click()
    ready(page)
    page.get_by_role("navigation", name="Agents").get_by_text(agent, exact=True).click()
    boxes = page.get_by_test_id("basket").get_by_role("checkbox", name=FACT)
    expect(boxes.first).to_be_checked()
    page.get_by_label("Task").fill(task)
    page.get_by_label("Ask once, at the end").check()
    return started(page)


def downloaded(page: Page, link: str) -> bytes:
    with page.expect_download() as begun:
        page.get_by_role("link", name=link, exact=True).click()
    return Path(begun.value.path()).read_bytes()


def test_the_whole_flow_without_a_model(people: People, work: Work) -> None:
    name = uuid.uuid4().hex[:8]
    page, desk = people.page("operator", "/agents"), people.page("reviewer")
    ready(page)
    page.get_by_role("navigation", name="Agents").get_by_text("Research", exact=True).click()
    page.get_by_label("Task").fill(f"Wave 2 {name}")
    page.get_by_label("Questions").fill(QUESTION)
    page.get_by_label("Ask once, at the end").check()
    research = started(page, "Create session")
    expect(page.get_by_text("INITIALIZED", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Execute job").click()
    expect(page.get_by_text("This job waits for a decision.")).to_be_visible()

    first = work.open_checkpoint(research)
    shown = card_of(desk, first)
    expect(shown).to_contain_text(FACT)
    expect(shown).to_contain_text("Round 1 of 3")
    expect(shown.get_by_role("link", name=re.compile("Rollout plan")).first).to_be_visible()
    send_back(desk, WISH)
    second = work.next_checkpoint(research, first)
    shown = card_of(desk, second)
    expect(shown).to_contain_text(WISH)
    expect(shown.get_by_role("heading", name="What changed since round 1")).to_be_visible()
    expect(shown.locator(".diff-added").first).to_be_visible()
    approve(desk)
    expect(page.get_by_text("COMPLETED", exact=True).first).to_be_visible()

    content = hand_over(page, research, "Content", f"Tell the couriers {name}")
    shown = card_of(desk, work.open_checkpoint(content))
    expect(shown).to_contain_text(FACT)
    approve(desk)
    assert work.finished(content)["status"] == "COMPLETED"

    report = hand_over(page, research, "Reporting", f"State of wave 2 {name}")
    shown = card_of(desk, work.open_checkpoint(report))
    expect(shown.get_by_role("heading", name="Summary")).to_be_visible()
    approve(desk)
    done = work.finished(report)
    (made,) = [one for one in done["artifacts"] if one["artifactType"] == "report"]
    page.goto(f"/artifacts/{made['id']}")
    expect(page.get_by_role("heading", name="Summary", level=3)).to_be_visible()
    assert "6 October 2025" in downloaded(page, "Markdown").decode()
    assert downloaded(page, "PDF").startswith(b"%PDF-")
    journal = [one["action"] for one in work.job(research)["timeline"]]
    assert "checkpoint.changes_requested" in journal


def test_a_model_searches_with_the_words_that_a_person_left_it(people: People, work: Work) -> None:
    job = work.enqueue("guarded", {"questions": [GUARDED]}, "Wave 2")
    desk = people.page("reviewer")
    asked = work.open_checkpoint(job)
    shown = card_of(desk, asked)
    expect(shown).to_contain_text("Use the tool search")
    expect(shown).to_contain_text("wave 2 start")
    desk.get_by_role("button", name="Approve with edits").click()
    dialog = desk.get_by_role("dialog", name="Approve with edits")
    dialog.get_by_role("button", name="Edit as JSON").click()
    dialog.get_by_label("Data (JSON)").fill('{"query": "", "limit": 3}')
    dialog.get_by_role("button", name="Approve edited data").click()
    expect(dialog.get_by_role("alert").filter(has_text="query")).to_be_visible()
    dialog.get_by_label("Data (JSON)").fill('{"query": "device cost", "limit": 1}')
    dialog.get_by_role("button", name="Approve edited data").click()
    expect(dialog).to_be_hidden()
    card_of(desk, work.next_checkpoint(job, asked))
    approve(desk)
    done = work.finished(job)
    assert done["outputData"]["findings"][0]["claim"] == CLAIM
    (ran,) = [one for one in done["steps"] if one["name"] == "tool search"]
    assert "212 euros" in str(ran)


def test_a_model_goes_on_without_the_search_that_was_refused(people: People, work: Work) -> None:
    job = work.enqueue("guarded", {"questions": [GUARDED]}, "Wave 2")
    desk = people.page("reviewer")
    asked = work.open_checkpoint(job)
    card_of(desk, asked)
    desk.get_by_role("button", name="Reject", exact=True).click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason").fill("Not in these documents")
    dialog.get_by_role("button", name="Reject checkpoint").click()
    expect(dialog).to_be_hidden()
    expect(card_of(desk, work.next_checkpoint(job, asked))).to_contain_text(CLAIM)
    approve(desk)
    done = work.finished(job)
    assert done["status"] == "COMPLETED"
    assert [one for one in done["steps"] if one["name"] == "tool search"] == []


def test_a_used_up_budget_asks_before_the_next_call(people: People, work: Work) -> None:
    task = {"questions": [GUARDED], "maxTokens": 50}
    job = work.enqueue("guarded", task, "Wave 2", taskConfiguration=task)
    desk = people.page("reviewer")
    asked = work.open_checkpoint(job)
    expect(card_of(desk, asked)).to_contain_text("The budget of this job is used up")
    assert work.job(job)["usage"]["calls"] == 1
    approve(desk)
    search = work.next_checkpoint(job, asked)
    expect(card_of(desk, search)).to_contain_text("Use the tool search")
