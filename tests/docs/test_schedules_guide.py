"""The guide to schedules does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agent_console.bootstrap import build
from agent_console.domain.access import SYSTEM
from agent_console.domain.events import Event
from agent_console.domain.schedules import NewSchedule, Rule, ScheduleQuery
from agent_console.runtime.loading import load_handlers
from agent_console.settings import Settings

GUIDE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text("utf-8")
(CODE,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
DECLARED = NewSchedule(
    name="Nightly report",
    job_type="nightly-report",
    rule=Rule(cron="0 3 * * *", time_zone="Europe/Berlin"),
    input_data={"depth": 3},
)


@pytest.fixture
def module(tmp_path: Path) -> str:
    """Return the guide's module, as a reader would have it."""
    file = tmp_path / "nightly_report.py"
    file.write_text(CODE, "utf-8")
    return str(file)


def test_a_schedule_is_declared_beside_its_handler(module: str) -> None:
    for _ in range(2):  # a module that is loaded already declares the same
        registry = load_handlers([module])
        assert registry.problems == []
        assert registry.schedules == [DECLARED]


def test_it_is_in_the_database_after_the_start_and_what_is_wrong_is_said(
    module: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from agent_console import schedule\nschedule('Broken', 'nowhere', every=60)\n", "utf-8"
    )
    settings = Settings(data_dir=tmp_path / "data", handlers=(module, str(wrong)))
    console = build(settings)
    told: list[Event] = []
    console.db.subscribe(told.extend)
    for _ in range(2):
        console.start_worker()
        console.stop(0)
        console = build(settings)
    console.open()
    (made,) = console.services.schedules.page(SYSTEM, ScheduleQuery()).items
    console.stop()
    assert (made.name, made.declared, made.owner_name) == ("Nightly report", True, "system")
    assert [one.action for one in told if one.action.startswith("schedule.")] == [
        "schedule.created"
    ]
    assert "schedule 'Broken': jobType: unknown job type" in caplog.text


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({}, "needs either cron or every"),
        ({"cron": "@daily", "every": 5}, "needs either cron or every"),
        ({"every": 0.5}, "whole seconds"),
        ({"every": 5, "catch_up": "some"}, "some"),
    ],
)
def test_a_declaration_that_means_nothing_stops_its_module(
    call: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "module.py"
    file.write_text(f"from agent_console import schedule\nschedule('s', 't', **{call!r})\n")
    registry = load_handlers([str(file)])
    (problem,) = registry.problems
    assert said in problem.message
    assert registry.schedules == []
