from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.changes import (
    MAX_COLUMNS,
    MAX_LINES,
    FileChange,
    FileDiff,
    RawChange,
    RowsChange,
    RowsDiff,
    diff_file,
    render,
)
from agent_console.domain.jobs import Json
from agent_console.domain.linediff import opcodes

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  x"]), max_size=30)
ROWS = st.lists(st.fixed_dictionaries({"a": st.integers(0, 3), "b": st.booleans()}), max_size=15)


def _file(before: str | None, after: str | None) -> FileDiff:
    (diff,) = render([FileChange("src/a.py", before, after).to_json()])
    assert isinstance(diff, FileDiff)
    return diff


def _rows(before: Sequence[Json], after: Sequence[Json]) -> RowsDiff:
    (diff,) = render([RowsChange("Sort", before, after, 100, 90).to_json()])
    assert isinstance(diff, RowsDiff)
    return diff


def _texts(diff: FileDiff, *kinds: str) -> list[str]:
    return [line.text for line in diff.lines if line.kind in kinds]


def test_a_new_file_is_all_added() -> None:
    diff = _file(None, "one\ntwo\n")
    assert (diff.status, diff.added, diff.removed) == ("added", 2, 0)
    assert [(line.kind, line.old, line.new, line.text) for line in diff.lines] == [
        ("hunk", None, None, "@@ -0,0 +1,2 @@"),
        ("added", None, 1, "one"),
        ("added", None, 2, "two"),
    ]


def test_a_new_empty_file_is_still_a_change() -> None:
    diff = _file(None, "")
    assert (diff.status, diff.added, diff.lines) == ("added", 0, ())


def test_a_removed_file_is_all_removed() -> None:
    diff = _file("one\n", None)
    assert (diff.status, diff.added, diff.removed) == ("removed", 0, 1)


def test_the_same_text_is_no_change() -> None:
    assert _file("one\n", "one\n").status == "unchanged"


def test_hunks_have_three_lines_of_context() -> None:
    before = [f"line {n}" for n in range(1, 31)]
    after = [*before]
    after[9], after[24] = "ten", "twenty-five"
    diff = _file("\n".join(before) + "\n", "\n".join(after) + "\n")
    assert _texts(diff, "hunk") == ["@@ -7,7 +7,7 @@", "@@ -22,7 +22,7 @@"]
    assert _texts(diff, "context")[:6] == [f"line {n}" for n in (7, 8, 9, 11, 12, 13)]
    assert (_texts(diff, "removed"), _texts(diff, "added")) == (
        ["line 10", "line 25"],
        ["ten", "twenty-five"],
    )


def test_near_changes_share_a_hunk() -> None:
    before = [f"{n}" for n in range(12)]
    after = [*before]
    after[2], after[9] = "x", "y"
    assert len(_texts(_file("\n".join(before), "\n".join(after)), "hunk")) == 1


def test_a_missing_newline_at_the_end_is_said() -> None:
    diff = _file("one", "one\n")
    assert _texts(diff, "removed") == ["one ⟨no newline at end of file⟩"]
    assert _texts(diff, "added") == ["one"]


def test_windows_line_ends_are_quiet_where_consistent_and_shown_where_they_change() -> None:
    assert _texts(_file("one\r\n", "two\r\n"), "added") == ["two"]
    assert _texts(_file("one\n", "one\r\n"), "added") == ["one⟨U+000D⟩"]


def test_hidden_characters_are_shown_and_counted_in_text_and_path() -> None:
    (diff,) = render([FileChange("a\u200b.py", "x\n", "x\u202ey\n").to_json()])
    assert isinstance(diff, FileDiff)
    assert (diff.path, diff.hidden) == ("a⟨U+200B⟩.py", 2)
    assert _texts(diff, "added") == ["x⟨U+202E⟩y"]


def test_other_line_separators_do_not_break_lines() -> None:
    assert _texts(_file(None, "a\u2028b\x0cc\x85d\n"), "added") == ["a⟨U+2028⟩b⟨U+000C⟩c⟨U+0085⟩d"]


def test_a_long_diff_is_cut_and_says_so() -> None:
    diff = _file(None, "x\n" * 5_000)
    assert len(diff.lines) == MAX_LINES
    assert (diff.added, diff.truncated) == (5_000, 5_001 - MAX_LINES)
    whole = diff_file(FileChange("a", None, "x\n" * 5_000), max_lines=10_000)
    assert (len(whole.lines), whole.truncated) == (5_001, 0)


def test_a_long_line_is_cut_and_says_so() -> None:
    (line,) = _texts(_file(None, "x" * (MAX_COLUMNS + 1_234) + "\n"), "added")
    assert line.endswith("⟨1,234 more characters⟩")
    assert len(line) < MAX_COLUMNS + 40


def _replay(old: Sequence[str], new: Sequence[str]) -> list[str]:
    result: list[str] = []
    i = j = 0
    for op in opcodes(old, new):
        assert (op.i1, op.j1) == (i, j)
        if op.equal:
            assert old[op.i1 : op.i2] == new[op.j1 : op.j2]
        result += old[op.i1 : op.i2] if op.equal else new[op.j1 : op.j2]
        i, j = op.i2, op.j2
    assert (i, j) == (len(old), len(new))
    return result


