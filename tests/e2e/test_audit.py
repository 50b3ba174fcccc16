"""Looking back: the journal, saved views of lists, and replays of jobs."""

from __future__ import annotations

import re
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.test_accessibility import OPTIONS
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_decision_is_found_in_the_journal_as_it_is_made(people: People, work: Work) -> None:
    job, checkpoint = work.waiting("Audited")
    page = people.page("reviewer", f"/audit?job={job}")
    rows = page.get_by_test_id("audit-row")
    expect(rows.first).to_contain_text("checkpoint.created")
    work.reject(checkpoint, "Not this one.")
    work.finished(job)
    expect(page.get_by_role("link", name="job.failed", exact=True)).to_be_visible()
    page.get_by_label("Action").fill("checkpoint.rejected")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile(r"action=checkpoint\.rejected"))
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("PENDING → REJECTED")
    rows.get_by_text("Details").click()
    expect(rows).to_contain_text("Not this one.")
    rows.get_by_role("link", name=checkpoint).click()
    expect(page.get_by_text("Not this one.").first).to_be_visible()


def test_the_journal_is_paged_and_the_address_holds_the_place(people: People, work: Work) -> None:
    for number in range(5):
        work.finished(work.enqueue("simple-task", {"userId": f"u{number}", "action": "greet"}))
    page = people.page("admin", "/audit")
    rows = page.get_by_test_id("audit-row")
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url(re.compile("cursor="))
    expect(page.get_by_role("link", name="Back to newest")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Back to newest")).to_be_visible()
    operator = people.page("operator", "/jobs")
    expect(operator.get_by_test_id("job-row").first).to_be_visible()
    expect(operator.get_by_role("link", name="Audit", exact=True)).to_have_count(0)


def test_a_view_that_one_person_shares_is_there_for_another(people: People, work: Work) -> None:
    refused, checkpoint = work.waiting("Refused")
    work.reject(checkpoint, "No.")
    work.finished(refused)
    name = f"Failed {uuid.uuid4().hex[:6]}"
    page = people.page("operator", "/jobs?status=FAILED&q=type:code-generation")
    page.get_by_role("button", name="Saved views").click()
    dialog = page.get_by_role("dialog", name="Saved views")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Show it to everybody").check()
    dialog.get_by_role("button", name="Save current filters").click()
    expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")

    other = people.page("viewer", "/jobs")
    other.get_by_role("link", name=name).click()
    other.wait_for_url(re.compile("status=FAILED"))
    expect(other.get_by_test_id("job-row").first).to_contain_text("FAILED")
    other.get_by_role("button", name="Saved views").click()
    expect(other.get_by_role("dialog")).to_contain_text("Shared by Omar Operator")
    expect(other.get_by_role("button", name=f"Delete {name}")).to_have_count(0)

    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_role("link", name=name)).to_have_count(0)


def test_a_finished_job_is_replayed_and_nothing_differs(people: People, work: Work) -> None:
    job, checkpoint = work.waiting("Once more")
    work.approve(checkpoint)
    work.finished(job)
    page = people.page("operator", f"/jobs/{job}")
    page.get_by_role("button", name="Replay job").click()
    report = page.get_by_test_id("replay")
    expect(report).to_contain_text("Nothing differs")
    expect(page.get_by_text("Replayed", exact=True)).to_be_visible()
    assert Axe().run(page, options=OPTIONS).response["violations"] == []
    report.get_by_role("button", name="Close the report").click()
    expect(report).to_have_count(0)
    only_looks = people.page("viewer", f"/jobs/{job}")
    expect(only_looks.get_by_role("button", name="Replay job")).to_be_disabled()
