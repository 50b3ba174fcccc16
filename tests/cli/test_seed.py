"""``seed`` makes what a console in use has: every status, real changes, real history."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Terminal


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    logger = logging.getLogger("agent_console.events")
    before = logger.level
    yield
    logger.setLevel(before)


def everything() -> dict[str, Any]:
    """Return what the services say about jobs, checkpoints and artifacts."""
    from agent_console.bootstrap import build
    from agent_console.domain.access import SYSTEM
    from agent_console.domain.queries import JobQuery
    from agent_console.settings import load_settings

    console = build(load_settings())
    console.open()
    try:
        jobs = console.services.jobs
        details = [jobs.get(SYSTEM, job.id) for job in jobs.page(SYSTEM, JobQuery()).items]
        cards = [
            console.services.review.get(SYSTEM, checkpoint.id).checkpoint
            for detail in details
            for checkpoint in detail.checkpoints
        ]
        documents = console.services.context.get(
            SYSTEM, next(d.job.context_document_id for d in details if d.job.context_document_id)
        )
        return {"jobs": details, "cards": cards, "document": documents}
    finally:
        console.stop()


def test_samples_are_in_every_status_a_job_can_rest_in(
    on_each_database: Terminal, tmp_path: Path
) -> None:
    made = on_each_database.json("seed")["made"]
    assert made == {
        "CANCELED": 1,
        "COMPLETED": 5,
        "FAILED": 3,
        "INITIALIZED": 1,
        "PARKED": 1,
        "PAUSED": 1,
        "PENDING": 1,
        "QUEUED": 1,
        "WAITING": 3,
    }
    found = everything()
    details, cards = found["jobs"], found["cards"]
    assert Counter(detail.job.status.value for detail in details) == made
    assert {card.status.value for card in cards} >= {
        "PENDING",
        "APPROVED",
        "REJECTED",
        "EXPIRED",
        "CANCELED",
    }
    assert {a.artifact_type.value for d in details for a in d.artifacts} >= {
        "file",
        "research_finding",
    }
    assert sum(len(detail.logs) for detail in details) >= 10
    errors = {detail.job.error.type for detail in details if detail.job.error}
    assert errors == {"Rejected", "Expired", "Invalid"}
    assert len(found["document"].versions) == 2

    weekly = next(d for d in details if d.job.task_description == "A week costs five days")
    (card,) = [c for c in cards if c.job_id == weekly.job.id]
    shown = repr(card)
    assert "return DAY * days" in shown
    assert "divmod(days, 7)" in shown
    assert "return DAY * days" in (
        tmp_path / "data" / "workspace" / "sample" / "prices.py"
    ).read_text("utf-8")


def test_history_goes_back_three_days_and_clocks_agree_again(terminal: Terminal) -> None:
    terminal.done("seed")
    now = datetime.now(UTC)
    details = everything()["jobs"]
    ages = sorted(now - detail.job.created_at for detail in details)
    assert ages[-1] > timedelta(hours=70)
    assert ages[0] < timedelta(minutes=5)
    expired = next(d for d in details if d.job.error and "xpired" in d.job.error.type)
    assert expired.job.completed_at - expired.job.created_at >= timedelta(hours=24)
    for detail in details:
        assert all(entry.at <= now for entry in detail.timeline)


def test_samples_are_made_once(terminal: Terminal) -> None:
    terminal.done("seed")
    before = len(terminal.json("jobs", "list")["jobs"])
    assert terminal.done("seed").strip() == "The sample data is there already."
    assert len(terminal.json("jobs", "list")["jobs"]) == before


def test_beside_a_living_worker_everything_is_of_today(terminal: Terminal) -> None:
    from agent_console.bootstrap import build
    from agent_console.settings import load_settings

    console = build(load_settings())
    console.start_worker()
    try:
        done = terminal("seed", "--json")
    finally:
        console.stop()
    assert done.exit_code == 0, done.output
    assert "of today" in done.stderr
    now = datetime.now(UTC)
    assert all(now - d.job.created_at < timedelta(minutes=5) for d in everything()["jobs"])


def test_what_the_handlers_of_the_console_did_is_replayed_without_a_difference(
    terminal: Terminal,
) -> None:
    terminal.done("seed")
    from agent_console.bootstrap import build
    from agent_console.domain.access import SYSTEM
    from agent_console.domain.queries import JobQuery
    from agent_console.settings import load_settings

    console = build(load_settings())
    console.open()
    try:
        listed = console.services.jobs.page(SYSTEM, JobQuery()).items
        known = {info.job_type for info in console.services.jobs.catalog(SYSTEM)}
        ran = [job for job in listed if job.attempts and job.job_type in known]
        reports = [console.services.replays.replay(SYSTEM, job.id) for job in ran]
    finally:
        console.stop()
    assert {job.job_type for job in ran} >= {"code-generation", "data-processing", "research"}
    assert [report.differences for report in reports] == [()] * len(ran)
