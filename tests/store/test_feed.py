"""What waits for changes, and what is read once for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from agent_console.domain.events import TOUCHED, Event
from agent_console.store.feed import KEPT, REMEMBERED, ChangeFeed, Jobs, SnapshotCache, jobs_of


@dataclass(frozen=True)
class Card:
    job: str
    text: str = ""


def job_of(card: Card) -> str:
    return card.job


class Reads:
    """Counts how often something is read."""

    def __init__(self, answer: Callable[[], Card]) -> None:
        self.count = 0
        self._answer = answer

    def __call__(self) -> Card:
        self.count += 1
        return self._answer()


async def told(feed: ChangeFeed, jobs: Jobs) -> None:
    """Publish, and wait until it was heard."""
    seen = feed.version
    feed.publish(jobs)
    assert await feed.wait(seen, 5) == seen + 1


@pytest.mark.parametrize(
    ("jobs", "reads"),
    [(frozenset({"job_1"}), 2), (frozenset({"job_2"}), 1), (frozenset(), 1), (None, 2)],
)
def test_what_is_about_a_job_is_read_again_when_that_has_changed(jobs: Jobs, reads: int) -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        first = await cache.get("card", read, job_of=job_of)
        await told(feed, jobs)
        second = await cache.get("card", read, job_of=job_of)
        assert second is first  # the same answer is the same object
        return read.count

    assert asyncio.run(play()) == reads


def test_who_has_just_come_is_shown_what_is_true_now() -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        await cache.get("card", read, job_of=job_of)
        await cache.get("card", read, job_of=job_of, fresh=True)
        return read.count

    assert asyncio.run(play()) == 2


def test_what_changed_while_it_was_being_read_is_read_again() -> None:
    async def play() -> int:
        feed = ChangeFeed()
        feed.bind()
        cache, read = SnapshotCache(feed), Reads(lambda: Card("job_1"))
        reading = asyncio.ensure_future(cache.get("card", read, job_of=job_of))
        await told(feed, frozenset({"job_1"}))
        await reading
        await cache.get("card", read, job_of=job_of)
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
            await cache.get(number, lambda: Card("job_1"), job_of=job_of)
        assert len(cache._kept) == KEPT
        for _ in range(REMEMBERED + 1):
            feed._bump(frozenset({"job_2"}))
        assert feed.concerns("job_1", 0)
        assert not feed.concerns("job_1", 1)

    asyncio.run(play())


def test_a_failed_read_is_not_kept() -> None:
    async def play() -> None:
        feed = ChangeFeed()
        feed.bind()
        cache = SnapshotCache(feed)

        def fails() -> Card:
            raise ValueError("away")

        with pytest.raises(ValueError, match="away"):
            await cache.get("card", fails, job_of=job_of)
        assert await cache.get("card", lambda: Card("job_1"), job_of=job_of) == Card("job_1")

    asyncio.run(play())


def test_events_name_the_jobs_they_are_about() -> None:
    of_job = Event(action="job.completed", job_id="job_1")
    log_line = Event(action=TOUCHED, job_id="job_2")
    heartbeat = Event(action=TOUCHED, job_id="")
    policy = Event(action="policy.saved", subject_id="pol_1")
    assert jobs_of([of_job, log_line]) == {"job_1", "job_2"}
    assert jobs_of([heartbeat]) == frozenset()
    assert jobs_of([of_job, policy]) is None
    assert jobs_of([]) is None
