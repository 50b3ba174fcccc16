"""Many jobs at once, from the jobs list."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_range_is_picked_canceled_and_retried(people: People, work: Work) -> None:
    task = {"userId": uuid.uuid4().hex, "action": "greet"}
    jobs = [
        work.enqueue("simple-task", task, f"Greeting {n} of {task['userId']}", delaySeconds=3600)
        for n in range(4)
    ]
    page = people.page("operator", "/jobs")
    rows = page.get_by_test_id("job-row").filter(has_text=task["userId"])
    expect(rows).to_have_count(4)
    boxes = rows.get_by_role("checkbox")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    bar = page.get_by_test_id("bulk-bar")
    expect(bar.get_by_text("3 picked")).to_be_visible()
    expect(boxes.nth(1)).to_be_checked()
    boxes.nth(1).click()
    expect(bar.get_by_text("2 picked")).to_be_visible()
    expect(boxes.nth(1)).not_to_be_checked()

    bar.get_by_role("button", name="Cancel selected").click()
    progress = page.get_by_test_id("bulk-job")
    expect(progress.get_by_text("2 done, 0 refused")).to_be_visible()
    expect(rows.nth(0).get_by_text("CANCELED", exact=True)).to_be_visible()
    expect(bar).to_have_count(0)
    statuses = [work.job(one)["status"] for one in reversed(jobs)]
    assert statuses == ["CANCELED", "PENDING", "CANCELED", "PENDING"]

    progress.get_by_role("button", name="Show this no longer").click()
    expect(progress).to_have_count(0)
    boxes.nth(0).click()
    boxes.nth(1).click(modifiers=["Shift"])
    bar.get_by_role("button", name="Retry selected").click()
    expect(progress.get_by_text("1 done, 1 refused")).to_be_visible()
    progress.get_by_role("link").click()
    expect(page.get_by_text("COMPLETED", exact=True).first).to_be_visible()


def test_all_that_match_are_counted_before_they_are_canceled(people: People, work: Work) -> None:
    data = {"url": "http://127.0.0.1:9/tasks"}
    jobs = [work.enqueue("http-task", data, delaySeconds=3600) for _ in range(2)]
    page = people.page("operator", "/jobs?q=type:http-task&status=PENDING")
    bar = page.get_by_test_id("bulk-bar")
    bar.get_by_role("button", name="Cancel all that match").click()
    dialog = page.get_by_role("dialog", name="Cancel all that match?")
    expect(dialog).to_contain_text("can be canceled")
    expect(dialog.get_by_role("button", name="Cancel 2 jobs")).to_be_focused()
    dialog.get_by_role("button", name="Leave them").click()
    expect(dialog).to_have_count(0)
    assert {work.job(one)["status"] for one in jobs} == {"PENDING"}
    bar.get_by_role("button", name="Cancel all that match").click()
    dialog.get_by_role("button", name="Cancel 2 jobs").click()
    expect(page.get_by_test_id("bulk-job").get_by_text("2 done, 0 refused")).to_be_visible()
    expect(page.get_by_text("No job matches")).to_be_visible()
    expect(bar.get_by_role("button", name="Retry all that match")).to_be_disabled()


def test_a_viewer_picks_nothing(people: People, work: Work) -> None:
    work.enqueue("simple-task", {"userId": "u", "action": "greet"})
    page = people.page("viewer", "/jobs")
    expect(page.get_by_test_id("job-row").first.get_by_role("checkbox")).to_be_disabled()
