"""The ``policies`` commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from agent_console.store.database import Database
from tests.cli.conftest import Terminal
from tests.support.runs import waiting_many

TYPE = "simple-task"


def test_a_policy_from_set_to_remove(
    on_each_database: Terminal, account: Callable[[str, str], str]
) -> None:
    terminal = on_each_database
    assert "all" not in terminal.done("policies", "versions", TYPE)
    assert "nothing saved" in terminal.done("policies", "show", TYPE)
    account("ana@example.com", "reviewer")
    account("ray@example.com", "reviewer")
    words = ("policies", "set", TYPE, "--reviewer", "ana@example.com", "--reviewer")
    more = ("ray@example.com", "--approvals", "2", "--no-bulk", "--remind", "60")
    deadline = ("--at-deadline", "escalate", "--seconds", "3600", "--last", "reject")
    said = terminal.done(*words, *more, *deadline, "--note", "Two of them")
    assert said.splitlines()[0] == f"{TYPE}: version 1"
    assert "approvals needed: 2" in said
    assert "admins are asked for 1 hour; after that it is rejected" in said
    shown = terminal.json("policies", "show", TYPE)["policy"]
    assert (shown["deciders"]["roles"], shown["bulkAllowed"]) == ([], False)
    assert shown["remindSeconds"] == [60]
    assert "admins are asked" in terminal.done("policies", "list")
    late = terminal.refused("policies", "set", TYPE, "--base-version", "0")
    assert "was faster" in late
    assert "must be one of auto" in terminal.refused(
        "policies", "set", TYPE, "--self-approval", "perhaps"
    )
    assert len(terminal.json("policies", "list")["policies"]) == 2
    assert terminal.json("policies", "remove", TYPE)["policy"]["version"] == 0
    versions = terminal.json("policies", "versions", TYPE)["versions"]
    assert [(one["version"], one["removed"]) for one in versions] == [(2, True), (1, False)]
    assert "removed" in terminal.done("policies", "versions", TYPE)


@pytest.fixture
def waiting(on_each_database: Terminal, database_url: str) -> Iterator[tuple[Terminal, str]]:
    db = Database(database_url)
    yield on_each_database, waiting_many(db, 1)[0]
    db.close()


def test_a_vote_from_the_server_is_told_as_one(
    waiting: tuple[Terminal, str], account: Callable[[str, str], str]
) -> None:
    terminal, checkpoint_id = waiting
    account("ana@example.com", "reviewer")
    account("ray@example.com", "reviewer")
    terminal.done("policies", "set", "*", "--approvals", "2")
    assert "needs 2 approvals of reviewers or admins; said so far: nobody yet" in terminal.done(
        "checkpoints", "show", checkpoint_id
    )
    said = terminal.done("checkpoints", "approve", checkpoint_id)
    assert said.strip().endswith("PENDING  1 of 2 approvals: more people have to agree")
    assert "said this already" in terminal.refused("checkpoints", "approve", checkpoint_id)


def test_a_right_is_lent_and_taken_back(
    on_each_database: Terminal, account: Callable[[str, str], str]
) -> None:
    terminal = on_each_database
    assert "Nobody stands in." in terminal.done("delegations", "list")
    people = ("ana@example.com", "ray@example.com")
    for one in people:
        account(one, "reviewer")
    until = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S")
    (made,) = terminal.json("delegations", "create", *people, until)["delegations"]
    assert made["endsAt"].startswith(until)
    assert made["id"] in terminal.done("delegations", "list")
    late = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d")
    refused = terminal.refused("delegations", "create", *people, until, "--from", late)
    assert "endsAt: must be later" in refused
    assert terminal.json("delegations", "revoke", made["id"])["delegations"][0]["revokedAt"]
    assert "no open delegation" in terminal.refused("delegations", "revoke", made["id"])


def test_a_rule_is_tried_recorded_and_stopped(on_each_database: Terminal) -> None:
    terminal = on_each_database
    assert "Of 0 decisions" in terminal.done("policies", "backtest", TYPE, "--up-to", "LOW")
    assert "Nothing to suggest." in terminal.done("policies", "suggest")
    said = terminal.done("policies", "set", TYPE, "--auto-up-to", "LOW", "--shadow")
    assert "approves by itself what has no finding above LOW (shadow" in said
    assert "agreed 0, disagreed 0" in terminal.done("policies", "record", TYPE)
    assert terminal.json("policies", "record", TYPE)["record"]["approved"] == 0
    assert terminal.json("policies", "backtest", TYPE)["backtest"]["upTo"] == "LOW"
    stopped = terminal.done("policies", "stop", TYPE, "--reason", "Wrong once")
    assert "approves by itself nothing: people are asked" in stopped


def test_a_group_is_made_asked_changed_and_deleted(
    on_each_database: Terminal, account: Callable[[str, str], str]
) -> None:
    terminal = on_each_database
    account("ana@example.com", "reviewer")
    assert "There is no group." in terminal.done("groups", "list")
    assert "Security" in terminal.done("groups", "create", "Security", "ana@example.com")
    said = terminal.done("policies", "set", TYPE, "--group", "security")
    assert "asks group Security" in said
    assert "asks it" in terminal.refused("groups", "delete", "Security")
    terminal.done("groups", "change", "Security", "--remove", "ana@example.com")
    (group,) = terminal.json("groups", "list")["groups"]
    assert group["members"] == []
    terminal.done("policies", "remove", TYPE)
    assert terminal.json("groups", "delete", "security")["groups"][0]["id"] == group["id"]
    assert "There is no group" in terminal.refused("groups", "delete", "Security")
