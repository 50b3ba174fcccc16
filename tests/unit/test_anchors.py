"""Lines that are spoken of: named, refused by field, and found again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.anchors import (
    MAX_KEPT,
    Anchor,
    Place,
    anchored,
    found_again,
    in_words,
    named,
)
from agent_console.domain.changes import FileChange, FileDiff, RowsChange, TextChange, render
from agent_console.domain.errors import Invalid
from agent_console.domain.images import Side

CHANGES = [
    RowsChange("a.py", [1], [2]).to_json(),
    FileChange("a.py", "one\r\ntwo\u2028still two\n", "one\n" + "x" * 2_000).to_json(),
    FileChange("new.py", None, "first\n").to_json(),
    TextChange("Draft", "Dear all", "Dear all,\n\nbye\n").to_json(),
    FileChange("a.py", "twin", "twin").to_json(),
    {"kind": "file", "path": 7, "before": "", "after": ""},
]


def at(path: str, side: Side, line: int) -> Anchor:
    return anchored(CHANGES, Place(path=path, side=side, line=line))


def test_a_line_is_kept_as_it_reads_on_its_side() -> None:
    assert at("a.py", "before", 1).text == "one"
    assert at("a.py", "before", 2).text == "two\u2028still two"
    assert at("a.py", "after", 2).text == "x" * MAX_KEPT
    assert at("Draft", "after", 2).text == ""
    assert in_words(at("new.py", "after", 1)) == "new.py, line 1, new"
    assert in_words(Place(path="a", side="before", line=1200)) == "a, line 1,200, old"
    assert named(CHANGES) == {"a.py": 1, "new.py": 2, "Draft": 3}


@pytest.mark.parametrize(
    ("path", "side", "line", "field"),
    [
        ("b.py", "after", 1, "anchor.path"),
        ("a.py", "beside", 1, "anchor.side"),
        ("new.py", "before", 1, "anchor.side"),
        ("a.py", "before", 3, "anchor.line"),
        ("a.py", "before", 0, "anchor.line"),
        ("a.py", "before", -1, "anchor.line"),
    ],
)
def test_what_is_not_there_is_refused_by_name(path: str, side: Side, line: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        at(path, side, line)
    assert [one.field for one in refused.value.fields] == [field]


@pytest.mark.parametrize(
    ("text", "after", "now"),
    [
        ("b", "a\nb\nc\n", 2),
        ("b", "new\na\nb\nc\n", 3),  # moved
        ("b", "b\nx\nx\nb\nb\n", 1),  # of several the nearest
        ("b", "a\nB\n", None),
        ("", "a\n\n", 2),
        ("", "\na\n", None),  # any empty line is like any other
        ("b", None, None),
    ],
)
def test_a_line_is_found_again_where_it_reads_so(
    text: str, after: str | None, now: int | None
) -> None:
    anchor = Anchor(path="f", side="after", line=2, text=text)
    assert found_again([FileChange("f", "b", after).to_json()], anchor) == now
    assert found_again([FileChange("g", "b", after).to_json()], anchor) is None


TEXTS = st.text(alphabet="ab\n\r\u2028", max_size=40)


@given(TEXTS, TEXTS)
def test_every_line_of_a_difference_can_be_spoken_of(before: str, after: str) -> None:
    change = FileChange("f", before, after).to_json()
    (diff,) = render([change])
    assert isinstance(diff, FileDiff)
    for line in diff.lines:
        if line.old is not None:
            anchored([change], Place(path="f", side="before", line=line.old))
        if line.new is not None:
            made = anchored([change], Place(path="f", side="after", line=line.new))
            if made.text.strip():
                assert found_again([change], made) == line.new
