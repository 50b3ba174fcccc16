"""Questions in a real browser: answered by choice, with and without a mouse."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"
CHOICES = {"kind": "one of the choices", "choices": ["green", "blue"], "default": "blue"}


def asked(work: Work, question: str, **more: Any) -> tuple[str, str]:
    """Enqueue a question; return its job and checkpoint."""
    job = work.enqueue("question", {"question": question, **more}, question)
    return job, work.open_checkpoint(job)


def opened(page: Page, checkpoint: str) -> None:
    expect(page.get_by_test_id("review-card")).to_have_attribute("data-checkpoint", checkpoint)


def answered(work: Work, job: str) -> Any:
    done = work.finished(job)
    assert done["status"] == "COMPLETED"
    return done["outputData"]["answer"]


def test_a_choice_is_answered_and_the_card_says_what_was(people: People, work: Work) -> None:
    job, checkpoint = asked(work, "Which colour?", **CHOICES)
    page = people.page("reviewer", f"{DESK}/{checkpoint}")
    card = page.get_by_test_id("review-card")
    opened(page, checkpoint)
    expect(card.get_by_role("radio", name="blue")).to_be_checked()
    expect(card.get_by_text("default", exact=True)).to_be_visible()
    expect(card).to_contain_text("the default answer is given")
    for verdict in ("Approve", "Request changes"):
        expect(page.get_by_role("button", name=verdict, exact=True)).to_have_count(0)
    card.get_by_role("radio", name="green").check()
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_text("Answered: question")).to_be_visible()
    assert answered(work, job) == "green"
    page.goto(f"{DESK}/{checkpoint}")
    expect(card).to_contain_text("Answered by")
    expect(card).to_contain_text("Answer: green")
    page.goto(f"/jobs/{job}")
    expect(page.get_by_text("Answered", exact=True)).to_be_visible()


def test_a_choice_is_made_without_a_mouse(people: People, work: Work) -> None:
    job, first = asked(work, "Which by key?", minutes=5, **CHOICES)
    page = people.page("reviewer", f"{DESK}/{first}")
    opened(page, first)
    page.get_by_role("radio", name="blue").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="green")).to_be_checked()
    page.keyboard.press("a")
    assert answered(work, job) == "green"
