"""The timeline of a job: what its lines say and where they lead."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import Job, JobStatus, Json
from agent_console.domain.records import Step
from agent_console.domain.usage import JobUsage, Usage
from agent_console.ui.components import review_build as build
from agent_console.ui.job_views import job_view, timeline
from tests.ui.test_desk_views import NOW, detail

LONG = "The price list is empty, " * 8


def step(kind: str, name: str) -> Step:
    return Step(
        job_id="job_1",
        position=1,
        kind=kind,
        name=name,
        result=None,
        attempt=1,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
    )


def test_a_note_is_told_whole_and_leads_to_its_checkpoint() -> None:
    note = detail(
        checkpoint_type=CheckpointType.INFO, status=CheckpointStatus.APPROVED, message=LONG
    ).checkpoint
    (line,) = timeline([], [step("info", LONG[:120])], [note])
    assert line.title == f"Note: {LONG}"
    assert line.href == "/admin/agent-checkpoints/chk_1"


def test_a_step_is_told_by_its_name() -> None:
    (line,) = timeline([], [step("step", "read the list")], [])
    assert (line.title, line.href) == ("Step: read the list", "")


def test_a_note_is_no_verdict() -> None:
    found = detail(
        id="chk_note", checkpoint_type=CheckpointType.INFO, status=CheckpointStatus.APPROVED
    )
    assert build.body(found).note
    assert build.ruling(found).tone == "gray"
    assert not build.body(detail()).note


def job(output: Any, **changes: Any) -> Job:
    """Return a completed job of a project."""
    plain: dict[str, Any] = {
        "id": "job_1", "job_type": "research", "status": JobStatus.COMPLETED,
        "task_description": "Look", "input_data": {}, "output_data": output,
        "project_id": "harbour & sea",
    }  # fmt: skip
    names = {one.name: None for one in fields(Job)}
    known = {"metadata": {}, "attempts": 1, "max_attempts": 3, "priority": 5, "run_at": NOW}
    return Job(**names | known | {"created_at": NOW, "updated_at": NOW} | plain | changes)


NOTHING = JobUsage(total=Usage(), models=())


@pytest.mark.parametrize(
    ("output", "changes", "leads"),
    [
        ({"findings": [{"claim": "x"}]}, {}, True),
        ({"findings": []}, {}, False),
        (None, {}, False),
        ({"findings": [{"claim": "x"}]}, {"project_id": None}, False),
        ({"findings": [{"claim": "x"}]}, {"status": JobStatus.FAILED}, False),
    ],
)
def test_approved_findings_lead_to_the_session_that_uses_them(
    output: Any, changes: dict[str, Any], leads: bool
) -> None:
    view = job_view(job(output, **changes), [], NOTHING)
    href = "/agents?agent=content&project=harbour+%26+sea&from=job_1"
    assert view.findings_href == (href if leads else "")
    assert bool(view.project_href) is ("project_id" not in changes)


def entry(action: str, **data: Json) -> JournalEntry:
    return JournalEntry(
        seq=1,
        at=NOW,
        action=action,
        actor_kind="worker",
        actor_id="w1",
        actor_name="w1",
        job_id="job_1",
        job_type="noop",
        checkpoint_id=None,
        subject_id=None,
        before="RUNNING",
        after="QUEUED",
        verdict=None,
        data=data,
    )


def test_a_sleep_says_for_how_long_and_what_may_end_it() -> None:
    for seconds, said in [(5400, "1 h 30 min"), (90_000, "1 d 1 h"), (2, "2 s"), (0, "a moment")]:
        until = (NOW + timedelta(seconds=seconds)).isoformat()
        (line,) = timeline([entry("job.sleeping", until=until)], [], [])
        assert (line.title, line.detail) == ("Asleep", f"for {said}")
        (line,) = timeline([entry("job.sleeping", until=until, callback=0)], [], [])
        assert line.detail == f"for {said}, or until called back"


def test_waits_are_told_once_by_the_journal() -> None:
    assert timeline([], [step("sleep", "5 s"), step("wait", "outcome")], []) == []
    (line,) = timeline([entry("job.called_back", position=0)], [], [])
    assert (line.title, line.tone) == ("Called back", "green")
