from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus, CheckpointType
from agent_console.domain.images import ImageChange
from agent_console.domain.jobs import Job, JobStatus
from agent_console.services.review import CheckpointDetail
from agent_console.ui.components import review_build as build
from agent_console.ui.components.review_changes import change_views, summary
from agent_console.ui.components.review_json import MAX_DEPTH, MAX_NODES, json_document
from agent_console.ui.states.verdict_form import VerdictForm, parse_edited
from tests.unit.test_images import image

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def detail(**facts: Any) -> CheckpointDetail:
    point = {
        "id": "chk_1",
        "job_id": "job_1",
        "job_type": "code-generation",
        "job_status": JobStatus.WAITING,
        "position": 1,
        "checkpoint_type": CheckpointType.APPROVAL_REQUIRED,
        "status": CheckpointStatus.PENDING,
        "message": "May I?",
        "action": "Write 1 file",
        "data": {"n": 1},
        "changes": [],
        "findings": [],
        "metadata": {},
        "payload_digest": "d" * 64,
        "requested_by": "usr_1",
        "requested_by_name": "Omar",
        "decided_by": None,
        "decided_by_name": None,
        "decided_at": None,
        "rejection_reason": None,
        "feedback": None,
        "edited_data": None,
        "response": None,
        "editable": False,
        "expires_at": NOW + timedelta(hours=1),
        "created_at": NOW,
        "updated_at": NOW,
        "round": 1,
        "rounds": None,
        "previous_id": None,
    }
    values = point | {name: facts.pop(name) for name in set(facts) & set(point)}
    job = Job(
        id="job_1",
        job_type="code-generation",
        status=JobStatus.WAITING,
        task_description="Tidy up",
        input_data={},
        output_data=None,
        error=None,
        priority=5,
        user_id="usr_1",
        user_name="Omar",
        project_id=None,
        task_configuration=None,
        context_document_id=None,
        approval_strategy=None,
        attempts=1,
        max_attempts=3,
        run_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        started_at=NOW,
        completed_at=None,
        worker_id=None,
        code_version=None,
        park_reason=None,
        progress=None,
        metadata={},
    )
    rest: dict[str, Any] = {
        "job": job,
        "logs": [],
        "artifacts": [],
        "history": [],
        "edit_schema": None,
        "may_decide": True,
        "refusal": "",
        "self_approval": False,
        "changes_refusal": "",
        "chain": [],
        "previous": None,
        "since_last": [],
        "claim": None,
        "claim_own": False,
        "may_claim": True,
    }
    return CheckpointDetail(checkpoint=Checkpoint(**values), **(rest | facts))


def test_the_name_of_a_card_holds_job_type_and_message() -> None:
    assert build.body(detail()).label == "code-generation: May I?"


def test_hidden_characters_are_written_out_and_counted_wherever_they_are() -> None:
    shown = build.body(
        detail(
            message="safe\u202e!",
            action="Write\u200b 1 file",
            data={"k": "a\u2066b"},
            changes=[{"kind": "file", "path": "a.py", "before": "", "after": "x = '\u202e'\n"}],
        )
    )
    assert shown.message == "safe⟨U+202E⟩!"
    assert shown.message_note == "1 hidden character"
    assert shown.action == "Write⟨U+200B⟩ 1 file"
    assert shown.hidden_note == "3 hidden characters"
    assert "⟨U+202E⟩" in shown.changes[0].lines[-1].text
    assert "⟨U+2066⟩" in shown.data.nodes[0].text


def test_a_body_is_made_once_per_checkpoint_and_digest() -> None:
    assert build.body(detail()) is build.body(detail())
    assert build.body(detail(payload_digest="e" * 64, data=2)).data.nodes[0].text == "2"


@pytest.mark.parametrize(
    ("facts", "headline"),
    [
        ({}, ""),
        ({"status": CheckpointStatus.APPROVED, "decided_by_name": "Rita"}, "Approved by Rita"),
        ({"status": CheckpointStatus.REJECTED, "decided_by_name": "Rita"}, "Rejected by Rita"),
        ({"status": CheckpointStatus.EXPIRED}, "Expired: nobody decided in time"),
        (
            {"status": CheckpointStatus.APPROVED, "checkpoint_type": CheckpointType.INFO},
            "For your information: nobody has to decide",
        ),
    ],
)
def test_a_ruling_says_who_and_what(facts: dict[str, Any], headline: str) -> None:
    ruling = build.ruling(detail(**facts))
    assert ruling.headline == headline
    assert ruling.pending is (not facts)


def test_file_diffs_carry_numbers_and_signs() -> None:
    before, after = "a\nb\nc\n", "a\nB\nc\n"
    views, hidden = change_views(
        [{"kind": "file", "path": "x.txt", "before": before, "after": after}]
    )
    lines = [(line.old, line.new, line.sign, line.text) for line in views[0].lines[1:]]
    minus = "\N{MINUS SIGN}"
    assert lines == [
        ("1", "1", "", "a"),
        ("2", "", minus, "b"),
        ("", "2", "+", "B"),
        ("3", "3", "", "c"),
    ]
    assert (views[0].added, views[0].removed, hidden) == ("+1", f"{minus}1", 0)


