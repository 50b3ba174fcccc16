"""Questions in a real browser: answered by choice, by form, with and without a mouse."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, People
from tests.e2e.test_accessibility import axe
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


def test_several_are_ticked_without_a_mouse(people: People, work: Work) -> None:
    job, checkpoint = asked(
        work, "Which ones?", minutes=6, kind="some of the choices", choices=["green", "blue"]
    )
    page = people.page("reviewer", f"{DESK}/{checkpoint}")
    opened(page, checkpoint)
    page.keyboard.press("a")
    expect(page.get_by_test_id("question").get_by_text("This is needed.")).to_be_visible()
    page.get_by_role("checkbox", name="green").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert answered(work, job) == ["green", "blue"]


@pytest.mark.parametrize("size", [None, PHONE], ids=["1280", "375"])
def test_a_form_keeps_what_was_typed_when_it_is_refused(
    people: People, work: Work, size: dict[str, int] | None
) -> None:
    job, checkpoint = asked(work, "How do we go on?", kind="form")
    page = people.page("reviewer", f"{DESK}/{checkpoint}", **({"viewport": size} if size else {}))
    opened(page, checkpoint)
    card, button = page.get_by_test_id("question"), page.get_by_role("button", name="Answer")
    card.get_by_label("Verdict").select_option("wait")
    card.get_by_label("Until").fill("soon")
    card.get_by_label("People").fill("many")
    card.get_by_label("Note").fill("Ask Ana, too.")
    button.click()
    expect(card.get_by_text("Enter a whole number.")).to_be_visible()
    card.get_by_label("People").fill("3")
    button.click()
    expect(card.get_by_text(re.compile("is not a 'date'"))).to_be_visible()
    expect(card.get_by_label("Note")).to_have_value("Ask Ana, too.")
    expect(card.get_by_label("Until")).to_have_attribute("aria-invalid", "true")
    assert axe(page) == []
    width: int = page.evaluate("document.documentElement.scrollWidth")
    assert width <= (size["width"] if size else 1280)
    card.get_by_label("Until").fill("2026-12-24")
    card.get_by_label("Tell everybody").check()
    button.click()
    assert answered(work, job) == {
        "verdict": "wait",
        "until": "2026-12-24",
        "people": 3,
        "tellEverybody": True,
        "note": "Ask Ana, too.",
    }
