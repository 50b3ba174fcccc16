"""A worker with nothing to do asks the database next to nothing."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent_console.runtime.sweeps import Outlook
from agent_console.store.database import Database
from tests.runtime.hosts import Changes, hosted

SECONDS = 10.0  # two rounds of the sweeps
SETTLED = 1.0  # seconds after a start, in which everything looks once


@pytest.mark.slow
def test_an_idle_worker_asks_less_than_once_a_second(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    wait = threading.Event().wait

    def counting(name: str) -> None:
        plain = getattr(Database, name)

        def counted(self: Database, *args: Any, **more: Any) -> Any:
            asked[name] += 1
            return plain(self, *args, **more)

        monkeypatch.setattr(Database, name, counted)

    counting("read")
    counting("write")
    changes = Changes(db)
    with hosted(db, tmp_path) as host:
        assert changes.until(lambda: host.stats()["isRunning"] is True)
        wait(SETTLED)
        before = asked.total()
        wait(SECONDS)
        during = asked.total() - before
    assert before > 0
    assert 2 <= during <= SECONDS  # it lives: it beats


def test_sweeps_of_one_round_share_a_look_and_the_next_round_looks_again() -> None:
    looks: list[frozenset[str]] = [frozenset({"expiry"}), frozenset({"tallies"}), frozenset()]
    asked: list[int] = []

    def ask() -> frozenset[str]:
        asked.append(1)
        return looks[len(asked) - 1]

    outlook = Outlook(ask, fresh=60.0)
    assert [outlook.has(name) for name in ("rescue", "expiry", "tallies")] == [False, True, False]
    assert len(asked) == 1
    done: list[str] = []
    outlook.when("tallies", lambda: done.append("tallies"))()
    outlook.when("expiry", lambda: done.append("expiry"))()
    assert (done, len(asked)) == (["tallies"], 2)
    assert not outlook.has("tallies")


def test_an_answer_that_has_become_old_is_not_used() -> None:
    asked: list[int] = []

    def ask() -> frozenset[str]:
        asked.append(1)
        return frozenset()

    outlook = Outlook(ask, fresh=0.0)
    assert not any(outlook.has(name) for name in ("rescue", "expiry"))
    assert len(asked) == 2
