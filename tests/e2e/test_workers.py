"""Workers are stopped and started from the screen."""

from __future__ import annotations

import socket
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.polling import until
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


def test_a_request_that_never_ends_does_not_keep_the_worker_from_its_end(
    console: ConsoleProcess,
) -> None:
    kept = closing(sqlite3.connect(f"file:{console.folder}/agent_console.db?mode=ro", uri=True))
    with ThreadPoolExecutor() as pool, kept as database:

        def running() -> int:
            found = "SELECT count(*) FROM agent_workers WHERE status = 'RUNNING'"
            return int(database.execute(found).fetchone()[0])

        assert running() == 1
        with socket.create_connection((console.host, console.port)) as half:
            half.sendall(b"GET /health/live HTTP/1.1\r\nHost:")  # and no more of it
            stopping = pool.submit(console.stop)
            until(lambda: not running(), "the end of the worker", 10)
            assert not stopping.done()  # the server still waits for the rest of the request
        stopping.result(20)
    console.start()
    assert "worker.died" not in console.tail()


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


def test_a_job_type_is_limited_over_all_workers(people: People) -> None:
    page = people.page("operator", "/workers")
    row = _type_row(page, "data-processing")
    row.get_by_role("button", name="Limits of data-processing").click()
    dialog = page.get_by_role("dialog", name="Limits of data-processing")
    running = dialog.get_by_label("Running at once", exact=True)
    running.fill("many")
    dialog.get_by_role("button", name="Set limits").click()
    expect(dialog.get_by_role("alert")).to_contain_text("enter a whole number")
    running.fill("2")
    dialog.get_by_label("Starts").fill("30")
    dialog.get_by_label("in so many seconds").fill("60")
    dialog.get_by_role("button", name="Set limits").click()
    expect(dialog).to_have_count(0)
    expect(row).to_contain_text("2 running, 30 starts per 60 s")
    expect(row).to_contain_text("(declared: not limited)")
    row.get_by_role("button", name="Limits of data-processing").click()
    expect(running).to_have_value("2")
    for label in ("Running at once", "Starts", "in so many seconds"):
        dialog.get_by_label(label, exact=True).fill("")
    dialog.get_by_role("button", name="Set limits").click()
    expect(row).not_to_contain_text("declared:")


def test_a_paused_job_type_holds_its_jobs_until_it_is_resumed(people: People, work: Work) -> None:
    page = people.page("operator", "/workers")
    row = _type_row(page, "simple-task")
    row.get_by_role("button", name="Pause simple-task").click()
    dialog = page.get_by_role("dialog", name="Pause simple-task?")
    dialog.get_by_label("Reason").fill("The mail server is being moved.")
    dialog.get_by_role("button", name="Pause job type").click()
    expect(row.get_by_text("PAUSED", exact=True)).to_be_visible()
    expect(row).to_contain_text("The mail server is being moved.")
    job = work.enqueue("simple-task", {"userId": uuid.uuid4().hex, "action": "wait"})
    watched = people.page("operator", f"/jobs/{job}")
    expect(watched.get_by_text("The mail server is being moved.")).to_be_visible()
    row.get_by_role("button", name="Resume simple-task").click()
    expect(watched.get_by_text("COMPLETED", exact=True).first).to_be_visible()
    expect(row.get_by_text("PAUSED", exact=True)).to_have_count(0)


def _type_row(page: Page, job_type: str) -> Locator:
    return page.get_by_test_id("job-type-row").filter(has_text=job_type)
