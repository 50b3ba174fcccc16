"""Jobs that go on from a step: retried, forked, and parked because the code changed."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.scripts import Script, parked
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_failed_job_is_retried_from_the_step_of_choice(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    script = Script(console, work, "step read", "step sum", "fail No till is open.")
    assert work.finished(script.job)["status"] == "FAILED"
    page = people.page("operator", f"/jobs/{script.job}")
    expect(page.get_by_text("A retry goes on at step 3; steps 1 to 2 stay done.")).to_be_visible()
    script.says("step read", "step count", "step pay")
    _choose(page, "step 2, Step: sum", "Retry from here")
    dialog = page.get_by_role("dialog", name="Retry from this step?")
    expect(
        dialog.get_by_text("It goes on at step 2. 1 recorded step before it stays done.")
    ).to_be_visible()
    dialog.get_by_role("button", name="Retry from here").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("COMPLETED", exact=True).first).to_be_visible()
    steps = page.get_by_role("list", name="Steps")
    expect(steps.get_by_role("listitem")).to_contain_text(["read", "count", "pay"])


def test_a_fork_with_edited_input_asks_anew_and_leads_back(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    script = Script(console, work, "step read", "approve Pay", "step pay")
    work.approve(work.open_checkpoint(script.job))
    work.finished(script.job)
    page = people.page("operator", f"/jobs/{script.job}")
    _choose(page, "step 3, Step: pay", "Fork from here")
    dialog = page.get_by_role("dialog", name="Fork from step 3")
    plan = dialog.get_by_test_id("plan")
    expect(plan.get_by_role("heading", name="Decisions reused")).to_be_visible()
    box = dialog.get_by_role("textbox", name="Input (JSON)")
    box.fill("{")
    expect(dialog.get_by_role("alert")).to_contain_text("This is not a JSON object.")
    expect(dialog.get_by_role("button", name="Create fork")).to_be_disabled()
    box.fill(json.dumps(script.data | {"amount": 2}))
    expect(plan.get_by_role("heading", name="Asked again")).to_be_visible()
    dialog.get_by_role("button", name="Create fork").click()
    expect(page.get_by_text("WAITING", exact=True).first).to_be_visible()
    origin = page.get_by_role("complementary", name="Facts").get_by_role("link", name=script.job)
    origin.click()
    forks = page.get_by_role("list", name="Forks")
    expect(forks.get_by_role("listitem")).to_contain_text(["at step 2 by"])


def test_a_parked_job_is_resumed_on_the_version_of_now(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    script = parked(console, work)
    page = people.page("operator", f"/jobs/{script.job}")
    callout = page.get_by_test_id("parked")
    expect(callout.get_by_text("The record holds", exact=True)).to_be_visible()
    expect(callout).to_contain_text("Pay?")
    expect(callout).to_contain_text("Send?")
    callout.get_by_role("button", name="Resume on this version").click()
    dialog = page.get_by_role("dialog", name="Resume on this version?")
    again = dialog.get_by_role("heading", name="Asked again")
    expect(again).to_be_visible()
    dialog.get_by_role("button", name="Resume on this version").click()
    expect(page.get_by_role("link", name="Review checkpoint")).to_be_visible()
    expect(callout).to_have_count(0)
    work.approve(work.open_checkpoint(script.job))
    expect(page.get_by_text("COMPLETED", exact=True).first).to_be_visible()


def test_a_parked_job_is_forked_or_failed(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    script = parked(console, work)
    page = people.page("operator", f"/jobs/{script.job}")
    page.get_by_test_id("parked").get_by_role("button", name="Fork").click()
    page.get_by_role("button", name="Create fork").click()
    expect(page.get_by_text("WAITING", exact=True).first).to_be_visible()
    page.go_back()
    page.get_by_test_id("parked").get_by_role("button", name="Fail job").click()
    dialog = page.get_by_role("dialog", name="Fail this job?")
    dialog.get_by_role("button", name="Fail job").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_role("textbox", name="Reason").fill("The invoices were paid by hand.")
    dialog.get_by_role("button", name="Fail job").click()
    expect(page.get_by_text("FAILED", exact=True).first).to_be_visible()
    expect(page.get_by_text("The invoices were paid by hand.").first).to_be_visible()


def test_a_viewer_sees_the_ways_out_and_cannot_take_them(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    page = people.page("viewer", f"/jobs/{parked(console, work).job}")
    callout = page.get_by_test_id("parked")
    for name in ("Resume on this version", "Fork", "Fail job"):
        expect(callout.get_by_role("button", name=name)).to_be_disabled()


def _choose(page: Page, step: str, entry: str) -> None:
    page.get_by_role("button", name=f"From {step}").click()
    page.get_by_role("menuitem", name=entry).click()
