from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_console.domain.changes import FileDiff, render
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointType,
    Round,
    changes_refusal,
)
from agent_console.domain.jobs import JobStatus
from agent_console.domain.rounds import chain_of, difference, outline

AT = datetime(2026, 3, 1, tzinfo=UTC)


def point(data: Any = None, changes: Any = (), **more: Any) -> Checkpoint:
    return Checkpoint(
        id="chk_1",
        job_id="job_1",
        job_type="write",
        job_status=JobStatus.WAITING,
        position=0,
        checkpoint_type=CheckpointType.APPROVAL_REQUIRED,
        status=CheckpointStatus.PENDING,
        message="May I?",
        action="write",
        data=data,
        changes=list(changes),
        metadata={},
        payload_digest="0" * 64,
        requested_by=None,
        requested_by_name=None,
        decided_by=None,
        decided_by_name=None,
        decided_at=None,
        rejection_reason=None,
        feedback=None,
        edited_data=None,
        response=None,
        editable=False,
        expires_at=None,
        created_at=AT,
        updated_at=AT,
        **more,
    )


def file(path: str, after: str | None, before: str | None = None) -> dict[str, Any]:
    return {"kind": "file", "path": path, "before": before, "after": after}


@pytest.mark.parametrize(
    ("number", "rounds", "said"),
    [
        (1, None, "does not propose in rounds"),
        (1, 2, ""),
        (2, 3, ""),
        (2, 2, "round 2 of 2, the last one"),
        (4, 3, "round 4 of 3, the last one"),  # the handler thought better of how many
    ],
)
def test_changes_can_be_requested_until_the_last_round(
    number: int, rounds: int | None, said: str
) -> None:
    refusal = changes_refusal(point(round=number, rounds=rounds))
    assert said in refusal
    assert bool(refusal) is bool(said)


def test_an_outline_breaks_texts_at_their_own_lines() -> None:
    draft = {"title": "T", "parts": [{"text": "one\ntwo"}, 7, []], "none": None, "empty": ""}
    assert outline(draft).splitlines() == [
        "title: T",
        "parts:",
        "  -",
        "    text:",
        "      one",
        "      two",
        "  - 7",
        "  - []",
        "none: null",
        "empty:",
    ]
    assert outline("a\nb") == "  a\n  b\n"
    assert outline(12345678901234567890) == "12345678901234567890\n"


def test_the_same_proposal_differs_in_nothing() -> None:
    one = point({"n": 1}, [file("a.txt", "x\n")])
    assert difference(one, replace(one, id="chk_2")) == []


def test_the_data_differ_line_by_line() -> None:
    before, now = point({"text": "one\ntwo\nthree"}), point({"text": "one\n2\nthree"})
    (picture,) = render(difference(before, now))
    assert isinstance(picture, FileDiff)
    assert (picture.path, picture.added, picture.removed) == ("data", 1, 1)
    assert [line.text for line in picture.lines if line.kind == "added"] == ["  2"]


def test_files_are_compared_as_they_were_proposed() -> None:
    rows = {"kind": "rows", "title": "r", "before": [], "after": []}
    before = point(None, [file("kept", "k\n"), file("changed", "a\n"), file("gone", "g\n"), rows])
    now = point(None, [file("kept", "k\n"), file("changed", "b\n"), file("new", "n\n")])
    found = {one["path"]: (one["before"], one["after"]) for one in difference(before, now)}
    assert found == {"changed": ("a\n", "b\n"), "gone": ("g\n", None), "new": (None, "n\n")}


def test_a_chain_is_what_was_sent_back_and_proposed_again() -> None:
    def one(number: int) -> Round:
        return Round(
            id=f"chk_{number}",
            round=1,
            status=CheckpointStatus.CHANGES_REQUESTED,
            said="",
            decided_by_name=None,
            decided_at=None,
            created_at=AT,
        )

    linked = [(one(1), None), (one(2), "chk_1"), (one(3), None), (one(4), "chk_2"), (one(5), None)]
    assert [each.id for each in chain_of(linked, "chk_2")] == ["chk_1", "chk_2", "chk_4"]
    assert chain_of(linked, "chk_4") == chain_of(linked, "chk_1")
    assert chain_of(linked, "chk_3") == []
    assert chain_of(linked, "chk_nowhere") == []
