from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.changes import FileChange
from agent_console.domain.clock import SystemClock
from agent_console.domain.records import Artifact, ArtifactType
from agent_console.domain.versions import change_of, kind_text, round_of, versions_of


def made(content: str = "", name: str = "a.txt", **metadata: Any) -> Artifact:
    return Artifact(
        id="art_1",
        job_id="job_1",
        name=name,
        artifact_type=ArtifactType.FILE,
        media_type="text/plain",
        content=content,
        size=len(content),
        digest="",
        metadata=metadata,
        created_at=SystemClock().now(),
    )


@pytest.mark.parametrize(
    ("facts", "labels"),
    [
        ([{}], ["Version 1"]),
        ([{}, {}], ["Version 1", "Version 2"]),
        ([{"round": 1}, {"round": 3}], ["Round 1", "Round 3"]),
        ([{"round": 1}, {"round": 1, "editedBy": "Ray"}], ["Round 1", "Round 1, as edited"]),
        ([{"round": 1}, {"round": 1}], ["Version 1", "Version 2"]),
        ([{"round": True}, {"round": "2"}], ["Version 1", "Version 2"]),
        ([{"round": 1}, {}], ["Round 1", "Version 2"]),
    ],
)
def test_every_version_has_a_label_of_its_own(
    facts: list[dict[str, Any]], labels: list[str]
) -> None:
    assert [one.label for one in versions_of([made(**one) for one in facts])] == labels


def test_only_whole_numbers_are_rounds() -> None:
    assert [round_of({"round": one}) for one in (2, True, "2", 2.0, None)] == [2, *[None] * 4]


def test_a_file_is_what_the_latest_fitting_approval_made_of_it() -> None:
    def change(before: str | None, after: str, path: str = "a.txt") -> dict[str, Any]:
        return FileChange(path, before, after).to_json()

    proposals = [
        [change("0", "1")],
        [change(None, "1", "b.txt"), change("x", "1")],
        [change("1", "2")],
    ]
    assert change_of(made("1"), proposals) == FileChange("a.txt", "x", "1")
    assert change_of(made("2"), proposals) == FileChange("a.txt", "1", "2")
    assert change_of(made("3"), proposals) is None
    assert change_of(made("1", name="c.txt"), proposals) is None
    assert (
        change_of(made("1"), [[{"kind": "rows"}, {"kind": "file", "path": "a.txt", "after": 5}]])
        is None
    )
    assert change_of(made("1", name="b.txt"), proposals) == FileChange("b.txt", None, "1")


def test_a_later_round_is_named_beside_the_type() -> None:
    assert [kind_text(made(**one)) for one in ({}, {"round": 1}, {"round": 2})] == [
        "file",
        "file",
        "file · Round 2",
    ]
