"""Live figures: tiles that move in the browser, and the stream over a real connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e
NAMES = ("task_count", "avg_latency_ms", "success_rate", "active_workers")
SHUTDOWN = 15.0  # seconds: the drain time of the test's console, and some


@contextmanager
def stream(console: ConsoleProcess, after: int | None = None) -> Iterator[Iterator[dict[str, Any]]]:
    """Open the stream as a viewer and yield its events, parsed."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with (
        console.api("viewer") as client,
        client.stream("GET", "/api/metrics/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    fields: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.strip()
        elif "event" in fields:
            data = fields.get("data")
            yield {**fields, "data": json.loads(data) if data else None}
            fields = {}


def test_the_tiles_move_when_work_is_done_elsewhere(people: People, work: Work) -> None:
    page = people.page("viewer", "/overview")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    figures = page.get_by_role("list", name="Figures")
    pending = figures.get_by_role("link").filter(has_text="Pending approvals")
    before = int(pending.inner_text().split()[0])
    work.waiting("Counted while somebody looks")
    expect(pending).to_contain_text(str(before + 1))
    expect(page.locator(".recharts-surface").first).to_be_visible()
    page.get_by_role("link", name="24 hours").click()
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "page")


def test_a_stream_that_dropped_goes_on_where_it_stopped(
    console: ConsoleProcess, work: Work
) -> None:
    with stream(console) as events:
        first = next(events)
        assert {"task_count", "avg_latency_ms", "success_rate", "active_workers"} <= {
            *first["data"]
        }
        work.finished(work.enqueue("simple-task", {"userId": "u", "action": "greet"}))
        until = first["data"]["task_count"] + 1
        seen = next(event for event in events if event["data"]["task_count"] >= until)
    work.finished(work.enqueue("simple-task", {"userId": "u", "action": "greet"}))
    with stream(console, after=int(first["id"])) as events:
        again = [next(events)]
        while int(again[-1]["id"]) < int(seen["id"]):
            again.append(next(events))
    ids = [int(event["id"]) for event in again]
    assert ids == sorted(set(ids))
    assert min(ids) > int(first["id"])
    assert int(seen["id"]) in ids


def test_an_open_stream_does_not_hold_up_the_end(console: ConsoleProcess) -> None:
    with stream(console) as events:
        assert next(events)["event"] == "figures"
        began = time.monotonic()
        console.stop()
        ended = time.monotonic() - began
        rest = [event["event"] for event in events]
    console.start()
    assert rest[-1] == "bye"
    assert ended < SHUTDOWN
