"""Comments on a checkpoint from the command line."""

from __future__ import annotations

import json

from agent_console.domain.changes import FileChange
from agent_console.store.database import Database
from tests.cli.conftest import Account, Terminal
from tests.cli.test_bulk_decide import waiting  # noqa: F401 - the fixture
from tests.support.runs import waiting_many


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


def test_reviews_are_exported_a_line_each(waiting: tuple[Terminal, list[str]]) -> None:  # noqa: F811
    terminal, (first, second, _) = waiting
    terminal.done("checkpoints", "comment", first, "fine by me")
    terminal.done("checkpoints", "approve", first)
    terminal.done("checkpoints", "reject", second, "--reason", "not this one")
    told = terminal.done("checkpoints", "export", "--since", "2020-01-01", "--format", "jsonl")
    lines = {one["id"]: one for one in map(json.loads, told.splitlines())}
    assert {one: lines[one]["verdict"] for one in lines} == {first: "APPROVED", second: "REJECTED"}
    assert [one["body"] for one in lines[first]["comments"]] == ["fine by me"]
    assert terminal.done("checkpoints", "export", "--until", "2020-01-01T00:00:00Z") == ""
    assert terminal.done("checkpoints", "export", "--job-type", "other") == ""
    assert "is not ISO 8601" in terminal.refused("checkpoints", "export", "--since", "soon")


def test_a_line_is_spoken_of(on_each_database: Terminal, database_url: str) -> None:
    db = Database(database_url)
    changes = [FileChange("a.py", "one\n", "one\ntwo\n").to_json()]
    (on,) = waiting_many(db, 1, changes=changes)
    db.close()
    terminal = on_each_database
    say = ("checkpoints", "comment", on, "hm")
    made = terminal.json(*say, "--file", "a.py", "--line", "2")["comment"]
    assert made["anchor"] == {"path": "a.py", "side": "after", "line": 2, "text": "two"}
    terminal.done(*say, "--file", "a.py", "--line", "1", "--side", "before")
    told = terminal.done("checkpoints", "comments", on)
    assert ", on a.py, line 2, new, " in told.splitlines()[0]
    assert ", on a.py, line 1, old, " in told.splitlines()[2]
    assert "from 1 to 2" in terminal.refused(*say, "--file", "a.py", "--line", "3")
    assert "go together" in terminal.refused(*say, "--line", "3")
