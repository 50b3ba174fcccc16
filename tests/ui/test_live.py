from __future__ import annotations

import asyncio

import pytest

from agent_console.domain.access import local_operator
from agent_console.domain.errors import Unavailable
from agent_console.runtime.registry import Registry
from agent_console.services import build_services
from agent_console.settings import Settings
from agent_console.ui import live
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.jobs import Jobs
from agent_console.ui.states.session import Session
from agent_console.ui.states.workers import Workers
from tests.ui.conftest import Browser, Console, greet, run


def test_a_new_job_appears_without_a_reload(console: Console) -> None:
    cookie = console.sign_in("viewer")

    async def look() -> None:
        async with Browser(cookie, "/jobs?status=PENDING") as browser:
            await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Jobs, "loaded"))
            assert not browser.wire.value(Jobs, "rows")
            job = console.job(task_description="Greet Ada")
            await browser.until(lambda: browser.wire.value(Jobs, "rows"))
            row = browser.wire.value(Jobs, "rows")[0]
            assert (row.id, row.title, row.status) == (job, "Greet Ada", "PENDING")
            tabs = {tab.label: tab for tab in browser.wire.value(Jobs, "tabs")}
            assert (tabs["PENDING"].count, tabs["PENDING"].current) == ("1", True)

    run(look())


def test_many_browsers_cost_one_query(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = console.sign_in("viewer")
    reads: list[object] = []
    page = type(console.services.jobs).page
    monkeypatch.setattr(
        type(console.services.jobs),
        "page",
        lambda self, actor, query: reads.append(query) or page(self, actor, query),
    )

    async def look() -> None:
        async with Browser(cookie, "/jobs") as browser:
            for number in range(8):
                browser.token = f"tab-{number}"
                await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.count(Jobs, "loaded", True) == 8)

    run(look())
    assert 1 <= len(reads) <= 2


def test_a_page_is_followed_once_however_often_it_asks(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = console.sign_in("viewer")
    console.actor("operator")
    refreshed: list[object] = []
    plain = live._refresh
    too_many = asyncio.Event()

    async def counted(page: live.LiveState, last: live._Round | None) -> live._Round:
        refreshed.append(last)
        if len(refreshed) > 4:
            too_many.set()
        return await plain(page, last)

    async def look() -> None:
        async with Browser(cookie, "/jobs") as browser:
            for _ in range(12):
                await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Jobs, "loaded"))
            monkeypatch.setattr(live, "_refresh", counted)
            console.job(task_description="Greet Ada")
            await browser.until(lambda: browser.wire.value(Jobs, "rows"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(too_many.wait(), 5 * live.COALESCE)

    run(look())
    assert refreshed


def test_a_session_that_ends_while_connected_is_noticed(console: Console) -> None:
    cookie = console.sign_in("viewer")

    async def look() -> None:
        async with Browser(cookie, "/jobs?q=x") as browser:
            await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Jobs, "loaded"))
            console.services.access.logout(console.people["viewer"][1])
            console.services.feed.publish()
            await browser.until(browser.wire.redirects)
            assert browser.wire.redirects()[0].startswith("/login?next=/jobs")

    run(look())


def test_an_account_disabled_by_another_process_is_shown_out(console: Console) -> None:
    cookie = console.sign_in("viewer")
    viewer = console.actor("viewer").id
    assert viewer is not None
    elsewhere = build_services(
        console.db, Registry([greet]), Settings(), console.services.feed
    ).access  # knows nothing of what this process remembers

    async def look() -> None:
        async with Browser(cookie, "/jobs") as browser:
            await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Jobs, "loaded"))
            console.services.access.actor_for_session(console.people["viewer"][1])
            elsewhere.set_disabled(local_operator("root"), viewer, True)
            await browser.until(browser.wire.redirects, 3.0)

    run(look())


def test_trouble_is_shown_and_passes(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = console.sign_in("viewer")
    monkeypatch.setattr(live, "RETRY", 0.05)
    counts = type(console.services.jobs).counts
    down = True

    def sometimes(self: object, actor: object) -> object:
        if down:
            raise Unavailable
        return counts(self, actor)

    monkeypatch.setattr(type(console.services.jobs), "counts", sometimes)

    async def look() -> None:
        nonlocal down
        async with Browser(cookie, "/jobs") as browser:
            await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Jobs, "stale") == live.STALE)
            assert not browser.wire.value(Jobs, "loaded")
            down = False
            await browser.until(lambda: browser.wire.value(Jobs, "loaded"))
            assert browser.wire.value(Jobs, "stale") == ""

    run(look())


def test_a_job_that_is_not_there_says_so_and_is_not_asked_for_again(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = console.sign_in("viewer")
    plain, looked = live._refresh, asyncio.Event()

    async def noted(page: live.LiveState, last: live._Round | None) -> live._Round:
        looked.set()
        return await plain(page, last)

    async def look() -> None:
        async with Browser(cookie, "/jobs/job_nope") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "problem"))
            assert browser.wire.value(JobPage, "problem_code") == "not_found"
            monkeypatch.setattr(live, "_refresh", noted)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(looked.wait(), 5 * live.COALESCE)
            console.services.feed.publish()
            await asyncio.wait_for(looked.wait(), 5.0)

    run(look())


def test_a_job_is_followed_and_says_what_may_be_done(console: Console) -> None:
    cookie, job = console.sign_in("viewer"), console.job(task_description="Greet")

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "loaded"))
            wire = browser.wire
            assert wire.value(JobPage, "job").status == "PENDING"
            assert "jobs:control" in wire.value(JobPage, "refusals")["cancel"]
            console.services.jobs.control(console.actor("operator"), job, "cancel")
            await browser.until(lambda: wire.value(JobPage, "job").status == "CANCELED")
            told = [one.title for one in wire.value(JobPage, "happenings")]
            assert told == ["Created", "Canceled"]

    run(look())


def test_the_badge_counts_with_the_page(console: Console) -> None:
    cookie = console.sign_in("reviewer")

    async def look() -> None:
        async with Browser(cookie, "/workers") as browser:
            await browser.send(Workers.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Workers, "loaded"))
            assert browser.wire.value(Session, "pending") in (None, 0)
            assert "No worker process is up" in browser.wire.value(Workers, "stop") or (
                "workers:control" in browser.wire.value(Workers, "stop")
            )

    run(look())
