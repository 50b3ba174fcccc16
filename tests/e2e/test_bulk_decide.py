"""Picking several checkpoints and deciding them at once, while somebody else decides, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, People
from tests.e2e.test_accessibility import axe
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"


def boxes(page: Page, count: int) -> list[str]:
    """Return the ids of the rows once there are ``count``; each has its box."""
    rows = page.get_by_role("list", name="Checkpoints").get_by_role("listitem")
    expect(rows).to_have_count(count)
    expect(page.get_by_role("checkbox", name="Pick")).to_have_count(count)
    hrefs = rows.get_by_role("link").evaluate_all("all => all.map(one => one.pathname)")
    return [str(href).rsplit("/", 1)[-1] for href in hrefs]


def test_many_are_picked_with_shift_and_one_is_lost_to_somebody_faster(
    people: People, work: Work
) -> None:
    jobs = dict(work.waiting(f"Change {n}")[::-1] for n in range(5))
    page = people.page("reviewer", DESK)
    ids = boxes(page, 5)
    box = page.get_by_role("checkbox", name="Pick")
    box.nth(0).click()
    box.nth(3).click(modifiers=["Shift"])
    bar = page.get_by_test_id("bulk-bar")
    expect(bar.get_by_role("status")).to_have_text("4 picked")
    assert axe(page) == []
    bar.get_by_role("button", name="Approve selected").click()
    dialog = page.get_by_role("dialog", name="Approve 4 checkpoints")
    expect(dialog.get_by_role("listitem")).to_have_count(4)
    assert axe(page) == []

    rival = people.page("admin", f"{DESK}/{ids[1]}")
    rival.get_by_role("button", name="Approve", exact=True).click()
    # The next one opens; the decided one is on its card for as long as that takes.
    expect(rival.get_by_role("article")).not_to_have_attribute("data-checkpoint", ids[1])

    dialog.get_by_role("textbox").fill("as agreed")
    dialog.get_by_role("button", name="Approve 4 checkpoints").click()
    told = page.get_by_test_id("bulk-outcome")
    expect(told.get_by_role("status")).to_have_text("3 approved, 1 already decided by Ada Admin")
    expect(bar).to_have_count(0)
    assert boxes(page, 1) == [ids[4]]
    assert axe(page) == []
    for one in ids[:4]:
        assert work.finished(jobs[one])["status"] == "COMPLETED"
    assert work.job(jobs[ids[4]])["status"] == "WAITING"
    told.get_by_role("listitem").get_by_role("link").click()
    expect(page.get_by_role("article")).to_have_attribute("data-checkpoint", ids[1])
    told.get_by_role("button", name="Show this no longer").click()
    expect(told).to_have_count(0)


def test_a_page_is_approved_with_five_keys(people: People, work: Work) -> None:
    jobs = [work.waiting(f"Alike {n}")[0] for n in range(3)]
    page = people.page("reviewer", DESK)
    boxes(page, 3)
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_test_id("bulk-bar")
    expect(bar.get_by_role("status")).to_have_text("1 picked")
    page.keyboard.press("*")
    expect(bar.get_by_role("status")).to_have_text("3 picked")
    page.keyboard.press("Shift+A")
    dialog = page.get_by_role("dialog", name="Approve 3 checkpoints")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Control+Enter")
    told = page.get_by_test_id("bulk-outcome").get_by_role("status")
    expect(told).to_have_text("3 approved")
    assert {work.finished(job)["status"] for job in jobs} == {"COMPLETED"}


def test_the_keyboard_alone_rejects_several_on_a_phone(people: People, work: Work) -> None:
    jobs = [work.waiting(f"Wrong {n}")[0] for n in range(3)]
    page = people.page("reviewer", DESK, viewport=PHONE)
    ids = boxes(page, 3)
    links = page.get_by_role("list", name="Checkpoints").get_by_role("link")
    links.nth(0).focus()
    page.keyboard.press("x")
    links.nth(2).focus()
    page.keyboard.press("Shift+X")
    bar = page.get_by_test_id("bulk-bar")
    expect(bar.get_by_role("status")).to_have_text("3 picked")
    links.nth(1).focus()
    page.keyboard.press("x")  # lets go
    expect(bar.get_by_role("status")).to_have_text("2 picked")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    bar.get_by_role("button", name="Reject selected").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reject 2 checkpoints")
    reason = dialog.get_by_role("textbox", name="Reason")
    expect(reason).to_be_focused()
    dialog.get_by_role("button", name="Reject 2 checkpoints").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Say why")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert axe(page) == []
    reason.press_sequentially("none of x")  # a letter, while typing
    dialog.get_by_role("button", name="Reject 2 checkpoints").focus()
    page.keyboard.press("Enter")
    told = page.get_by_test_id("bulk-outcome")
    expect(told.get_by_role("status")).to_have_text("2 rejected")
    assert boxes(page, 1) == [ids[1]]
    statuses = sorted(work.job(one)["status"] for one in jobs)
    assert statuses.count("WAITING") == 1
