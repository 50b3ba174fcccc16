"""A reviewer sends findings back with words; the next round shows what they made of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

TASK = {"topic": "Lantern", "questions": ["When does wave 2 start?"], "maxFindings": 2}
WISH = "without F2, what do devices cost?"


def research(work: Work) -> tuple[str, str]:
    """Enqueue research in the shipped documents; return job and first checkpoint."""
    job = work.enqueue("research", TASK, f"Lantern {uuid.uuid4().hex[:8]}")
    return job, work.open_checkpoint(job)


def send_back(page: Page, words: str) -> None:
    page.get_by_role("button", name="Request changes").click()
    dialog = page.get_by_role("dialog", name="Request changes")
    dialog.get_by_label("What should change").fill(words)
    dialog.get_by_role("button", name="Send back").click()
    expect(dialog).to_be_hidden()


def test_the_next_round_says_what_was_asked_and_what_differs(people: People, work: Work) -> None:
    job, first = research(work)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{first}")
    card = page.get_by_test_id("review-card")
    expect(card).to_contain_text("Round 1 of 3")
    send_back(page, WISH)
    expect(page.get_by_text("Changes requested: research")).to_be_visible()
    second = work.open_checkpoint(job)
    page.goto(f"/admin/agent-checkpoints/{second}")
    expect(card).to_contain_text("Round 2 of 3")
    expect(card).to_contain_text(WISH)
    expect(card.get_by_role("link", name=re.compile("Round 1"))).to_have_attribute(
        "href", re.compile(first)
    )
    expect(card.get_by_role("heading", name="What changed since round 1")).to_be_visible()
    expect(card.locator(".diff-added").first).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    done = work.finished(job)
    assert done["status"] == "COMPLETED"
    statuses: list[Any] = [
        one["status"] for one in done["checkpoints"] if one["checkpointType"] != "INFO"
    ]
    assert statuses == ["CHANGES_REQUESTED", "APPROVED"]


def test_nothing_is_sent_back_without_words(people: People, work: Work) -> None:
    _, first = research(work)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{first}")
    page.get_by_role("button", name="Request changes").click()
    dialog = page.get_by_role("dialog", name="Request changes")
    dialog.get_by_role("button", name="Send back").click()
    expect(dialog.get_by_text("Say what should change")).to_be_visible()
    expect(dialog.get_by_label("What should change")).to_have_attribute("aria-invalid", "true")


def test_the_last_round_and_other_jobs_say_why_not(people: People, work: Work) -> None:
    _, single = work.waiting()
    page = people.page("reviewer", f"/admin/agent-checkpoints/{single}")
    button = page.get_by_role("button", name="Request changes")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("does not propose in rounds"))
    job, current = research(work)
    for words in (WISH, "and who pays for them?"):
        page.goto(f"/admin/agent-checkpoints/{current}")
        send_back(page, words)
        current = work.open_checkpoint(job)
    page.goto(f"/admin/agent-checkpoints/{current}")
    expect(page.get_by_test_id("review-card")).to_contain_text("Round 3 of 3")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("the last one"))
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_enabled()


def test_all_verdicts_fit_on_a_phone(people: People, work: Work) -> None:
    _, first = research(work)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{first}", viewport=PHONE)
    names = ("Approve", "Request changes", "Reject")
    boxes = []
    for name in names:
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_visible()
        boxes.append(button.bounding_box())
    for box in boxes:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    send_back(page, WISH)
