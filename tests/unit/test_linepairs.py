"""Rows side by side and marked words: nothing is lost, nothing is out of order."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.changes import FileChange, FileDiff, TextChange, diff_file, render
from agent_console.domain.linepairs import changed_words, pair_run

LINE = st.text(st.sampled_from("ab (=).\té😀"), max_size=12)
LINES = st.lists(LINE, max_size=12)


@given(LINES, LINES)
def test_every_line_is_in_one_row_and_in_its_order(removed: list[str], added: list[str]) -> None:
    rows, kin = pair_run(removed, added)
    assert [was for was, _ in rows if was is not None] == list(range(len(removed)))
    assert [now for _, now in rows if now is not None] == list(range(len(added)))
    assert {*kin} <= {*rows}


@given(LINES, LINES)
def test_rows_side_by_side_hold_the_lines_of_the_unified_diff(
    old: list[str], new: list[str]
) -> None:
    diff = diff_file(FileChange("a.py", "\n".join(old), "\n".join(new)))
    left = [diff.lines[was] for was, _ in diff.pairs if was is not None]
    right = [diff.lines[now] for _, now in diff.pairs if now is not None]
    assert left == [line for line in diff.lines if line.kind != "added"]
    assert right == [line for line in diff.lines if line.kind != "removed"]
    for was, now in diff.pairs:
        if was is not None and now is not None and was != now:
            assert (diff.lines[was].kind, diff.lines[now].kind) == ("removed", "added")


@given(LINE, LINE)
def test_what_is_not_marked_is_the_same_on_both_sides(old: str, new: str) -> None:
    left, right = changed_words(old, new)
    assert _kept(old, left) == _kept(new, right)
    for marks, text in ((left, old), (right, new)):
        assert all(0 <= start < end <= len(text) for start, end in marks)
        assert all(before[1] <= after[0] for before, after in pairwise(marks))


def _kept(text: str, marks: list[tuple[int, int]]) -> str:
    """Return what is not marked, without its spaces: those between two marks belong to them."""
    places = {place for start, end in marks for place in range(start, end)}
    return "".join(char for n, char in enumerate(text) if n not in places and not char.isspace())


def test_a_renamed_word_is_marked_and_no_other() -> None:
    diff = diff_file(FileChange("a.py", "total = price * count\n", "total = price * amount\n"))
    removed, added = diff.lines[1:]
    assert [removed.text[slice(*mark)] for mark in removed.marks] == ["count"]
    assert [added.text[slice(*mark)] for mark in added.marks] == ["amount"]


def test_a_line_put_before_a_changed_one_does_not_shift_the_pairs() -> None:
    diff = diff_file(FileChange("a", "rate = 0.19\n", "import decimal\nrate = 0.20\n"))
    rows = [(_text(diff, was), _text(diff, now)) for was, now in diff.pairs[1:]]
    assert rows == [("", "import decimal"), ("rate = 0.19", "rate = 0.20")]


def _text(diff: FileDiff, place: int | None) -> str:
    return "" if place is None else diff.lines[place].text


def test_lines_that_have_nothing_in_common_share_a_row_without_marks() -> None:
    diff = diff_file(FileChange("a", "alpha\n", "omega + 1\n"))
    assert diff.pairs[1:] == ((1, 2),)
    assert [line.marks for line in diff.lines] == [(), (), ()]


def test_a_long_rewrite_stays_fast() -> None:
    old = "".join(f"value_{n} = compute({n}, self, {n * 7})\n" for n in range(900))
    started = time.perf_counter()
    diff = diff_file(FileChange("a.py", old, old.replace("self", "this")))
    assert time.perf_counter() - started < 3
    assert len(diff.pairs) == 901
    assert all(line.marks for line in diff.lines[1:])


@pytest.mark.parametrize(("path", "prose"), [("docs/a.md", True), ("a.TXT", True), ("a.py", False)])
def test_a_file_is_prose_by_its_ending(path: str, prose: bool) -> None:
    assert diff_file(FileChange(path, "a\n", "b\n")).prose is prose


def test_a_text_is_prose_whatever_it_is_called() -> None:
    (diff,) = render([TextChange("Draft v1.py", "One word.\n", "One other word.\n").to_json()])
    assert isinstance(diff, FileDiff)
    assert (diff.prose, diff.path, diff.status) == (True, "Draft v1.py", "modified")
    assert [diff.lines[2].text[slice(*mark)].strip() for mark in diff.lines[2].marks] == ["other"]
