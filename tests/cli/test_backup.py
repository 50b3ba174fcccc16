"""``backup`` and ``restore`` as they are typed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal


def test_a_console_moves_to_another_folder(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.done("demo", "--here")
    file = tmp_path / "b.zip"
    made = terminal.json("backup", str(file))
    assert made["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (made["tables"]["ai_jobs"], made["files"], made["secrets"]) == (1, 2, False)
    assert "is whole" in terminal.done("restore", "--check", str(file))
    assert "not empty" in terminal.refused("restore", str(file))

    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "new"))
    done = terminal("restore", str(file))
    assert done.exit_code == 0, done.output
    assert "is restored" in done.stdout
    assert "signs in again" in done.stderr
    (job,) = terminal.json("jobs", "list")["jobs"]
    shown = terminal.json("jobs", "show", job["id"])["job"]
    assert (shown["status"], len(shown["artifacts"])) == ("COMPLETED", 2)
    greeting = tmp_path / "new" / "workspace" / "hello" / "greeting.py"
    assert "Hello" in greeting.read_text("utf-8")
    assert terminal.json("verify")["passed"] is True


def test_a_dated_name_is_made_up_here(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.done("db", "upgrade")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = Path(terminal.json("backup")["file"])
    assert [each.name for each in Path.cwd().iterdir()] == [file.name]
    assert file.name.startswith("agent-console-20")


def test_what_is_left_out_is_said(terminal: Terminal, tmp_path: Path) -> None:
    terminal.done("db", "upgrade")
    folder = tmp_path / "data" / "workspace"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to("/etc/passwd")
    done = terminal("backup", str(tmp_path / "b.zip"))
    assert "no plain file: link" in done.stderr
    assert done.exit_code == 0


def test_files_and_secrets_are_a_choice(on_each_database: Terminal, tmp_path: Path) -> None:
    terminal = on_each_database
    terminal.done("secrets", "set", "name", stdin="canary")
    made = terminal.json("backup", str(tmp_path / "b.zip"), "--no-workspace", "--with-secrets")
    assert (made["files"], made["secrets"]) == (None, True)
    terminal.done("restore", str(tmp_path / "b.zip"), "--replace")
    assert terminal.done("secrets", "get", "name") == "canary\n"
    kept = [path.name for path in (tmp_path / "data").glob("keystore.json.before-restore-*")]
    assert len(kept) == 1
