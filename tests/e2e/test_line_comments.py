"""Comments on lines of a difference, and boxes for what was viewed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.test_accessibility import axe, in_both_modes
from tests.e2e.test_differences import difference, proposed
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

INSIDE = """one => {
  const box = one.getBoundingClientRect();
  const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return one === over || one.contains(over);
}"""


def opened(people: People, role: str, checkpoint: str) -> Page:
    return people.page(role, f"/admin/agent-checkpoints/{checkpoint}")


def number(page: Page, path: str, line: int, side: str) -> Locator:
    return difference(page, path).get_by_role(
        "button", name=f"Comment on line {line}, {side}", exact=True
    )


def bound(page: Page) -> Locator:
    return page.locator(".comment-bound")


def test_a_line_is_spoken_of_and_led_to(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path, checkpoint = proposed(console, work)
    page = opened(people, "reviewer", checkpoint)
    number(page, path, 3, "new").click()
    expect(bound(page)).to_contain_text(f"On {path}, line 3, new")
    said = page.get_by_role("textbox", name="Comment", exact=True)
    expect(said).to_be_focused()
    assert said.evaluate(INSIDE)
    page.get_by_role("button", name="Comment on all of it instead").click()
    expect(bound(page)).to_have_count(0)
    # The same by keyboard: one stop of Tab for the table, arrows within it.
    assert difference(page, path).locator('.diff-say[tabindex="0"]').count() == 1
    number(page, path, 3, "old").focus()
    page.keyboard.press("ArrowDown")
    expect(number(page, path, 4, "old")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(number(page, path, 4, "new")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(number(page, path, 3, "new")).to_be_focused()
    assert difference(page, path).locator('.diff-say[tabindex="0"]').count() == 1
    page.keyboard.press("Enter")
    expect(said).to_be_focused()
    said.fill("Why is this <b>text</b>?")
    page.keyboard.press("Control+Enter")
    comment = page.get_by_test_id("comment")
    expect(comment).to_contain_text("Why is this <b>text</b>?")
    expect(comment).to_contain_text('RATE = "0.20"')
    expect(bound(page)).to_have_count(0)
    place = comment.get_by_role("link", name=f"{path}, line 3, new")
    for layout in ("Side by side", "Unified"):
        page.get_by_role("button", name=layout).first.click()
        row = difference(page, path).get_by_role("row").filter(has_text='"0.20"')
        expect(row.get_by_title("1 comment")).to_have_count(1)
        place.click()
        expect(number(page, path, 3, "new")).to_be_focused()
        assert number(page, path, 3, "new").evaluate(INSIDE)
        # It stands below its line, and leads to the thread, from where its place leads back.
        below = row.locator("xpath=following-sibling::tr[1]")
        told = below.get_by_role("list", name="Comments on line 3, new")
        expect(told.get_by_role("listitem")).to_have_count(1)
        expect(told).to_contain_text("Why is this <b>text</b>?")
        link = told.get_by_role("link", name="In the thread: comment by")
        link.focus()
        page.keyboard.press("Enter")
        expect(comment).to_be_focused()
        assert comment.evaluate(INSIDE)
        place.click()
        page.keyboard.press("ArrowDown")  # past the comments, to the next line
        expect(page.locator(":focus")).to_have_class("diff-say")
        expect(told).to_have_count(1)
    assert page.url.endswith(checkpoint)  # no place of it goes into the address
    # Who may only look sees it, and is not offered to add to it.
    looking = opened(people, "viewer", checkpoint)
    expect(looking.get_by_test_id("comment").get_by_role("link")).to_be_visible()
    expect(difference(looking, path).get_by_title("1 comment")).to_have_count(1)
    expect(looking.get_by_role("list", name="Comments on line 3, new")).to_be_visible()
    expect(looking.get_by_role("button", name=re.compile("^Comment on line"))).to_have_count(0)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_a_card_with_a_line_chosen_has_no_violation(
    people: People, console: ConsoleProcess, work: Work, size: dict[str, int]
) -> None:
    path, checkpoint = proposed(console, work)
    page = opened(people, "reviewer", checkpoint)
    page.set_viewport_size(size)
    number(page, path, 11, "old").click()
    page.get_by_role("textbox", name="Comment", exact=True).fill("Rounded where?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("comment")).to_be_visible()
    expect(page.get_by_role("list", name="Comments on line 11, old")).to_be_visible()
    number(page, path, 3, "new").click()
    expect(bound(page)).to_be_visible()
    for one in (number(page, path, 3, "new"), page.get_by_label(f"Viewed: {path}").locator("..")):
        box = one.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    assert in_both_modes(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if size == DESKTOP:
        page.get_by_role("button", name="Side by side").first.click()
        expect(page.get_by_role("list", name="Comments on line 11, old")).to_be_visible()
        # Half below the bar of verdicts a button would be measured as half as large.
        page.get_by_role("button", name="Copy data").evaluate(
            "one => one.scrollIntoView({ block: 'center' })"
        )
        assert axe(page) == []


def test_what_was_viewed_is_folded_and_kept_on_this_device(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path, checkpoint = proposed(console, work)
    page = opened(people, "reviewer", checkpoint)
    viewed = page.get_by_label(f"Viewed: {path}")
    expect(page.get_by_text("0 of 2 files viewed")).to_be_visible()
    viewed.check()
    expect(difference(page, path)).to_be_hidden()
    expect(difference(page, path.replace("invoice.py", "README.md"))).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 of 2 files viewed")).to_be_visible()
    expect(difference(page, path)).to_be_hidden()
    viewed.uncheck()
    expect(difference(page, path)).to_be_visible()
    expect(page.get_by_text("0 of 2 files viewed")).to_be_visible()
    other = opened(people, "reviewer", proposed(console, work)[1])
    expect(other.get_by_text("0 of 2 files viewed")).to_be_visible()
