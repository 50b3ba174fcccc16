"""The desk by keyboard alone, and what keeps single keys from doing harm."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.test_accessibility import axe
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"


def opened(page: Page, checkpoint: str) -> None:
    """Wait until the card is open."""
    expect(page.get_by_role("article")).to_have_attribute("data-checkpoint", checkpoint)


def test_a_review_without_a_mouse(people: People, work: Work) -> None:
    waiting = [work.waiting(f"By keyboard {n}") for n in range(4)]
    (first, one), (second, two), (_, three), (_, four) = waiting
    page = people.page("reviewer", DESK)
    opened(page, one)
    for key, name in (("j", "By keyboard 1"), ("j", "By keyboard 2"), ("k", "By keyboard 1")):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_contain_text(name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    opened(page, three)
    page.keyboard.press("c")
    expect(page.get_by_text("You have claimed this")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Reason")).to_be_focused()
    page.keyboard.type("across, not by keys")  # letters that are keys elsewhere
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    opened(page, four)
    page.keyboard.press("a")
    opened(page, one)
    page.keyboard.press("a")
    opened(page, two)
    page.keyboard.press("a")
    for job, status in ((first, "COMPLETED"), (second, "COMPLETED")):
        assert work.finished(job)["status"] == status
    refused = work.job(waiting[2][0])
    assert refused["status"] == "FAILED"
    assert "across, not by keys" in str(refused["error"])
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search checkpoints")).to_be_focused()
    page.keyboard.type("nothing is called that")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No match")).to_be_visible()
    assert page.url.endswith("?q=nothing+is+called+that")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.get_by_role("searchbox", name="Search checkpoints")).to_have_value("")
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search jobs")).to_be_focused()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_the_overlay_tells_the_keys_and_turns_them_off(
    people: People, work: Work, size: dict[str, int]
) -> None:
    job, checkpoint = work.waiting()
    page = people.page("reviewer", f"{DESK}/{checkpoint}", viewport=size)
    opened(page, checkpoint)
    page.keyboard.press("?")
    overlay = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(overlay.get_by_text("Next checkpoint in the list")).to_be_visible()
    page.keyboard.press("a")  # behind an open overlay nothing is pressed
    overlay.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(overlay).to_be_hidden()
    page.keyboard.press("a")
    page.reload()
    opened(page, checkpoint)
    page.keyboard.press("a")
    page.keyboard.press("?")  # a single key like the others
    expect(overlay).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(overlay.get_by_role("checkbox")).not_to_be_checked()
    assert work.job(job)["status"] == "WAITING"
    overlay.get_by_role("checkbox").check()
    overlay.get_by_role("button", name="Close").click()
    expect(overlay).to_be_hidden()
    page.keyboard.press("a")
    assert work.finished(job)["status"] == "COMPLETED"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_the_palette_goes_anywhere_and_does_what_the_page_does(
    people: People, work: Work, size: dict[str, int]
) -> None:
    job, checkpoint = work.waiting("Palette")
    page = people.page("reviewer", f"{DESK}/{checkpoint}", viewport=size)
    opened(page, checkpoint)
    palette = page.get_by_role("dialog", name="Command palette")
    field = palette.get_by_role("combobox", name="Go to or do")
    page.get_by_role("textbox", name="Feedback").press("Control+k")  # while typing, too
    expect(field).to_be_focused()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    field.fill("workers")
    expect(palette.get_by_role("option", selected=True)).to_contain_text("Workers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Workers", level=1)).to_be_visible()
    expect(palette).to_be_hidden()

    if size == PHONE:  # where there is no room for the button
        page.keyboard.press("Control+k")
    else:
        page.get_by_role("button", name="Command palette").click()
    field.fill(job)
    option = palette.get_by_role("option", name=re.compile("Palette"))
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(job))
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Workers")

    page.keyboard.press("Control+k")
    field.fill("alet")  # part of what people call it
    named = palette.get_by_role("option", name=re.compile(f"^Palette.*{job}"))
    expect(named.locator(".ac-mark")).to_have_text("WAITING")
    field.fill(checkpoint)
    expect(palette.get_by_role("option")).to_have_count(1)
    point = palette.get_by_role("option", name=re.compile(f"Checkpoint.*{checkpoint}"))
    expect(point.locator(".ac-mark")).to_have_text("PENDING")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.keyboard.press("Enter")
    opened(page, checkpoint)
    page.keyboard.press("Control+k")
    field.fill("nothing is called like this")
    expect(palette.get_by_role("option")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    field.fill("approve")
    page.keyboard.press("Enter")
    assert work.finished(job)["status"] == "COMPLETED"
