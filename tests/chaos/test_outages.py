"""The database goes away under load and comes back: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from tests.chaos.load import Load
from tests.chaos.server import own_server
from tests.chaos.sizes import SEED, size, tell
from tests.crash.checks import complaints
from tests.support.databases import PostgresServer
from tests.support.fault_proxy import proxied

OUTAGE = size("OUTAGE", 1, 60)  # seconds, of each kind
LOST = size("LOST_ANSWERS", 20, 200)
RESTARTS = size("RESTARTS", 3, 100)
READY = 10.0  # seconds after the return within which work must be done again
LOOK = 0.05

pytestmark = [pytest.mark.crash, pytest.mark.slow]


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


@pytest.mark.timeout(300 + 6 * OUTAGE)
def test_an_outage_of_any_kind_passes(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready: dict[str, float] = {}
    with postgres.database() as truth, proxied(truth) as (proxy, url):
        with Load(url, truth, tmp_path, SEED) as load:
            load.ready_within()
            for how in ("cut", "hang", "mute"):
                getattr(proxy, how)()
                wait(OUTAGE)
                proxy.restore()
                ready[how] = load.ready_within()
            load.finish()
        found = complaints(load)
        load.db.close()
    times = ", ".join(f"{how} {seconds:.1f} s" for how, seconds in ready.items())
    tell(
        capsys,
        f"outages: 3 of {OUTAGE} s under load, {len(load.keys)} jobs; a new job done after {times};"
        f" complaints {len(found)}",
    )
    assert found == []
    assert max(ready.values()) <= READY


@pytest.mark.timeout(300 + 3 * LOST)
def test_commits_whose_answer_is_lost_are_neither_lost_nor_doubled(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with postgres.database() as truth, proxied(truth) as (proxy, url):
        with Load(url, truth, tmp_path, SEED) as load:
            load.ready_within()
            proxy.lose_answers(LOST, share=0.2)
            assert proxy.all_lost.wait(120 + 2 * LOST)
            load.finish()
        found = complaints(load)
        load.db.close()
    tell(
        capsys,
        f"lost answers: {proxy.lost} commits in {time.monotonic() - began:.0f} s,"
        f" {len(load.keys)} jobs; complaints {len(found)}",
    )
    assert found == []
    assert proxy.lost >= LOST


@pytest.mark.timeout(300 + 15 * RESTARTS)
def test_a_server_that_dies_again_and_again_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)
    began, ready = time.monotonic(), []
    with own_server() as server:
        with Load(server.url, server.url, tmp_path, SEED) as load:
            load.ready_within()
            for _ in range(RESTARTS):
                wait(rng.uniform(0.0, 0.5))
                server.crash()
                wait(rng.uniform(0.0, 0.3))
                server.start()
                ready.append(load.ready_within())
            load.finish()
        found = complaints(load)
        load.db.close()
    tell(
        capsys,
        f"restarts: {RESTARTS} of a PostgreSQL server in {time.monotonic() - began:.0f} s,"
        f" {len(load.keys)} jobs; a new job done after {max(ready):.1f} s at the most;"
        f" complaints {len(found)}",
    )
    assert found == []
    assert max(ready) <= READY
