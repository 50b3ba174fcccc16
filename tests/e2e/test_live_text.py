"""An answer of a model is watched while it is written; canceling lets go of it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.answers import CLAIM, QUICK, SLOW
from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.test_accessibility import axe
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def top(page: Page) -> Any:
    """Return where the timeline begins on the page."""
    return page.get_by_role("heading", name="Timeline").evaluate(
        "node => Math.round(node.getBoundingClientRect().top + window.scrollY)"
    )


def test_an_answer_is_watched_and_let_go(people: People, work: Work) -> None:
    job = work.enqueue("watched", {"questions": [SLOW]}, "Wave 2")
    page = people.page("operator", f"/jobs/{job}")
    box = page.get_by_test_id("live-text")
    expect(page.get_by_role("heading", name="The agent is writing…")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="The agent is writing…")).to_have_count(1)
    expect(box).to_contain_text("Claim: Wave 2 starts")
    before = top(page), box.inner_text()
    expect(box).to_contain_text("with 355 couriers")
    assert box.inner_text().startswith(before[1])
    assert top(page) == before[0]
    for scheme in ("light", "dark"):
        for size in (DESKTOP, PHONE):
            other = people.page("viewer", f"/jobs/{job}", viewport=size, color_scheme=scheme)
            expect(other.get_by_test_id("live-text")).to_be_visible()
            assert axe(other) == []
            assert other.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            other.close()
    page.get_by_role("button", name="Cancel job").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel job").click()
    expect(box).to_have_count(0)
    assert work.finished(job)["status"] == "CANCELED"


def test_what_was_written_is_there_when_it_is_done(people: People, work: Work) -> None:
    job = work.enqueue("watched", {"questions": [QUICK]}, "Wave 2")
    page = people.page("reviewer", f"/jobs/{job}")
    expect(page.get_by_text("This job waits for a decision.")).to_be_visible()
    expect(page.get_by_test_id("live-text")).to_have_count(0)
    expect(page.get_by_test_id("usage")).to_contain_text("100 in, 10 out")
    work.approve(work.open_checkpoint(job))
    done = work.finished(job)
    assert done["status"] == "COMPLETED"
    assert done["outputData"]["findings"][0]["claim"] == CLAIM
