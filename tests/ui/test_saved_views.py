"""Saved views: from an address to a saved query and back, and the bar above the lists."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from agent_console.domain.saved_queries import NewSavedQuery, Resource
from agent_console.ui.saved_views import address_of, filters_of, resource_of
from agent_console.ui.states.saved import SavedViews
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run

DESK = "/admin/agent-checkpoints"


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/jobs", {}),
        ("/jobs?status=FAILED", {"status": "FAILED"}),
        (
            "/jobs?status=FAILED&q=type:greet user:me two words",
            {"status": "FAILED", "jobType": "greet", "userId": "me", "search": "two words"},
        ),
        ("/jobs?q=status:parked", {"status": "PARKED"}),
        (DESK, {}),
        (
            f"{DESK}?status=ALL&type=greet&job=job_1&kind=INFO",
            {"status": "ALL", "jobType": "greet", "jobId": "job_1", "checkpointType": "INFO"},
        ),
        (f"{DESK}?q=two words", {"search": "two words"}),
        ("/audit?action=job.failed&actor=me", {"action": "job.failed", "actorId": "me"}),
    ],
)
def test_what_is_saved_leads_back_to_the_same_list(path: str, filters: dict[str, str]) -> None:
    resource = resource_of(urlsplit(path).path)
    assert resource is not None
    assert filters_of(resource, dict(parse_qsl(urlsplit(path).query))) == filters
    there = urlsplit(address_of(resource, filters))
    assert resource_of(there.path) is resource
    assert filters_of(resource, dict(parse_qsl(there.query))) == filters


def test_only_lists_have_views() -> None:
    assert resource_of("/workers") is None
    assert resource_of("/admin/agent-checkpoints/") is Resource.CHECKPOINTS


def test_a_view_is_saved_shown_and_deleted(console: Console) -> None:
    cookie = console.sign_in("viewer")
    theirs = NewSavedQuery(
        name="All failed", resource="jobs", query={"status": "FAILED"}, shared=True
    )
    shared = console.services.saved_queries.create(console.actor("operator"), theirs)

    async def look() -> None:
        async with Browser(cookie, "/jobs?status=PARKED") as browser:

            def views() -> list[tuple[str, bool, bool]]:
                shown = browser.wire.value(SavedViews, "views")
                return [(view.name, view.current, view.mine) for view in shown]

            await browser.send(SavedViews.load)
            assert views() == [("All failed", False, False)]
            assert browser.wire.value(SavedViews, "can_save") is True
            await browser.send(SavedViews.save({"name": "  ", "shared": "on"}))
            assert "name" in browser.wire.value(SavedViews, "refused")
            await browser.send(SavedViews.save({"name": "Parked"}))
            assert views() == [("All failed", False, False), ("Parked", True, True)]
            own = browser.wire.value(SavedViews, "views")[1]
            assert (own.href, own.title) == ("/jobs?status=PARKED", "Yours")
            await browser.send(SavedViews.delete(shared.id))
            assert "operator" in browser.wire.value(SavedViews, "refused").lower()
            await browser.send(SavedViews.delete(own.id))
            assert views() == [("All failed", False, False)]

    run(look())


def test_nothing_to_save_without_a_filter_and_none_of_lists_out_of_reach(console: Console) -> None:
    audit = NewSavedQuery(
        name="Rejections", resource="audit", query={"action": "checkpoint.rejected"}, shared=True
    )
    console.services.saved_queries.create(console.actor("reviewer"), audit)
    cookie = console.sign_in("viewer")

    async def look() -> None:
        async with Browser(cookie, "/jobs") as browser:
            await browser.send(SavedViews.load)
            assert not browser.wire.value(SavedViews, "can_save")
            browser.path = "/audit?action=job.failed"
            await browser.send(SavedViews.load)
            assert not browser.wire.value(SavedViews, "views")
            await browser.send(SavedViews.save({"name": "Mine"}))
            assert "audit:read" in browser.wire.value(SavedViews, "refused")
            assert not browser.wire.value(Session, "notices")

    run(look())
