"""A review policy from its form to the desk: two have to agree; who is not asked is told why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work, code

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"
TYPE = "code-generation"


@pytest.fixture(autouse=True)
def no_policy_afterwards(console: ConsoleProcess, work: Work) -> Iterator[None]:
    yield
    with console.api("admin") as admin:
        admin.delete(f"/api/review-policies/{TYPE}")
    work.clear_desk()


def opened(people: People, role: str, checkpoint: str) -> Page:
    page = people.page(role, f"{DESK}/{checkpoint}")
    expect(page.get_by_test_id("review-card")).to_be_visible()
    return page


def test_two_of_two_by_a_policy_made_on_its_page(people: People, work: Work) -> None:
    ada = people.page("admin", f"/review-policies?type={TYPE}")
    row = ada.get_by_test_id("policy-row").filter(has_text=TYPE)
    row.get_by_role("button", name=f"Set policy of {TYPE}").click()
    form = ada.get_by_role("dialog")
    form.get_by_label("Approvals needed").fill("2")
    form.get_by_label("Then", exact=True).select_option("reject")
    form.get_by_label("Note for everybody").fill("Code is read by two")
    form.get_by_role("button", name="Save policy").click()
    expect(form).to_have_count(0)
    expect(row).to_contain_text("version ")
    expect(row).to_contain_text("it is rejected")

    job, checkpoint = work.waiting("Read by two")
    rita, ada = opened(people, "reviewer", checkpoint), opened(people, "admin", checkpoint)
    card = ada.get_by_test_id("review-card")
    expect(card).to_contain_text("0 of 2 approvals")
    rita.get_by_role("button", name="Approve", exact=True).click()
    expect(rita.get_by_text("Your word counts: 1 of 2 approvals")).to_be_visible()
    votes = ada.get_by_test_id("votes")
    expect(votes).to_contain_text("1 of 2 approvals: Rita Reviewer")
    assert work.job(job)["status"] == "WAITING"
    rita.goto(f"{DESK}/{checkpoint}")
    expect(rita.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    expect(rita.get_by_text("You have said this already")).to_be_visible()
    expect(rita.get_by_role("button", name="Reject", exact=True)).to_be_enabled()
    ada.get_by_role("button", name="Approve", exact=True).click()
    assert work.finished(job)["status"] == "COMPLETED"


def test_who_is_not_asked_sees_the_verbs_disabled_and_why(
    console: ConsoleProcess, people: People, work: Work
) -> None:
    with console.api("admin") as admin:
        body = {"deciders": {"roles": ["admin"]}}
        assert admin.put(f"/api/review-policies/{TYPE}", json=body).status_code == 200
    _, checkpoint = work.waiting("Not for everybody")
    rita = opened(people, "reviewer", checkpoint)
    for name in ("Approve", "Reject"):
        expect(rita.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(rita.get_by_text(f"The review policy of {TYPE} asks admins")).to_be_visible()
    rita.get_by_role("link", name=f"{TYPE}, version").click()
    expect(rita.get_by_role("heading", name="Review policies", level=1)).to_be_visible()
    row = rita.get_by_test_id("policy-row").filter(has_text=TYPE)
    expect(row.get_by_role("button", name="Change policy")).to_be_disabled()
    with console.api("admin") as admin:
        admin.delete(f"/api/review-policies/{TYPE}")
    rita.goto(f"{DESK}/{checkpoint}")
    expect(rita.get_by_role("button", name="Approve", exact=True)).to_be_enabled()


def test_a_rule_is_tried_saved_and_stopped_from_the_card_it_approved(
    people: People, work: Work
) -> None:
    ada = people.page("admin", f"/review-policies?type={TYPE}")
    row = ada.get_by_test_id("policy-row").filter(has_text=TYPE)
    row.get_by_role("button", name=f"Set policy of {TYPE}").click()
    form = ada.get_by_role("dialog")
    form.get_by_label("Approved by itself").select_option("LOW")
    form.get_by_role("button", name="Try on the last 30 days").click()
    expect(form.get_by_test_id("policy-backtest")).to_contain_text("would have approved")
    form.get_by_role("button", name="Save policy").click()
    expect(form).to_have_count(0)
    expect(row).to_contain_text("what has no finding above LOW")

    path = f"alone/{uuid.uuid4().hex}.txt"
    job = work.enqueue(TYPE, code(path, "text\n"), "Needs nobody")
    assert work.finished(job)["status"] == "COMPLETED"
    expect(row).to_contain_text("in 30 days: 1")
    row.get_by_role("button", name="What is approved by itself").click()
    record = ada.get_by_role("dialog")
    approved = record.get_by_test_id("past-checkpoint")
    expect(approved).to_have_count(1)
    checkpoint = str(approved.get_by_role("link").get_attribute("href")).rpartition("/")[2]

    rita = opened(people, "reviewer", checkpoint)
    note = rita.get_by_test_id("by-itself")
    expect(note).to_contain_text("Approved by the review policy, without a person.")
    note.get_by_role("button", name="Stop approving by itself").click()
    expect(rita.get_by_text("people are asked from now on")).to_be_visible()
    _, asked = work.waiting("Asks again")
    assert asked
