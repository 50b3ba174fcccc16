"""Live figures: the overview, the stream's first sample, and the hub that many clients share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agent_console.api import figure_stream
from agent_console.api.figure_stream import FigureHub, Sample
from agent_console.domain.access import Role
from agent_console.domain.errors import Unavailable
from agent_console.services import Services
from agent_console.store.feed import ChangeFeed
from tests.api.conftest import Door, enqueue


def events(text: str) -> list[dict[str, str]]:
    """Return the fields of each event of a stream."""
    blocks = [block for block in text.replace("\r\n", "\n").split("\n\n") if block.strip()]
    return [
        dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in blocks
    ]


@pytest.mark.parametrize("address", ["/api/metrics/stream", "/metrics/stream"])
def test_the_stream_starts_with_the_figures_of_now(door: Door, address: str) -> None:
    viewer = door.as_role(Role.VIEWER)
    enqueue(door.as_role(Role.OPERATOR))
    answer = viewer.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, last = events(answer.text)
    figures = json.loads(first["data"])
    assert first["event"] == "figures"
    assert int(first["id"]) > 0
    assert figures["task_count"] == figures["queued"] == 1
    assert (figures["avg_latency_ms"], figures["success_rate"]) == (None, None)
    assert figures["active_workers"] == 0
    assert figures["timestamp"].endswith("Z")
    assert last["event"] == "bye"
    assert door.client().get(address).status_code == 401


def test_the_overview_has_figures_and_points(door: Door) -> None:
    viewer = door.as_role(Role.VIEWER)
    enqueue(door.as_role(Role.OPERATOR))
    body = viewer.get("/api/metrics/overview", params={"span": "24h"}).json()["overview"]
    assert body["live"]["taskCount"] == 1
    assert (body["width"], len(body["points"])) == (1800, 48)
    assert sum(point["enqueued"] for point in body["points"]) == 1
    refused = viewer.get("/api/metrics/overview", params={"span": "1y"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "span"


class Hub:
    """A hub on real services with a feed that a test moves."""

    def __init__(self, services: Services) -> None:
        object.__setattr__(services, "feed", ChangeFeed())
        services.feed.bind()
        self.feed = services.feed
        self.hub = FigureHub(services)


def run(door: Door, look: Callable[[Hub], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_stream, "COALESCE", 0.0)

    async def main() -> None:
        async with asyncio.timeout(20):
            await look(Hub(door.services))

    asyncio.run(main())


async def take(followed: AsyncIterator[Sample], count: int) -> list[Sample]:
    return [await anext(followed) for _ in range(count)]


def test_who_comes_back_gets_what_was_missed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(at: Hub) -> None:
        listening = at.hub.follow(None)
        gone = at.hub.follow(None)
        (first,) = await take(listening, 1)
        assert await take(gone, 1) == [first]
        await gone.aclose()  # type: ignore[attr-defined]
        missed = []
        for _ in range(3):
            door.clock.advance(1)
            at.feed.publish()
            missed += await take(listening, 1)
        assert [sample.id for sample in missed] == sorted({sample.id for sample in missed})
        back = at.hub.follow(first.id)
        assert await take(back, 3) == missed
        fresh = at.hub.follow(None)
        assert await take(fresh, 1) == missed[-1:]

    run(door, look, monkeypatch)


def test_a_client_that_does_not_read_holds_a_bounded_number(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_stream, "QUEUE", 3)

    async def look(at: Hub) -> None:
        slow, quick = at.hub.follow(None), at.hub.follow(None)
        (begun,) = await take(slow, 1)
        assert await take(quick, 1) == [begun]
        seen = []
        for _ in range(9):
            door.clock.advance(1)
            at.feed.publish()
            seen += await take(quick, 1)
        assert await take(slow, 3) == seen[-3:]

    run(door, look, monkeypatch)


def test_streams_end_when_the_process_is_about_to(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(at: Hub) -> None:
        followed = at.hub.follow(None)
        await take(followed, 1)
        at.feed.close()
        assert len([sample async for sample in followed]) <= 1  # and does not wait for more

    run(door, look, monkeypatch)


def test_more_clients_than_fit_are_told_to_come_later(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_stream, "MAX_CLIENTS", 1)

    async def look(at: Hub) -> None:
        first = at.hub.follow(None)
        await take(first, 1)
        with pytest.raises(Unavailable):
            await take(at.hub.follow(None), 1)
        await first.aclose()  # type: ignore[attr-defined]
        assert len(await take(at.hub.follow(None), 1)) == 1

    run(door, look, monkeypatch)


def test_nobody_listens_nothing_is_read(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(at: Hub) -> None:
        followed = at.hub.follow(None)
        await take(followed, 1)
        await followed.aclose()  # type: ignore[attr-defined]
        at.feed.publish()
        reader = at.hub._reader
        assert reader is not None
        await reader

    run(door, look, monkeypatch)
