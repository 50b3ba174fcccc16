"""What agents put up is on the card as findings, drafts and reports, not as JSON."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

MINUTES = """# Minutes of the harbour board

The pilot of the berth planner begins on Monday, 9 March.

<script>document.title = "taken"</script> The harbour board meets on Fridays.
"""
QUESTION = "When does the pilot of the berth planner begin?"
DRAFTS = {"topic": "Results of the pilot", "variations": 4}


def document(console: ConsoleProcess, title: str) -> str:
    """Keep the minutes as a context document and return its id."""
    with console.api("operator") as operator:
        answer = operator.post("/api/context-documents", json={"title": title, "content": MINUTES})
    assert answer.is_success, answer.text
    return str(answer.json()["document"]["id"])


def session(console: ConsoleProcess, agent: str, task: dict[str, Any], *documents: str) -> str:
    """Start a session that asks once, at the end; return its id."""
    wanted = {
        "agentType": agent,
        "taskDescription": f"{agent} {uuid.uuid4().hex[:8]}",
        "taskConfiguration": task,
        "contextDocumentIds": list(documents),
        "approvalStrategy": "final_only",
        "autoExecute": True,
    }
    with console.api("operator") as operator:
        answer = operator.post("/api/projects/evidence/work-sessions", json=wanted)
    assert answer.is_success, answer.text
    return str(answer.json()["session"]["id"])


def card(people: People, checkpoint: str, **options: Any) -> Page:
    return people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}", **options)


def test_findings_lead_to_the_place_they_quote(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    title = f"Minutes {uuid.uuid4().hex[:8]}"
    task = {"questions": [QUESTION, "What does a swallow weigh?"]}
    job = session(console, "research", task, document(console, title))
    page = card(people, work.open_checkpoint(job))
    evidence = page.get_by_test_id("evidence")
    expect(evidence.get_by_role("heading", name=QUESTION)).to_be_visible()
    finding = evidence.get_by_role("listitem").filter(has_text="9 March").first
    expect(finding).to_contain_text("F1")
    expect(finding).to_contain_text("Confidence")
    expect(finding).to_contain_text("Stands there word for word")
    expect(evidence.get_by_text("Nothing was found that answers this.")).to_be_visible()
    expect(evidence.get_by_text("Also in the data")).to_have_count(0)
    finding.get_by_role("link", name=re.compile(title)).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    expect(page.locator("mark")).to_contain_text("9 March")
    assert "taken" not in page.title()


def test_drafts_stand_side_by_side_and_on_a_phone_below_each_other(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    checkpoint = work.open_checkpoint(session(console, "content", DRAFTS))

    def corners(page: Page) -> list[tuple[float, float]]:
        drafts = page.get_by_test_id("evidence").get_by_role("article")
        expect(drafts.nth(1)).to_be_visible()
        boxes = [one.bounding_box() for one in drafts.all()]
        return [(box["x"], box["y"]) for box in boxes if box is not None]

    wide = corners(card(people, checkpoint))
    assert len({x for x, _ in wide}) > 1
    assert len({y for _, y in wide}) < len(wide)
    narrow = corners(card(people, checkpoint, viewport=PHONE))
    assert len({x for x, _ in narrow}) == 1
    assert len({y for _, y in narrow}) == len(narrow) == len(wide)


def test_a_report_is_read_as_one_and_its_json_is_at_hand(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    task = {"topic": "harbour board meets on Fridays"}
    title = f"Minutes {uuid.uuid4().hex[:8]}"
    job = session(console, "reporting", task, document(console, title))
    page = card(people, work.open_checkpoint(job))
    evidence = page.get_by_test_id("evidence")
    expect(evidence.get_by_role("heading", name="Sources")).to_be_visible()
    expect(evidence.get_by_role("cell", name=re.compile(title)).first).to_be_visible()
    expect(evidence.get_by_text("## Sources")).to_have_count(0)
    assert "taken" not in page.title()
    whole = page.get_by_role("group", name="Data", exact=True)
    expect(whole).to_be_hidden()
    page.get_by_text("All of it as JSON").click()
    expect(whole).to_contain_text("## Sources")


def test_a_jobs_page_unfolds_what_was_asked_with_the_keyboard(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    job = session(console, "research", {"questions": [QUESTION]}, document(console, "Minutes"))
    checkpoint = work.open_checkpoint(job)
    page = people.page("viewer", f"/jobs/{job}")
    fold = page.get_by_role("button", name=re.compile("What was asked"))
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_test_id("me")).not_to_be_empty()
    fold.focus()
    page.keyboard.press("Enter")
    asked = page.get_by_test_id("what-was-asked")
    expect(asked.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(asked).to_contain_text("9 March")
    expect(asked.get_by_role("button", name="Approve")).to_have_count(0)
    expect(fold).to_have_attribute("aria-expanded", "true")
    work.approve(checkpoint)
    work.finished(job)
    page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    page.keyboard.press("Enter")
    expect(asked).to_contain_text("Approved by Rita Reviewer")
