"""Workers are stopped and started from the screen."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e


def test_a_stopped_worker_takes_nothing_and_a_started_one_does(people: People, work: Work) -> None:
    page = people.page("operator", "/workers")
    row = page.get_by_test_id("worker-row").first
    expect(row.get_by_text("RUNNING", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stop worker").click()
    expect(row.get_by_text("STOPPED", exact=True)).to_be_visible()
    job = work.enqueue("simple-task", {"userId": uuid.uuid4().hex, "action": "wait"})
    watched = people.page("operator", f"/jobs/{job}")
    expect(watched.get_by_text("PENDING", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Start worker").click()
    expect(row.get_by_text("RUNNING", exact=True)).to_be_visible()
    expect(watched.get_by_text("COMPLETED", exact=True).first).to_be_visible()


def test_a_host_that_is_left_alone_is_seen_without_a_reload(people: People, work: Work) -> None:
    page = people.page("viewer", "/workers")
    row = page.get_by_test_id("worker-row").first
    expect(row).to_be_visible()
    work.enqueue("http-task", {"url": "http://127.0.0.1:9/tasks"})
    hosts = row.get_by_role("list", name="Circuit breakers of called hosts")
    expect(hosts.get_by_text("http://127.0.0.1:9")).to_be_visible()
    expect(hosts.get_by_text("open", exact=True)).to_be_visible()
    sleeping = work.enqueue("http-task", {"url": "http://127.0.0.1:9/tasks"})
    watched = people.page("viewer", f"/jobs/{sleeping}")
    expect(watched.get_by_text("Asleep").first).to_be_visible()
    expect(watched.get_by_text("QUEUED", exact=True).first).to_be_visible()


def test_a_viewer_sees_workers_and_cannot_touch_them(people: People) -> None:
    page = people.page("viewer", "/workers")
    expect(page.get_by_test_id("worker-row").first).to_be_visible()
    expect(page.get_by_role("button", name="Stop worker")).to_be_disabled()
