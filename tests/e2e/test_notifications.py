"""Notifications, from the page and by the browser itself."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from tests.e2e.browser import People
from tests.e2e.test_accessibility import axe
from tests.e2e.work import Work, code
from tests.support.receiver import Receiver

pytestmark = pytest.mark.e2e

SWITCH = "Notify me in this browser"
# The page believes to be in the background when told so, and notifications are counted, not shown.
WATCHED = """
Object.defineProperty(document, "hidden", { get: () => window.inBackground === true });
window.shown = [];
const permission = () => window.allowed ?? "default";
window.Notification = class {
  static get permission() { return permission(); }
  static async requestPermission() { window.asked = true; return permission(); }
  constructor(title, options) { window.shown.push(`${title} ${options.body}`); }
  close() {}
};
"""


def test_a_subscription_is_added_tested_told_and_deleted(
    people: People, work: Work, hook: Receiver
) -> None:
    page = people.page("reviewer", "/notifications")
    expect(page.get_by_role("heading", name="Notifications", level=1)).to_be_visible()
    form = page.get_by_role("form", name="Subscription")
    form.get_by_label("Name").fill("My hook")
    form.get_by_label("Target").fill("https://elsewhere.example/s3cret-path")
    form.get_by_role("button", name="Add subscription").click()
    expect(form.get_by_label("Target")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("Name")).to_have_value("My hook")
    form.get_by_label("Target").fill(hook.url)
    form.get_by_label("Decided").check()
    form.get_by_role("button", name="Add subscription").click()
    told = page.get_by_test_id("made-secret")
    secret = told.get_by_text(re.compile("^whsec_")).inner_text()
    told.get_by_role("button", name="I have it").click()
    expect(told).to_have_count(0)
    expect(form.get_by_label("Target")).to_have_value("")

    row = page.get_by_test_id("subscription-row").filter(has_text="My hook")
    expect(row).to_contain_text(f"{hook.origin}/…")
    row.get_by_role("link", name="Edit: My hook").click()
    expect(page.get_by_role("heading", name="Change subscription")).to_be_visible()
    expect(form.get_by_label("Name")).to_be_focused()
    expect(form.get_by_label("Name")).to_have_value("My hook")
    expect(form.get_by_label("Decided")).to_be_checked()
    expect(form.get_by_label("Way")).to_be_disabled()
    assert axe(page) == []
    form.get_by_label("Name").fill("")
    form.get_by_role("button", name="Save changes").click()
    expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Name").fill("My hook, changed")
    form.get_by_label("Decided").uncheck()
    form.get_by_label("When").select_option("Every hour")
    form.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="New subscription")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("")
    expect(row).to_contain_text("My hook, changed")
    expect(row).to_contain_text("gathered every hour")
    expect(row).not_to_contain_text("Decided")
    row.get_by_role("link", name="Edit").click()
    expect(form.get_by_label("When")).to_have_value("60")
    form.get_by_label("When").select_option("At once")
    form.get_by_role("button", name="Save changes").click()
    expect(row).not_to_contain_text("gathered")
    hook.received.clear()
    row.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test has arrived.")).to_be_visible()
    (request,) = hook.received
    assert Webhook(secret).verify(request.body, request.headers)["type"] == "checkpoint.test"

    row.get_by_role("link", name="Messages").click()
    messages = page.get_by_test_id("message-row")
    expect(messages).to_have_count(1)
    job = work.enqueue("code-generation", code("notify/module.py", "x = 1\n"))
    checkpoint = work.open_checkpoint(job)
    fresh = messages.filter(has_text="New")
    expect(fresh.get_by_text("sent", exact=True)).to_be_visible()
    body = json.loads(hook.received[-1].body)
    assert body["data"]["checkpointId"] == checkpoint
    assert body["data"]["url"].endswith(f"/admin/agent-checkpoints/{checkpoint}")
    fresh.get_by_role("button", name="Send again").click()
    expect(fresh).to_contain_text("2 attempts")
    assert hook.received[-1].message_id == hook.received[-2].message_id

    row.get_by_role("button", name="Turn off").click()
    expect(row.get_by_text("Off", exact=True)).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete subscription").click()
    expect(row).to_have_count(0)
    fresh_link = body["data"]["url"].partition("/admin")[2]
    page.goto(f"/admin{fresh_link}")  # the link opens the card, and decides nothing
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_enabled()


def test_the_browser_itself_tells_of_what_is_new_while_nobody_looks(
    people: People, work: Work
) -> None:
    page = people.page("reviewer")
    page.add_init_script(WATCHED)
    page.goto("/admin/agent-checkpoints")
    switch = page.get_by_role("button", name=SWITCH)
    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert page.evaluate("window.asked") is None  # nobody is asked unasked
    page.evaluate("window.allowed = 'denied'")
    switch.click()
    expect(page.get_by_text("This browser blocks notifications")).to_be_visible()
    page.evaluate("window.allowed = 'granted'")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")

    ask(work, "one")
    expect(page.get_by_test_id("pending-badge")).to_contain_text("1")
    assert shown(page) == []  # it is on the screen
    page.evaluate("window.inBackground = true")
    ask(work, "two")
    page.wait_for_function("window.shown.length === 1")
    assert shown(page) == ["A checkpoint waits for a decision 2 wait in all."]

    page.evaluate("window.inBackground = false")
    page.add_init_script("window.allowed = 'granted'")
    page.reload()
    expect(page.get_by_test_id("pending-badge")).to_contain_text("2")
    expect(switch).to_have_attribute("aria-pressed", "true")  # remembered
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.evaluate("window.inBackground = true")
    ask(work, "three")
    expect(page.get_by_test_id("pending-badge")).to_contain_text("3")
    assert shown(page) == []


def ask(work: Work, name: str) -> None:
    work.open_checkpoint(work.enqueue("code-generation", code(f"notify/{name}.py", "x = 1\n")))


def shown(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.shown")
    return found
