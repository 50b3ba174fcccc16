"""Who asks at the same moment is answered from one reading."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pytest

from agent_console.domain.errors import Unavailable
from agent_console.ui.together import Together


def test_what_is_asked_at_the_same_moment_is_read_once() -> None:
    readings: list[list[str]] = []

    def read(keys: Sequence[str]) -> Mapping[str, int]:
        readings.append(sorted(keys))
        return {"a": 1, "b": 2}

    async def ask() -> list[int | None]:
        together = Together(read)
        return await asyncio.gather(*(together.get(key) for key in ("a", "b", "a", "nobody")))

    assert asyncio.run(ask()) == [1, 2, 1, None]
    assert readings == [["a", "b", "nobody"]]


def test_an_answer_is_never_older_than_the_question() -> None:
    reading, go_on = threading.Event(), threading.Event()
    answers = iter([1, 2])

    def read(keys: Sequence[str]) -> Mapping[str, int]:
        answer = next(answers)
        reading.set()
        go_on.wait(10)
        return dict.fromkeys(keys, answer)

    async def ask() -> tuple[int | None, int | None]:
        together = Together(read)
        first = asyncio.create_task(together.get("a"))
        await asyncio.to_thread(reading.wait, 10)
        second = asyncio.create_task(together.get("a"))
        await asyncio.sleep(0)
        go_on.set()
        return await first, await second

    assert asyncio.run(ask()) == (1, 2)


def test_what_goes_wrong_is_told_to_all_and_the_next_reading_is_a_new_one() -> None:
    outcomes = iter([Unavailable(), {"a": 1, "b": 2}])

    def read(_keys: Sequence[str]) -> Mapping[str, int]:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def ask() -> list[object]:
        together = Together(read)
        both = ("a", "b")
        failed = await asyncio.gather(*map(together.get, both), return_exceptions=True)
        return [*failed, *await asyncio.gather(*map(together.get, both))]

    first, second, *rest = asyncio.run(ask())
    assert isinstance(first, Unavailable)
    assert first is second
    assert rest == [1, 2]


def test_who_goes_away_takes_nothing_from_the_others() -> None:
    async def ask() -> int | None:
        together = Together(lambda keys: dict.fromkeys(keys, 1))
        leaving, staying = (asyncio.create_task(together.get("a")) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert asyncio.run(ask()) == 1
