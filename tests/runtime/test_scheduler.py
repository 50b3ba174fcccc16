"""APScheduler, wired."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest

from agent_console.runtime.scheduler import Scheduler

LIMIT = 10.0  # seconds until something is considered not to happen


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda scheduler: scheduler.call_at("look", Event().set, 0), id="call"),
        pytest.param(lambda scheduler: scheduler.poll_every(60), id="poll"),
    ],
)
def test_who_wants_a_change_while_it_stops_is_not_held_up(
    change: Callable[[Scheduler], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write of a sweep ends when the listeners have been told, and they ask for a call."""
    scheduler = Scheduler()
    begun, waits = Event(), Event()
    wanting = Thread(target=change, args=(scheduler,), daemon=True)
    went_on: list[bool] = []

    def sweep() -> None:
        begun.set()
        assert waits.wait(LIMIT)
        wanting.start()
        wanting.join(LIMIT)
        went_on.append(not wanting.is_alive())

    scheduler.start(lambda: None, 60, sweep)
    assert begun.wait(LIMIT)
    pool = scheduler._scheduler._lookup_executor("default")
    end = pool.shutdown
    monkeypatch.setattr(pool, "shutdown", lambda wait: (waits.set(), end(wait)))
    scheduler.stop()
    assert went_on == [True]
