"""The database goes away under a running console, and comes back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.polling import until
from tests.e2e.work import Work
from tests.support.databases import PostgresServer
from tests.support.fault_proxy import FaultProxy, proxied

pytestmark = pytest.mark.e2e
# A minute by hand: OUTAGE_SECONDS=60 pytest tests/e2e/test_outage.py -s --timeout 600
OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "6"))
NOT_READY_WITHIN, BANNER_WITHIN, READY_WITHIN = 5.0, 10.0, 10.0  # seconds
BANNER = "The database does not answer."


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[tuple[FaultProxy, str]]:
    """Yield a proxy and the URL of a database behind it."""
    with postgres.database() as url, proxied(url) as made:
        yield made


@pytest.fixture
def other(
    console: ConsoleProcess, proxy: tuple[FaultProxy, str], tmp_path: Path
) -> Iterator[ConsoleProcess]:
    """Run a console on PostgreSQL in place of the others', at the same address."""
    console.stop()
    made = ConsoleProcess(tmp_path, DATABASE_URL=proxy[1])
    try:
        made.start()
        yield made
    finally:
        made.stop()
        console.start()


def seconds_until(true: Callable[[], bool], limit: float) -> float:
    """Return how long it took until ``true`` held."""
    began = time.monotonic()
    until(true, "what was waited for", limit)
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["cut", "hang"])
def test_an_outage_is_said_and_passes_by_itself(
    everybody: People,
    other: ConsoleProcess,
    proxy: tuple[FaultProxy, str],
    how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = everybody.of(other)
    page = people.page("operator", "/jobs")
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    with other.api("operator") as client, other.api("reviewer") as reviewer:
        before = Work(client, reviewer).enqueue("simple-task", {"userId": "u", "action": "greet"})
        getattr(proxy[0], how)()
        gone = time.monotonic()
        unready = seconds_until(lambda: not _is_ready(client), NOT_READY_WITHIN + 3)
        assert client.get("/health/live").status_code == 200
        expect(page.get_by_text(BANNER)).to_be_visible(timeout=20_000)
        shown = time.monotonic() - gone
        seconds_until(lambda: time.monotonic() - gone > OUTAGE, OUTAGE + 1)
        proxy[0].restore()
        ready = seconds_until(lambda: _is_ready(client), READY_WITHIN)
        expect(page.get_by_text(BANNER)).to_have_count(0, timeout=10_000)
        work = Work(client, reviewer)
        done = work.finished(work.enqueue("simple-task", {"userId": "u", "action": "greet"}))
        assert work.finished(before)["status"] == done["status"] == "COMPLETED"
        expect(page.get_by_text("COMPLETED", exact=True)).to_have_count(2)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{how}: not ready after {unready:.1f} s, banner {shown:.1f} s, back {ready:.1f} s\n"
        )
    assert unready <= NOT_READY_WITHIN
    assert shown <= BANNER_WITHIN
    people.close()


def _is_ready(client: httpx.Client) -> bool:
    return client.get("/health/ready").status_code == 200