def test_changed_rows_are_printed_before_and_after_with_the_changed_cells_marked() -> None:
    change = {
        "kind": "rows",
        "title": "people",
        "before": [{"name": "ada", "n": 1}, {"name": "bob", "n": 2}],
        "after": [{"name": "Ada", "n": 1}, {"name": "bob", "n": 2}],
        "totalBefore": 2,
        "totalAfter": 2,
    }
    (view,), _ = change_views([change])
    assert [record.word for record in view.records] == ["before", "after", "unchanged"]
    marks = [["changed" in cell.css for cell in record.cells] for record in view.records]
    assert marks == [[True, False], [True, False], [False, False]]
    assert [column.css for column in view.columns] == ["", "rowdiff-number"]
    assert summary([view]) == "1 table of rows"


def test_images_are_told_by_their_bytes_and_come_from_the_console() -> None:
    before, after = image(2, 1), image(300, 200, "JPEG")
    change = ImageChange("Logo\u200b", before, after).to_json()
    shown = build.body(detail(id="chk_logo", changes=[change]))
    (view,) = shown.changes
    address = f"/api/agent-checkpoints/{shown.id}/images/0"
    assert (view.kind, view.word, shown.summary) == ("image", "replaced image", "1 image")
    assert [one.src for one in view.images] == [f"{address}/before", f"{address}/after"]
    assert [one.facts for one in view.images] == [
        f"2 × 1 pixels, {len(before)} bytes, PNG",
        f"300 × 200 pixels, {len(after):,} bytes, JPEG",
    ]
    assert view.images[1].alt == "Logo⟨U+200B⟩, after"
    assert not shown.uninspectable


def test_bytes_that_are_no_image_are_not_shown_and_said_to_be_so() -> None:
    change = ImageChange("Logo", None, b"<svg onload='x()'/>").to_json()
    shown = build.body(detail(id="chk_svg", changes=[change]))
    ((one,),) = (view.images for view in shown.changes)
    assert (one.src, shown.uninspectable) == ("", True)
    assert one.problem.startswith("19 bytes that are no PNG")


def test_files_that_changed_since_are_named_a_few_at_most() -> None:
    assert build.ruling(detail()).moved == ""
    assert build.moved(["a\u202e.py"]) == "a⟨U+202E⟩.py"
    assert build.moved(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_what_cannot_be_pictured_says_so() -> None:
    views, _ = change_views([{"kind": "teleport"}])
    assert views[0].kind == "raw"
    assert build.body(detail(changes=[{"kind": "teleport"}], message="raw")).uninspectable


def test_json_keeps_numbers_exact_and_folds() -> None:
    big = 12345678901234567890123456789
    view = json_document({"n": big, "list": [1, {"deep": None}], "empty": {}})
    assert view.nodes[0].text == str(big)
    assert json.loads(view.text)["n"] == big
    assert view.nodes[1].text == "2 items"
    assert view.nodes[1].children[1].children[0].kind == "null"
    assert (view.nodes[2].text, view.nodes[2].children) == ("{}", [])


def test_json_too_deep_or_too_long_for_a_tree_is_still_shown_whole() -> None:
    deep: Any = "bottom"
    for _ in range(MAX_DEPTH + 5):
        deep = [deep]
    node = json_document({"deep": deep}).nodes[0]
    while node.children:
        node = node.children[0]
    assert "bottom" in node.text
    long = json_document(list(range(MAX_NODES + 1)))
    assert long.nodes == []
    assert str(MAX_NODES) in long.text


@pytest.mark.parametrize("empty", [None, {}, []])
def test_json_that_is_not_there_has_no_text(empty: Any) -> None:
    assert json_document(empty).text == ""


def test_a_form_from_a_browser_may_hold_anything() -> None:
    assert VerdictForm.read("nonsense") == VerdictForm.read(None)
    said = VerdictForm.read({"reason": "  because  ", "feedback": 3, "checkpoint_id": ["x"]})
    assert (said.reason, said.feedback, said.checkpoint_id) == ("because", "", "")


@pytest.mark.parametrize("text", ["", "{", "NaN", "null", "[1,]", "[" * 100_000])
def test_edits_that_are_no_json_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"\."):
        parse_edited(text)


def test_edits_keep_integers_exact() -> None:
    assert parse_edited('{"n": 12345678901234567890}') == {"n": 12345678901234567890}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["Ana"], "Ana is looking at this"),
        (["Ana", "Ben"], "Ana and Ben are looking at this"),
        (["Ana", "Ben", "Cy"], "Ana, Ben and 1 other are looking at this"),
        (["Ana", "Ben", "Cy", "Di"], "Ana, Ben and 2 others are looking at this"),
    ],
)
def test_who_else_looks_is_one_sentence(names: list[str], said: str) -> None:
    assert build.watched(names) == said
