"""What waits for changes, and what is read once for all who ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from agent_console.domain.events import BEAT, RUNS, TOUCHED, Event
from agent_console.store.feed import KEPT, REMEMBERED, Change, ChangeFeed, SnapshotCache, change_of


@dataclass(frozen=True)
class Card:
    job: str
    text: str = ""


def other_job(card: Card, change: Change) -> bool:
    return not change.concerns(card.job)


class Reads:
    """Counts how often something is read."""

    def __init__(self, answer: Callable[[], Card]) -> None:
        self.count = 0
        self._answer = answer

    def __call__(self) -> Card:
        self.count += 1
        return self._answer()


async def told(feed: ChangeFeed, jobs: frozenset[str] | None) -> None:
    """Publish, and wait until it was heard."""
    seen = feed.version
    feed.publish(Change(jobs))
    assert await feed.wait(seen, 5) == seen + 1


@pytest.mark.parametrize(
    ("jobs", "reads"),
    [(frozenset({"job_1"}), 2), (frozenset({"job_2"}), 1), (frozenset(), 1), (None, 2)],
)
def test_what_is_about_a_job_is_read_again_when_that_has_changed(
    jobs: frozenset[str] | None, reads: int
) -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        first = await cache.get("card", read, still=other_job)
        await told(feed, jobs)
        second = await cache.get("card", read, still=other_job)
        assert second is first  # the same answer is the same object
        return read.count

    assert asyncio.run(play()) == reads


def test_who_has_just_come_is_shown_what_is_true_now() -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        await cache.get("card", read, still=other_job)
        await cache.get("card", read, still=other_job, fresh=True)
        return read.count

    assert asyncio.run(play()) == 2


def test_what_changed_while_it_was_being_read_is_read_again() -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        reading = asyncio.ensure_future(cache.get("card", read, still=other_job))
        await told(feed, frozenset({"job_1"}))
        await reading
        await cache.get("card", read, still=other_job)
        return read.count

    assert asyncio.run(play()) == 2


def test_everything_else_is_read_again_after_any_change() -> None:
    async def play() -> list[str]:
        feed = ChangeFeed()
        feed.bind()
        cache = SnapshotCache(feed)
        texts = iter("abc")
        read = Reads(lambda: Card("job_1", next(texts)))
        found = [(await cache.get("list", read)).text for _ in range(2)]
        await told(feed, frozenset())
        return [*found, (await cache.get("list", read)).text]

    assert asyncio.run(play()) == ["a", "a", "b"]


def test_little_is_kept_and_long_absence_is_ignorance() -> None:
    async def play() -> None:
        feed = ChangeFeed()
        feed.bind()
        cache = SnapshotCache(feed)
        for number in range(KEPT + 50):
            await cache.get(number, lambda: Card("job_1"), still=other_job)
        assert len(cache._kept) == KEPT
        for _ in range(REMEMBERED + 1):
            feed._bump(Change(frozenset({"job_2"}), frozenset({"job.started"})))
        assert any(change.concerns("job_1") for change in feed.since(0))
        assert not all(change.is_of(RUNS) for change in feed.since(0))
        assert not any(change.concerns("job_1") for change in feed.since(1))
        assert all(change.is_of(RUNS) for change in feed.since(1))

    asyncio.run(play())


def test_what_many_wait_for_does_not_stand_behind_what_is_for_one() -> None:
    async def play() -> list[str]:
        feed = ChangeFeed()
        feed.bind()
        cache, hold, order = SnapshotCache(feed), threading.Event(), list[str]()

        def slow() -> None:
            hold.wait(10)
            order.append("card")

        cards = [asyncio.create_task(cache.get(("card", n), slow, own=True)) for n in range(2)]
        await asyncio.sleep(0)
        await cache.get("list", lambda: order.append("list"))
        hold.set()
        await asyncio.gather(*cards)
        return order

    assert asyncio.run(play()) == ["list", "card", "card"]


def test_a_failed_read_is_not_kept() -> None:
    async def play() -> None:
        feed = ChangeFeed()
        feed.bind()
        cache = SnapshotCache(feed)

        def fails() -> Card:
            raise ValueError("away")

        with pytest.raises(ValueError, match="away"):
            await cache.get("card", fails, still=other_job)
        assert await cache.get("card", lambda: Card("job_1"), still=other_job) == Card("job_1")

    asyncio.run(play())


def test_events_say_which_jobs_they_are_about_and_what_was_done() -> None:
    of_job = Event(action="job.completed", job_id="job_1")
    log_line = Event(action=TOUCHED, job_id="job_2")
    beat = Event(action=BEAT, job_id="")
    looked = Event(action=TOUCHED, job_id="")
    policy = Event(action="policy.saved", subject_id="pol_1")
    runs = change_of([of_job, log_line])
    assert runs == Change(frozenset({"job_1", "job_2"}), frozenset({"job.completed", TOUCHED}))
    assert runs.is_of(RUNS)
    assert change_of([beat]) == Change(frozenset(), frozenset({BEAT}))
    assert not change_of([looked]).is_of(RUNS)
    assert change_of([of_job, policy]).jobs is None
    assert not change_of([of_job, policy]).is_of(RUNS)
    assert change_of([]) == Change()
    assert not Change().is_of(RUNS)
