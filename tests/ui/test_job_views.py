"""The timeline of a job: what its lines say and where they lead."""

from __future__ import annotations

from datetime import timedelta

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.records import Step
from agent_console.ui.components import review_build as build
from agent_console.ui.job_views import timeline
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
