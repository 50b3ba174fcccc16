"""Who comes in, and who may do what."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People, sign_in
from tests.e2e.console import ConsoleProcess
from tests.e2e.make_accounts import PASSWORD
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_wrong_password_is_said_and_lets_nobody_in(people: People) -> None:
    page = people.page()
    sign_in(page, "viewer@example.com", "not the password at all")
    expect(page.get_by_role("alert")).to_contain_text("Email or password is not right.")
    page.goto("/jobs")
    page.wait_for_url(re.compile("/login"))


def test_signing_in_leads_back_and_signing_out_ends_it(people: People) -> None:
    page = people.page(path="/workers")
    page.wait_for_url(re.compile("/login"))
    page.get_by_label("Email").fill("viewer@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Workers", level=1)).to_be_visible()
    expect(page.get_by_test_id("me")).to_have_text("Vic Viewer")
    cookie = next(one for one in page.context.cookies() if one["name"] == "ac_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/login"))
    page.goto("/jobs")
    page.wait_for_url(re.compile("/login"))


def test_a_viewer_may_look_but_not_decide(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    job, checkpoint = work.waiting()
    page = people.page("viewer", f"/admin/agent-checkpoints/{checkpoint}")
    card = page.get_by_role("article", name=re.compile("code-generation"))
    expect(card.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    expect(card.get_by_role("button", name="Reject", exact=True)).to_be_disabled()
    expect(card.get_by_text("This needs the permission checkpoints:decide")).to_be_visible()
    with console.api("viewer") as viewer:
        address = f"/api/admin/agent-checkpoints/{checkpoint}"
        assert viewer.get("/api/admin/agent-checkpoints").status_code == 403
        assert viewer.post(address, json={}).status_code == 403
        assert viewer.request("DELETE", address, json={"reason": "no"}).status_code == 403
    assert work.job(job)["status"] == "WAITING"


def test_who_asked_may_not_decide_while_somebody_else_can(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    with console.api("admin") as admin:
        own = Work(admin, admin)
        _, checkpoint = own.waiting()
    page = people.page("admin", f"/admin/agent-checkpoints/{checkpoint}")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
    expect(page.get_by_text("You asked for this job yourself")).to_have_count(1)
    work.reject(checkpoint, "Seen.")
    expect(page.get_by_text("Rejected by Rita Reviewer")).to_be_visible()
