"""One verdict on many checkpoints from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent_console.store.database import Database
from tests.cli.conftest import Terminal
from tests.support.runs import waiting_many


@pytest.fixture
def waiting(on_each_database: Terminal, database_url: str) -> Iterator[tuple[Terminal, list[str]]]:
    db = Database(database_url)
    yield on_each_database, waiting_many(db, 3)
    db.close()


def test_many_are_decided_and_each_is_told(waiting: tuple[Terminal, list[str]]) -> None:
    terminal, (first, second, third) = waiting
    words = ("checkpoints", "bulk-decide")
    told = terminal.done(*words, "approve", first, second, "--feedback", "as agreed")
    assert told.splitlines()[-1] == "2 approved"
    assert told.count("decided") == 2
    result = terminal(*words, "reject", second, third, "chk_x", "--reason", "off", "--json")
    assert result.exit_code == 1  # some were refused
    answer = json.loads(result.stdout)
    assert [one["code"] for one in answer["results"]] == [
        "already_decided",
        "decided",
        "not_found",
    ]
    assert (answer["decided"], answer["refused"]) == (1, 2)
    shown = terminal.json("checkpoints", "show", third)["checkpoint"]
    assert (shown["status"], shown["rejectionReason"]) == ("REJECTED", "off")


def test_ids_come_from_a_pipe_each_with_what_was_shown(
    waiting: tuple[Terminal, list[str]],
) -> None:
    terminal, ids = waiting
    listed = terminal.json("checkpoints", "list")["checkpoints"]
    lines = [f"{one['id']} {one['payloadDigest']}" for one in listed[:2]]
    stdin = "\n".join([*lines, "", f"{listed[2]['id']}  {'0' * 64}"])
    result = terminal("checkpoints", "bulk-decide", "approve", "-", stdin=stdin)
    assert result.exit_code == 1
    assert "payload_changed" in result.stdout
    assert result.stdout.splitlines()[-1] == "2 approved, 1 changed since it was shown"
    left = terminal.json("checkpoints", "list")["checkpoints"]
    assert [one["id"] for one in left] == [listed[2]["id"]]
    assert {one["id"] for one in listed} == set(ids)


def test_what_cannot_be_meant_is_refused(waiting: tuple[Terminal, list[str]]) -> None:
    terminal, (first, *_) = waiting
    words = ("checkpoints", "bulk-decide")
    assert "a rejection needs a reason" in terminal.refused(*words, "reject", first)
    twice = terminal.refused(*words, "approve", first, first)
    assert "checkpoints.1.id: is that of checkpoints.0 already." in twice
    assert "must be 1 to 1,000" in terminal.refused(*words, "approve", "-", stdin="\n")
    assert terminal(*words, "request_changes", first).exit_code == 2
