"""A schedule's life, from the page."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_schedule_is_made_run_paused_changed_and_deleted(people: People) -> None:
    name = f"Nightly {uuid.uuid4().hex[:8]}"
    page = people.page("operator", "/schedules")
    page.get_by_role("link", name="New schedule").click()
    page.get_by_role("link", name="Simple task simple-task").click()
    form = page.get_by_role("form", name="Schedule")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Cron expression").fill("30 6 * * mon")
    form.get_by_label("Time zone").fill("Asia/Tokyo")
    runs = form.get_by_role("list", name="Next runs").get_by_role("listitem")
    expect(runs.first).to_contain_text("06:30 (UTC+09:00)")
    expect(runs.first).to_contain_text("Mon")
    form.get_by_label("User").fill("user-17")
    form.get_by_label("Action").fill("greet")
    form.get_by_role("button", name="Save schedule").click()
    row = _row(page, name)
    expect(row).to_contain_text("06:30 (UTC+09:00)")

    row.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("COMPLETED", exact=True).first).to_be_visible()
    page.get_by_role("complementary", name="Facts").get_by_role("link", name=name).click()
    # Not check(): that wants the mark at once, and the mark follows the server.
    form.get_by_label("At an interval").click()
    expect(form.get_by_label("At an interval")).to_be_checked()
    form.get_by_label("Every", exact=True).fill("2")
    expect(form.get_by_test_id("ahead")).to_contain_text("2 hours")
    form.get_by_role("button", name="Save schedule").click()
    expect(row).to_contain_text("2 hours")
    expect(row.get_by_text("COMPLETED", exact=True)).to_be_visible()

    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_text("Paused", exact=True)).to_be_visible()
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_text("Paused", exact=True)).to_have_count(0)
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete schedule").click()
    expect(row).to_have_count(0)


def test_a_form_waits_for_its_own_fields(people: People, work: Work) -> None:
    rule = {"cron": "0 4 * * *", "timeZone": "UTC"}
    data = {"userId": "u", "action": "greet"}
    names = [f"{one} {uuid.uuid4().hex[:8]}" for one in ("First", "Second")]
    first, second = (work.schedule(name, "simple-task", data, **rule) for name in names)
    page = people.page("operator", "/schedules")
    held: list[tuple[WebSocketRoute, str | bytes]] = []
    holding: list[bool] = []

    def relay(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(server.send)
        server.on_message(
            lambda said: held.append((socket, said)) if holding else socket.send(said)
        )

    page.route_web_socket(re.compile("/_event/"), relay)
    page.goto(f"/schedules/edit?id={first}")
    form = page.get_by_role("form", name="Schedule")
    expect(form.get_by_label("Name")).to_have_value(names[0])
    page.get_by_role("link", name="Schedules", exact=True).last.click()
    row = _row(page, names[1])
    expect(row).to_be_visible()
    holding.append(True)  # a slow network, from here on
    row.get_by_role("link", name=f"Edit: {names[1]}").click()
    page.wait_for_url(re.compile(second))
    expect(page.get_by_role("heading", name="Edit schedule")).to_be_visible()
    expect(form).to_have_count(0)  # not that of the first
    holding.clear()
    for socket, said in held:
        socket.send(said)
    expect(form.get_by_label("Name")).to_have_value(names[1])


def test_what_is_wrong_is_said_at_its_field(people: People) -> None:
    page = people.page("operator", "/schedules/new?type=simple-task")
    form = page.get_by_role("form", name="Schedule")
    form.get_by_label("Cron expression").fill("61 * * * *")
    form.get_by_label("Time zone").fill("Mars/Olympus")
    for label in ("Cron expression", "Time zone"):
        expect(form.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_test_id("ahead")).to_be_empty()
    form.get_by_role("button", name="Save schedule").click()
    expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("User")).to_have_attribute("aria-invalid", "true")
    # What was typed is still there.
    expect(form.get_by_label("Cron expression")).to_have_value("61 * * * *")


def test_a_viewer_sees_schedules_and_cannot_touch_them(people: People, work: Work) -> None:
    name = f"Hourly {uuid.uuid4().hex[:8]}"
    work.schedule(name, "simple-task", {"userId": "u", "action": "greet"}, intervalSeconds=3600)
    page = people.page("viewer", "/schedules")
    row = _row(page, name)
    expect(row).to_be_visible()
    for verb in ("Run now", "Pause", "Delete"):
        expect(row.get_by_role("button", name=verb)).to_be_disabled()
    expect(page.get_by_role("button", name="New schedule")).to_be_disabled()


def _row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("schedule-row").filter(has_text=name)
