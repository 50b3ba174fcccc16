"""Killed while they fire schedules, processes lose no slot and fire none twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent_console.domain.access import local_operator
from agent_console.domain.crashpoints import LABELS
from agent_console.domain.schedules import CatchUp, NewSchedule, Rule
from agent_console.runtime.registry import Registry
from agent_console.services.schedule_fires import fire_due
from agent_console.services.schedules import ScheduleService
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.crash.handlers import quick

CHECKOUT = Path(__file__).parents[2]
SCHEDULES = 3
FIRING = tuple(label for label in LABELS if label.startswith("schedule."))


@pytest.mark.crash
def test_a_killed_process_leaves_each_slot_to_exactly_one_other(
    clocked_db: Database, database_url: str, fake_clock: FakeClock
) -> None:
    registry = Registry([quick])
    service = ScheduleService(clocked_db, registry)
    for number in range(SCHEDULES):
        service.create(
            local_operator("root"),
            NewSchedule(
                name=f"s{number}",
                job_type="quick",
                rule=Rule(interval_seconds=60),
                catch_up=CatchUp.ALL,
            ),
        )
    for label in FIRING:
        now = fake_clock.advance(60).isoformat()
        child = [sys.executable, "-m", "tests.crash.firing_child", database_url, now, label]
        died = subprocess.run(
            [*child, "2"], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
    assert fire_due(clocked_db, registry) == 1  # the last one died after two had fired
    with clocked_db.read() as reader:
        slots = reader.rows("SELECT schedule_id, slot, job_id FROM schedule_fires")
        jobs = reader.rows("SELECT id FROM ai_jobs")
        told = reader.rows("SELECT job_id FROM audit_logs WHERE action = 'schedule.fired'")
    assert len(slots) == SCHEDULES * len(FIRING)
    assert sorted(row[2] for row in slots) == sorted(row[0] for row in jobs)
    assert sorted(row[0] for row in told) == sorted(row[0] for row in jobs)
