"""Threads that turn: what others hear of their troubles."""

from __future__ import annotations

import threading

from agent_console.domain.errors import Unavailable
from agent_console.runtime.loops import Loop


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    told: list[int] = []
    turns: list[int] = []
    over = threading.Event()

    def turn() -> float | None:
        turns.append(len(turns))
        if len(turns) < 4:
            raise Unavailable
        return None

    def turned() -> None:
        told.append(len(turns))
        if len(told) == 2:
            over.set()

    loop = Loop("turner", turn, turned=turned)
    loop.start()
    assert over.wait(10)
    loop.stop(1)
    assert told == [1, 4]
