"""A payload is edited before it is approved: in a form, or as JSON."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.scripts import Script
from tests.e2e.test_accessibility import axe
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_a_payload_is_edited_in_a_form_without_a_mouse(
    people: People, console: ConsoleProcess, work: Work, size: dict[str, int]
) -> None:
    job = Script(console, work, "mail Your oder").job  # the fields in the model's order
    checkpoint = work.open_checkpoint(job)
    page = people.page("reviewer", f"{DESK}/{checkpoint}", viewport=size)
    expect(page.get_by_role("article")).to_have_attribute("data-checkpoint", checkpoint)
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Approve with edits")
    expect(dialog.get_by_label("Subject")).to_be_focused()
    expect(dialog.get_by_label("Body")).to_have_value("It ships\non Monday.")
    dialog.get_by_label("Subject").fill("Your order")
    dialog.get_by_label("Copies").fill("many")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_text("Enter a whole number.")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    dialog.get_by_role("button", name="Edit as JSON").click()
    expect(dialog.get_by_label("Data (JSON)")).to_be_visible()
    dialog.get_by_role("button", name="Edit in a form").click()
    expect(dialog.get_by_label("Subject")).to_have_value("Your order")
    dialog.get_by_label("Copies").fill("2")
    page.keyboard.press("Control+Enter")
    done = work.finished(job)
    assert done["status"] == "COMPLETED"
    (asked,) = done["checkpoints"]
    assert asked["editedData"] == {
        "subject": "Your order",
        "copies": 2,
        "body": "It ships\non Monday.",
    }
