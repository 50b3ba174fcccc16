"""The gate names every line that says that work is left, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from agent_console.domain.risk import Proposal, assess
from agent_console.domain.risk_rules import STANDARD
from tests.cli.conftest import Terminal

ROOT = Path(__file__).resolve().parents[2]
# Written with a hyphen: the words themselves are refused in the sources.
MARKERS = [word.replace("-", "") for word in ("TO-DO", "FIX-ME", "XX-X", "HA-CK", "TB-D")]
UNWRITTEN = "raise Not" + "ImplementedError"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder the command is started in, with one clean file."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "clean.py").write_text("tokens = 1  # all is done\n", "utf-8")
    monkeypatch.chdir(folder)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def test_a_finished_tree_passes(tree: Path, terminal: Terminal) -> None:
    assert terminal.done("markers", "check", str(tree)).startswith("PASS")
    assert terminal.done("markers", "check").startswith("PASS")


@pytest.mark.parametrize(
    "line", [*(f"x = 1  # {marker}: the rest" for marker in MARKERS), UNWRITTEN]
)
def test_every_kind_of_marker_fails_with_file_line_and_advice(
    line: str, tree: Path, terminal: Terminal
) -> None:
    write(tree, "pkg/app.py", f"a = 1\n\n{line}\n")
    result = terminal("markers", "check")
    assert result.exit_code == 1
    assert result.stdout.startswith("pkg/app.py:3: ")
    assert line in result.stdout
    assert "1 line(s) in 1 file(s)" in result.stderr
    assert "pyproject.toml" in result.stderr


def test_the_gate_and_the_review_card_agree(tree: Path, terminal: Terminal) -> None:
    lines = [f"# {marker}" for marker in MARKERS] + [UNWRITTEN, "done = True", "# todo list"]
    write(tree, "app.py", "\n".join(lines))
    change = {"kind": "file", "path": "app.py", "before": None, "after": "\n".join(lines)}
    card = {
        finding.location
        for finding in assess(Proposal(changes=[change]), STANDARD)
        if finding.rule == "unfinished-work"
    }
    gate = terminal("markers", "check", "--json")
    assert {f"app.py:{n}" for n in range(1, 7)} == card
    assert {f"{m['path']}:{m['line']}" for m in json.loads(gate.stdout)["markers"]} == card
    assert json.loads(gate.stdout)["passed"] is False


def test_warn_only_tells_and_passes(tree: Path, terminal: Terminal) -> None:
    write(tree, "app.py", f"# {MARKERS[0]}\n")
    result = terminal("markers", "check", "--warn-only")
    assert result.exit_code == 0
    assert "app.py:1: " in result.stdout
    assert "WARNING" in result.stderr


def test_the_project_says_what_to_leave_out_where_to_look_and_whether_to_fail(
    tree: Path, terminal: Terminal
) -> None:
    for name in ("src/app.py", "src/words.py", "elsewhere/app.py"):
        write(tree, name, f"# {MARKERS[0]}\n")
    table = '[tool.agent-console.markers]\npaths = ["src"]\nexclude = ["*/words.py"]\n'
    write(tree, "pyproject.toml", table)
    result = terminal("markers", "check")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if "py:" in line] == [
        f"src/app.py:1: The marker {MARKERS[0]} says that this is not finished."
    ]
    assert terminal("markers", "check", "--exclude", "src/*").exit_code == 0
    write(tree, "pyproject.toml", table + "warn-only = true\n")
    assert terminal("markers", "check").exit_code == 0


def test_a_wrong_rule_and_a_missing_path_are_named(tree: Path, terminal: Terminal) -> None:
    assert "nowhere does not exist" in terminal.refused("markers", "check", "nowhere")
    write(tree, "pyproject.toml", '[tool.agent-console.markers]\nexclude = "one"\n')
    assert "exclude is a list of texts" in terminal.refused("markers", "check")


def test_hidden_and_binary_files_are_not_source(tree: Path, terminal: Terminal) -> None:
    write(tree, ".cache/note.py", f"# {MARKERS[0]}\n")
    write(tree, "node_modules/x/index.js", f"// {MARKERS[0]}\n")
    (tree / "picture.bin").write_bytes(b"\0" + MARKERS[0].encode())
    (tree / "loop").symlink_to(tree)
    assert terminal.done("markers", "check").startswith("PASS")


def test_in_a_git_work_tree_what_git_ignores_is_left_out(tree: Path, terminal: Terminal) -> None:
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    write(tree, ".gitignore", "build/\n")
    write(tree, "build/out.py", f"# {MARKERS[0]}\n")
    write(tree, "new.py", f"# {MARKERS[0]}\n")
    result = terminal("markers", "check")
    assert result.exit_code == 1
    assert "new.py:1: " in result.stdout
    assert "build/out.py" not in result.stdout


def test_what_a_line_hides_is_shown_as_escapes(tree: Path, terminal: Terminal) -> None:
    write(tree, "app.py", f"# {MARKERS[0]} \u202e\x1b[31m gone\n")
    output = terminal("markers", "check").stdout
    assert "\x1b" not in output
    assert "⟨U+202E⟩" in output


def test_the_projects_own_sources_pass(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert terminal.done("markers", "check").startswith("PASS")
