from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.sizes import SEED, size
from tests.crash.campaign import REACHED, Campaign
from tests.crash.checks import complaints
from tests.crash.sink import Sink

KILLS = size("KILLS", 100, 1000)  # per database
POINTS = tuple(x for x in REACHED if x.startswith(os.environ.get("AGENT_CONSOLE_POINTS", "")))


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(120 + KILLS * 5)  # a busy machine takes its time
def test_killed_at_any_point_nothing_is_lost_repeated_or_done_unapproved(
    database_url: str, dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = Campaign(database_url, tmp_path, KILLS, SEED, POINTS)
    began = time.monotonic()
    campaign.run()
    seconds = time.monotonic() - began
    found = complaints(campaign)
    sink = Sink(tmp_path / "sink", campaign.db)
    raw = sink.raw()
    campaign.db.close()
    again = sum(raw.values()) - len(raw)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{dialect}: {campaign.killed.total()} SIGKILLs in {seconds:.0f} s, seed {SEED}\n"
            f"{campaign.table()}\n{len(campaign.keys)} jobs; {len(raw)} effects, "
            f"{again} of them offered again by a rerun\n"
        )
    assert found == []
    assert campaign.killed.total() >= KILLS
    assert min(campaign.killed[label] for label in POINTS) >= max(1, KILLS // (len(POINTS) + 10))
