"""A replay on the job page: when it is offered, and what it says."""

from __future__ import annotations

from agent_console.domain.access import local_operator
from agent_console.domain.jobs import JobStatus
from agent_console.domain.replays import Difference, DifferenceKind, ReplayEnd, ReplayReport
from agent_console.services.replays import ReplayService
from agent_console.ui.replay_views import obstacle, replay_view
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.replay import Replay
from agent_console.ui.states.session import Session
from tests.support.runs import claim_one, start_worker
from tests.ui.conftest import Browser, Console, run
from tests.ui.test_desk_views import NOW


def report(job_id: str = "job_1", *differences: Difference, now: str = "2") -> ReplayReport:
    return ReplayReport(
        job_id=job_id,
        job_status=JobStatus.COMPLETED,
        code_version="1",
        code_version_now=now,
        calls=1,
        replayed=1,
        end=ReplayEnd.COMPLETED,
        last="The handler returned.",
        differences=differences,
        at=NOW,
    )


def test_a_report_in_words() -> None:
    same = replay_view(report(now="1"))
    assert (same.title, same.tone, same.versions) == ("Nothing differs", "green", "")
    assert same.detail == "1 of 1 recorded call answered from the record. The handler returned."
    hidden = Difference(kind=DifferenceKind.OUTPUT, message="other", replayed="a\u202eb")
    found = replay_view(report("job_1", hidden))
    assert (found.title, found.tone) == ("1 difference", "amber")
    assert found.versions == "The handler's code has changed since: 1 → 2."
    assert "\u202e" not in found.rows[0].replayed


def test_it_is_offered_to_those_who_may_once_the_job_has_run(console: Console) -> None:
    operator, viewer = console.actor("operator"), console.actor("viewer")
    job_id = console.job()
    fresh = console.services.jobs.find(operator, job_id)
    assert "never run" in obstacle(operator, fresh)
    assert "jobs:control" in obstacle(viewer, fresh)
    start_worker(console.db)
    claim_one(console.db)
    assert obstacle(operator, console.services.jobs.find(operator, job_id)) == ""


def test_the_page_replays_and_shows_the_report(console: Console) -> None:
    job_id = console.job()
    start_worker(console.db)
    claim_one(console.db)
    asked: list[str] = []

    def replayer(wanted: str) -> ReplayReport:
        asked.append(wanted)
        return report(wanted)

    object.__setattr__(console.services, "replays", ReplayService(console.db, replayer))
    cookie = console.sign_in("operator")

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{job_id}") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "loaded"))
            assert browser.wire.value(JobPage, "refusals")["replay"] == ""
            await browser.send(Replay.start)
            assert browser.wire.value(Replay, "report").job_id == job_id
            assert browser.wire.value(Replay, "running") is False
            lines = browser.wire.value(JobPage, "happenings")
            await browser.until(
                lambda: browser.wire.value(JobPage, "happenings")[-1].title == "Replayed"
            )
            assert len(lines) >= 1
            await browser.send(Replay.close)
            assert browser.wire.value(Replay, "report").job_id == ""

    run(look())
    assert asked == [job_id]


def test_a_replay_that_is_refused_says_why(console: Console) -> None:
    job_id = console.job()
    console.services.jobs.control(local_operator("root"), job_id, "cancel")
    cookie = console.sign_in("operator")

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{job_id}") as browser:
            await browser.send(Replay.start)
            (notice,) = browser.wire.value(Session, "notices")
            assert notice.tone == "error"
            assert browser.wire.value(Replay, "running") is False

    run(look())
