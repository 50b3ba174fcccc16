"""Two people at one card: each sees that the other is there, and what the other says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"


def test_company_and_a_mention_appear_on_the_open_card_of_the_other(
    people: People, work: Work
) -> None:
    _, checkpoint = work.waiting("Looked at by two")
    _, other = work.waiting("Looked at by nobody")
    rita = people.page("reviewer", f"{DESK}/{checkpoint}")
    expect(rita.get_by_role("article")).to_have_attribute("data-checkpoint", checkpoint)
    ada = people.page("admin", f"{DESK}/{checkpoint}")
    mine, theirs = rita.get_by_role("article"), ada.get_by_role("article")
    expect(mine.get_by_text("Ada Admin is looking at this")).to_be_visible()
    expect(theirs.get_by_text("Rita Reviewer is looking at this")).to_be_visible()

    theirs.get_by_role("textbox", name="Comment", exact=True).fill(
        "@Rita Reviewer is <b>this</b> meant?"
    )
    theirs.get_by_role("button", name="Comment", exact=True).click()
    said = mine.get_by_test_id("comment")
    expect(said.get_by_text("@Rita Reviewer is <b>this</b> meant?")).to_be_visible()
    expect(said.get_by_text("mentions you")).to_be_visible()
    expect(theirs.get_by_role("textbox", name="Comment", exact=True)).to_have_value("")
    expect(theirs.get_by_test_id("comment").get_by_text("mentions you")).to_have_count(0)

    ada.locator(f".desk-list a[href*='{other}']").click()
    expect(ada.get_by_role("article")).to_have_attribute("data-checkpoint", other)
    expect(mine.get_by_text("is looking at this")).to_have_count(0)
    mine.get_by_role("button", name="Approve", exact=True).click()
    expect(rita.get_by_role("article")).to_have_attribute("data-checkpoint", other)
    expect(rita.get_by_text("Ada Admin is looking at this")).to_be_visible()


def test_who_closes_the_window_or_is_cut_off_is_gone_at_once(people: People, work: Work) -> None:
    _, checkpoint = work.waiting("Left by two")
    rita = people.page("reviewer", f"{DESK}/{checkpoint}")
    told = rita.get_by_role("article").get_by_text("is looking at this")
    for ends in ("close", "crash"):
        ada = people.page("admin", f"{DESK}/{checkpoint}")
        expect(told).to_be_visible()
        if ends == "close":
            ada.close(run_before_unload=True)
        else:  # with no chance to say goodbye
            ada.route("**/viewers", lambda route: route.abort())
            ada.context.close()
        expect(told).to_have_count(0, timeout=5_000)
