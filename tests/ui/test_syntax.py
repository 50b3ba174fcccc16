"""Colours are ranges beside a text, and say nothing where there is any doubt."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.ui import syntax
from agent_console.ui.components.change_models import ChangeView
from agent_console.ui.components.review_changes import change_views
from agent_console.ui.syntax import MAX_LINE, MAX_TEXT, colours, language

RANGE = re.compile(r"([kscnft])(\d+),(\d+)")
SOURCE = 'def total(lines):\n    """Sum."""\n    return 1 + len(lines)  # all\n'
PATHS = st.sampled_from(["a.py", "a.js", "a.ts", "a.json", "a.yaml", "a.html", "a.sh", "a.sql"])
PIECES = st.sampled_from(
    ["def f(", '"""', "'", "/*", "*/", "#", "\n", "\r\n", "<a>", "1", "é", "😀"]
)


def named(text: str, told: str, kind: str) -> list[str]:
    return [text[int(at) : int(at) + int(n)] for k, at, n in RANGE.findall(told) if k == kind]


def test_keywords_strings_comments_and_names_are_told_apart() -> None:
    first, second, third, last = colours("a.py", SOURCE)
    lines = SOURCE.split("\n")
    assert named(lines[0], first, "k") == ["def"]
    assert named(lines[0], first, "f") == ["total"]
    assert named(lines[1], second, "s") == ['"""Sum."""']
    assert named(lines[2], third, "n") == ["1"]
    assert named(lines[2], third, "c") == ["# all"]
    assert last == ""


def test_a_string_over_several_lines_is_one_on_each_of_them() -> None:
    assert colours("a.py", 'x = """one\ntwo"""\n')[1] == "s0,6"


@given(PATHS, st.lists(PIECES, max_size=30).map("".join))
def test_ranges_lie_within_their_lines_in_order_and_apart(path: str, text: str) -> None:
    found = colours(path, text)
    assert len(found) in {0, len(text.split("\n"))}
    for line, told in zip(text.split("\n"), found, strict=False):
        at = 0
        for _, start, length in RANGE.findall(told):
            assert at <= int(start) < int(start) + int(length) <= len(line)
            at = int(start) + int(length)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", None),
        ("a.py", ""),
        ("a.unknown", "def f(): pass\n"),
        ("README", "def f(): pass\n"),
        ("a.py", "x = 1\n" * MAX_TEXT),
        ("a.py", "x" * (MAX_LINE + 1)),
    ],
)
def test_there_is_no_colour_on_any_doubt(path: str, text: str | None) -> None:
    assert colours(path, text) == []


def test_what_takes_too_long_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "MAX_SECONDS", -1.0)
    assert colours("a.py", SOURCE) == []


def test_places_that_browsers_count_otherwise_have_no_colour() -> None:
    assert colours("a.py", "x = '😀'; y = 1\ny = 1\n")[0] == ""
    assert colours("a.py", "x = '😀'; y = 1\ny = 1\n")[1] == "n4,1"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/A.PY", "python"),
        ("a/Dockerfile", "docker"),
        ("b\\c.tsx", "typescript"),
        ("py", "python"),
    ],
)
def test_the_language_is_that_of_the_name(path: str, name: str) -> None:
    assert language(path) == name


def shown(path: str, before: str | None, after: str | None) -> ChangeView:
    (view,), _ = change_views([{"kind": "file", "path": path, "before": before, "after": after}])
    return view


def test_lines_of_a_diff_carry_the_colours_of_the_side_they_are_of() -> None:
    view = shown("a.py", "x = 1\ny = 'a'\n", "x = 1\ny = 22\n")
    assert [line.colours for line in view.lines[1:]] == ["n4,1", "s4,3", "n4,2"]


def test_a_line_that_is_not_shown_to_the_letter_has_no_colour() -> None:
    view = shown("a.py", None, "x = 1 # \u202e\ny = 1\nz = 1")
    assert [line.colours for line in view.lines[1:]] == ["", "n4,1", ""]


@given(st.lists(PIECES, max_size=20).map("".join), st.lists(PIECES, max_size=20).map("".join))
def test_neither_colours_nor_marks_change_a_text(before: str, after: str) -> None:
    coloured, plain = shown("a.py", before, after), shown("a.unknown", before, after)
    assert [line.text for line in coloured.lines] == [line.text for line in plain.lines]
    for line in coloured.lines:
        assert not line.parts or "".join(part.text for part in line.parts) == line.text


def test_prose_has_no_colours_and_a_new_file_no_two_sides() -> None:
    assert {line.colours for line in shown("a.md", "# a\n", "# b\n").lines} == {""}
    assert shown("a.py", None, "x = 1\n").pairs == []
    (_, row) = shown("a.py", "x = 1\n", "x = 2\n").pairs
    assert (row.left, row.right, row.hunk) == (1, 2, False)
