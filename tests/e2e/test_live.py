"""Screens follow the database: what others do, what a crash does, and how fast."""

from __future__ import annotations

import re
import statistics
import sys
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"
SAMPLES = 20
# Generous: what is asserted is "live", on a machine that does other things as well.
SLOW = 1.5  # seconds


def test_decided_elsewhere_stays_and_says_by_whom(people: People, work: Work) -> None:
    _, first = work.waiting("First come")
    _, second = work.waiting("Second come")
    mine = people.page("reviewer", DESK)
    theirs = people.page("admin", f"{DESK}/{first}")
    expect(mine.get_by_role("article")).to_have_attribute("data-checkpoint", first)
    theirs.get_by_role("button", name="Approve", exact=True).click()
    card = mine.get_by_role("article")
    expect(card.get_by_text("Approved by Ada Admin")).to_be_visible()
    expect(card).to_have_attribute("data-checkpoint", first)  # not swapped under the reader
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    rows = mine.get_by_role("list", name="Checkpoints").get_by_role("listitem")
    expect(rows).to_have_count(1)  # the decided one has left the list
    card.get_by_role("link", name="Next checkpoint").click()
    expect(mine.get_by_role("article")).to_have_attribute("data-checkpoint", second)


def test_what_is_being_typed_survives_live_changes(people: People, work: Work) -> None:
    _, checkpoint = work.waiting()
    page = people.page("reviewer", f"{DESK}/{checkpoint}")
    page.get_by_role("textbox", name="Feedback").fill("half a thought")
    page.get_by_role("button", name="Reject", exact=True).click()
    reason = page.get_by_role("dialog").get_by_role("textbox", name="Reason")
    reason.fill("half a reason")
    rows = page.locator(".desk-list li")
    for count in (2, 3):
        work.waiting()
        expect(rows).to_have_count(count)
    expect(reason).to_have_value("half a reason")
    work.approve(checkpoint)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Approved by Rita Reviewer")).to_be_visible()
    expect(dialog.get_by_role("button", name="Reject checkpoint")).to_be_disabled()


def test_a_double_click_decides_one_checkpoint(people: People, work: Work) -> None:
    work.waiting("One")
    work.waiting("Two")
    page = people.page("reviewer", DESK)
    rows = page.locator(".desk-list li")
    expect(rows).to_have_count(2)
    first = page.get_by_role("article").get_attribute("data-checkpoint")
    page.get_by_role("button", name="Approve", exact=True).dblclick()
    other = page.locator(f"article:not([data-checkpoint='{first}'])")
    expect(other).to_be_visible()
    expect(rows).to_have_count(1)
    expect(other.get_by_text("PENDING", exact=True)).to_be_visible()


def test_filters_and_the_open_card_live_in_the_address(people: People, work: Work) -> None:
    _, checkpoint = work.waiting("Kept in the address")
    page = people.page("reviewer", DESK)
    page.get_by_role("link", name="Expired", exact=True).click()
    page.get_by_role("combobox", name="Filter by job type").select_option("simple-task")
    expect(page.get_by_text("No match")).to_be_visible()
    page.wait_for_url(re.compile("status=EXPIRED.*type=simple-task"))
    page.reload()
    expect(page.get_by_role("combobox", name="Filter by job type")).to_have_value("simple-task")
    page.get_by_role("link", name="Clear filters").click()
    page.get_by_role("link", name=re.compile("code-generation.*PENDING")).click()
    page.wait_for_url(re.compile(checkpoint))
    expect(page.get_by_role("article")).to_have_attribute("data-checkpoint", checkpoint)
    page.go_back()
    page.wait_for_url(re.compile(f"{DESK}/?$"))


def test_a_killed_console_comes_back_on_the_open_page(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    job, checkpoint = work.waiting("Survives a crash")
    page = people.page("reviewer", f"{DESK}/{checkpoint}")
    page.get_by_role("textbox", name="Feedback").fill("typed before the crash")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_enabled()
    console.kill()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    console.start()
    expect(page.get_by_text("Connection lost")).to_have_count(0)
    button = page.get_by_role("button", name="Approve", exact=True)
    expect(button).to_be_enabled()
    expect(page.get_by_role("textbox", name="Feedback")).to_have_value("typed before the crash")
    other, _ = work.waiting("After the crash")
    expect(page.locator(".desk-list li")).to_have_count(2)  # live again, by itself
    button.click()
    assert work.finished(job)["status"] == "COMPLETED"
    assert work.job(other)["status"] == "WAITING"


def test_a_change_is_on_screen_in_well_under_a_second(
    people: People, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = [work.waiting(f"Timed {n}")[1] for n in range(SAMPLES)]
    page = people.page("reviewer", f"{DESK}/{waiting[-1]}")
    badge = page.get_by_test_id("pending-badge")
    expect(badge).to_contain_text(str(SAMPLES))
    # The page itself notes when the number changed: no polling interval is in the figure.
    page.evaluate(
        """() => {
            window.seen = {};
            const look = () => {
                const badge = document.querySelector('[data-testid="pending-badge"]');
                const number = badge ? parseInt(badge.textContent) : 0;
                window.seen[number] ??= Date.now();
            };
            new MutationObserver(look).observe(document.body,
                { childList: true, subtree: true, characterData: true });
        }"""
    )
    times = []
    for done, checkpoint in enumerate(waiting[:-1], start=1):
        work.approve(checkpoint)
        committed = time.time()
        left = SAMPLES - done
        page.wait_for_function("left => window.seen[left]", arg=left)
        times.append(max(0.0, page.evaluate("left => window.seen[left]", left) / 1000 - committed))
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    with capsys.disabled():
        sys.stdout.write(
            f"\nchange to screen: median {median * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms\n"
        )
    assert p95 < SLOW
