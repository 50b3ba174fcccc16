"""The timeline of a job: what its lines say and where they lead."""

from __future__ import annotations

from datetime import timedelta

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import Json
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