@given(LINES, LINES)
def test_a_diff_turns_before_into_after(old: list[str], new: list[str]) -> None:
    assert _replay(old, new) == new


@given(LINES, LINES)
def test_all_changed_lines_are_shown(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old), "\n".join(new)
    diff = _file(before, after)
    assert len(_texts(diff, "added")) == diff.added
    assert len(_texts(diff, "removed")) == diff.removed
    grown = len(after.splitlines()) - len(before.splitlines())
    assert diff.added - diff.removed == grown


def _shuffled(count: int) -> list[str]:
    lines = [str(n) for n in range(count)]
    random.Random(7).shuffle(lines)
    return lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([f"l{n}" for n in range(50_000)], [f"l{n}" if n % 2 else f"m{n}" for n in range(50_000)]),
        ([str(n) for n in range(50_000)], _shuffled(50_000)),
        (["", "a"] * 25_000, ["", "b"] * 25_000),
        (["x"] * 50_000, ["x"] * 20_000 + ["y"] + ["x"] * 20_000),
    ],
    ids=["every-other-line", "shuffled", "blank-lines", "one-line-repeated"],
)
def test_big_diffs_stay_fast_and_right(old: list[str], new: list[str]) -> None:
    started = time.perf_counter()
    assert _replay(old, new) == new
    assert time.perf_counter() - started < 10  # difflib alone needs minutes for the first


def test_anchors_keep_a_big_diff_small() -> None:
    old = [f"l{n}" for n in range(20_000)]
    new = [*old[:5_000], "inserted", *old[5_000:15_000], *old[15_001:]]
    diff = _file("\n".join(old), "\n".join(new))
    assert (diff.added, diff.removed) == (1, 1)


def test_rows_are_aligned_and_their_cells_compared() -> None:
    before: list[Json] = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}, {"id": 3, "n": "c"}]
    after: list[Json] = [{"id": 1, "n": "A"}, {"id": 3, "n": "c"}]
    diff = _rows(before, after)
    assert diff.columns == ("id", "n")
    assert (diff.total_before, diff.total_after) == (100, 90)
    assert [(row.status, row.before, row.after, row.changed) for row in diff.rows] == [
        ("changed", ("1", "a"), ("1", "A"), (False, True)),
        ("removed", ("2", "b"), (), (True, True)),
        ("same", ("3", "c"), ("3", "c"), (False, False)),
    ]


def test_rows_of_equal_number_are_compared_one_to_one() -> None:
    diff = _rows(["a", "b"], ["A", "B"])
    assert diff.columns == ("value",)
    assert [(row.status, row.before, row.after) for row in diff.rows] == [
        ("changed", ("a",), ("A",)),
        ("changed", ("b",), ("B",)),
    ]


def test_types_are_told_apart_in_cells() -> None:
    (row,) = _rows([{"a": 1, "b": True, "c": None}], [{"a": "1", "b": 1, "c": "null"}]).rows
    assert row.before == ("1", "true", "null")
    assert row.after == ('"1"', "1", '"null"')
    assert row.changed == (True, True, True)


def test_an_absent_cell_is_not_null() -> None:
    (row,) = _rows([{"a": 1, "b": None}], [{"a": 1}]).rows
    assert (row.status, row.changed) == ("changed", (False, True))


def test_tables_are_bounded_and_say_so() -> None:
    wide: Json = {f"c{n}": n for n in range(80)}
    diff = _rows([wide] * 300, [])
    assert (len(diff.rows), diff.truncated) == (200, 100)
    assert (len(diff.columns), diff.columns_truncated) == (50, 30)


def test_hidden_characters_in_cells_and_titles_are_counted() -> None:
    (diff,) = render([RowsChange("t\u200b", [{"a\u202e": "x\x1b"}], []).to_json()])
    assert isinstance(diff, RowsDiff)
    assert (diff.title, diff.columns, diff.rows[0].before) == (
        "t⟨U+200B⟩",
        ("a⟨U+202E⟩",),
        ("x⟨U+001B⟩",),
    )
    assert diff.hidden == 3


@given(ROWS, ROWS)
def test_every_row_is_in_the_table_once(before: list[Json], after: list[Json]) -> None:
    rows = _rows(before, after).rows
    assert sum(bool(row.before) for row in rows) == len(before)
    assert sum(bool(row.after) for row in rows) == len(after)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"kind": "what"},
        {"kind": "file", "path": "a"},
        {"kind": "file", "path": 1, "before": "a", "after": "b"},
        {"kind": "file", "path": "a", "before": None, "after": None},
        {"kind": "file", "path": "a", "before": 1, "after": "b"},
        {"kind": "rows", "title": "t", "before": {}, "after": [], "totalBefore": 0},
    ],
)
def test_what_cannot_be_pictured_is_shown_raw(change: dict[str, Json]) -> None:
    (raw,) = render([change])
    assert isinstance(raw, RawChange)
    assert raw.truncated == 0


def test_raw_changes_are_revealed_and_bounded() -> None:
    (raw,) = render([{"kind": "\u202e", "text": "x" * 100_000}])
    assert isinstance(raw, RawChange)
    assert raw.hidden == 1
    assert "⟨U+202E⟩" in raw.text
    assert raw.truncated > 79_000
