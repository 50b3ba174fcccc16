"""Run commands in this process, on a database and folders of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

PASSWORD = "violet-anchor-meadow-47-lantern"


class Terminal:
    """Types commands and reads what they print."""

    def __call__(self, *words: str, stdin: str | None = None) -> Result:
        from agent_console.cli.app import app

        return CliRunner().invoke(app, list(words), input=stdin)

    def done(self, *words: str, stdin: str | None = None) -> str:
        """Return the standard output of a command that must succeed."""
        result = self(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str, stdin: str | None = None) -> Any:
        """Return the one JSON document a command prints."""
        return json.loads(self.done(*words, "--json", stdin=stdin))

    def refused(self, *words: str, stdin: str | None = None) -> str:
        """Return the message of a command that must fail as an error, not as wrong usage."""
        result = self(*words, stdin=stdin)
        assert result.exit_code == 1, result.output
        return result.stderr


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "data"))
    return Terminal()


@pytest.fixture
def on_each_database(
    database_url: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return terminal


Account = Callable[[str, str], str]


@pytest.fixture
def account(terminal: Terminal) -> Account:
    """Return a function that makes an account and returns its id."""

    def make(email: str, role: str) -> str:
        words = ("user", "create", "--email", email, "--role", role, "--password-stdin")
        made = terminal.json(*words, stdin=PASSWORD + "\n")
        return str(made["user"]["id"])

    return make
