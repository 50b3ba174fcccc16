"""Comments on a checkpoint from the command line."""

from __future__ import annotations

from tests.cli.conftest import Account
from tests.cli.test_bulk_decide import Terminal, waiting  # noqa: F401 - the fixture


def test_what_is_said_is_listed(waiting: tuple[Terminal, list[str]], account: Account) -> None:  # noqa: F811
    terminal, (on, *_) = waiting
    ana = account("ana@example.com", "reviewer")
    assert terminal.done("checkpoints", "comments", on) == "Nobody has said anything.\n"
    made = terminal.json("checkpoints", "comment", on, "@ana@example.com look\nhere")["comment"]
    assert made["mentions"] == [ana]
    told = terminal.done("checkpoints", "comments", on)
    assert told.startswith(made["id"])
    assert told.splitlines()[1:] == ["  @ana@example.com look", "  here"]
    assert terminal.json("checkpoints", "comments", on)["comments"] == [made]
    assert "must not be empty" in terminal.refused("checkpoints", "comment", on, " ")
    assert "no checkpoint chk_x" in terminal.refused("checkpoints", "comments", "chk_x")
