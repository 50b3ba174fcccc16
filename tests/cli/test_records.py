"""``jobs retry``, ``resume``, ``fail`` and ``fork``: what the command line does with a record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent_console.domain.jobs import JobError, JobVerb
from agent_console.domain.parking import Call, Divergence, ParkCode
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.runs import record_step, suspend
from tests.cli.conftest import Terminal
from tests.support.factories import RAY, employ, enqueue
from tests.support.runs import checkpoint, claim_one, decide, end, step

PARTED = Divergence(
    position=1,
    recorded=Call("approve", "write", "May I?"),
    asked=Call("approve", "send", "Send it?"),
    code_before="1",
    code_now="2",
)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Return the database that the commands are typed for."""
    db = Database(database_url)
    yield db
    db.close()


@pytest.fixture
def failed(db: Database) -> str:
    """Return a job that did two steps, and failed."""
    job_id = enqueue(db, job_type="simple-task", input_data={"userId": "u-1", "action": "greet"})
    key = claim_one(db).key
    for position, name in enumerate(("read", "sum")):
        record_step(db, key, step(position, name=name))
    error = JobError("ValueError", "No till is open.")
    finish(db, [end(key, JobVerb.FAIL, error=error)])
    return job_id


@pytest.fixture
def parked(db: Database) -> str:
    """Return a job that did a step, was approved, and met other code."""
    employ(db, RAY)
    job_id = enqueue(db, job_type="simple-task", input_data={"userId": "u-1", "action": "greet"})
    key = claim_one(db).key
    record_step(db, key, step(0, name="read"))
    decide(db, suspend(db, key, checkpoint(1)))
    facts = {"park_code": ParkCode.DIVERGED, "park_detail": PARTED.to_json()}
    finish(db, [end(claim_one(db).key, JobVerb.PARK, park_reason="It differs.", **facts)])
    return job_id


def test_a_failed_job_is_retried_with_all_that_it_did(
    on_each_database: Terminal, failed: str
) -> None:
    retried = on_each_database.json("jobs", "retry", failed)["job"]
    assert (retried["id"], retried["status"]) == (failed, "QUEUED")
    assert len(on_each_database.json("jobs", "show", failed)["job"]["steps"]) == 2
    again = on_each_database.refused("jobs", "retry", failed)
    assert again.count("\n") == 1
    assert "QUEUED" in again


def test_a_retry_from_a_step_says_first_what_it_drops(
    on_each_database: Terminal, failed: str
) -> None:
    terminal, words = on_each_database, ("jobs", "retry", failed, "--from-position", "1")
    looked = terminal.done(*words, "--dry-run")
    assert "1 recorded calls stay done; 1 are made anew." in looked
    answer = terminal.json(*words, "--dry-run")
    assert answer["job"]["status"] == "FAILED"
    assert answer["dropped"]["kept"] == 1
    assert [one["name"] for one in answer["dropped"]["steps"]] == ["sum"]
    assert "QUEUED" in terminal.done(*words)
    steps = terminal.json("jobs", "show", failed)["job"]["steps"]
    assert [one["name"] for one in steps] == ["read"]
    assert "There is no job job_none." in terminal.refused(
        "jobs", "retry", "job_none", "--from-position", "0"
    )


def test_options_that_do_not_go_together_are_refused(on_each_database: Terminal) -> None:
    for words, said in (
        (("retry", "job_1", "--dry-run"), "--dry-run belongs to --from-position."),
        (("retry", "--from-position", "1"), "--from-position belongs to one job."),
        (("retry", "job_1", "--type", "simple-task"), "Name a job or a filter, not both."),
        (("resume", "job_1", "--dry-run"), "--dry-run belongs to --on-this-version."),
    ):
        assert said in on_each_database.refused("jobs", *words)
    assert on_each_database("jobs", "retry", "job_1", "--from-position", "-1").exit_code == 2


def test_a_parked_job_goes_on_with_the_code_of_now(on_each_database: Terminal, parked: str) -> None:
    terminal, words = on_each_database, ("jobs", "resume", parked, "--on-this-version")
    assert "It differs. (diverged)" in terminal.done("jobs", "show", parked)
    looked = terminal.done(*words, "--dry-run")
    assert "PARKED" in looked
    assert "asked again: May I?" in looked
    answer = terminal.json(*words)
    assert (answer["job"]["status"], answer["dropped"]["kept"]) == ("QUEUED", 1)
    assert "QUEUED" in terminal.refused(*words)


def test_a_held_job_is_resumed_as_it_is(on_each_database: Terminal, parked: str) -> None:
    resumed = on_each_database.json("jobs", "resume", parked)["job"]
    assert resumed["status"] == "QUEUED"
    assert len(on_each_database.json("jobs", "show", parked)["job"]["steps"]) == 2


def test_a_parked_job_is_failed_for_a_reason(on_each_database: Terminal, parked: str) -> None:
    terminal = on_each_database
    assert terminal("jobs", "fail", parked).exit_code == 2
    assert "reason" in terminal.refused("jobs", "fail", parked, "--reason", " ")
    done = terminal.json("jobs", "fail", parked, "--reason", "Paid by hand")["job"]
    assert (done["status"], done["error"]["message"]) == ("FAILED", "Paid by hand")
    assert "FAILED" in terminal.refused("jobs", "fail", parked, "--reason", "Again")


def test_a_fork_says_what_it_takes_over_and_takes_it(
    on_each_database: Terminal, parked: str
) -> None:
    terminal, words = on_each_database, ("jobs", "fork", parked, "--from-position", "2")
    looked = terminal.done(*words, "--dry-run")
    assert "reused: 2 recorded calls before step 3" in looked
    assert "reused: APPROVED by Ray" in looked
    plan = terminal.json(*words, "--dry-run")
    assert plan["job"] is None
    assert len(terminal.json("jobs", "list")["jobs"]) == 1
    made = terminal.json(*words, "--priority", "9")
    assert (made["job"]["forkedFrom"], made["job"]["priority"]) == (parked, 9)
    assert made["fork"] == plan["fork"]
    shown = terminal.done("jobs", "show", made["job"]["id"])
    assert f"forked from: {parked}, before step 3" in shown


def test_a_fork_with_other_input_asks_again(on_each_database: Terminal, parked: str) -> None:
    terminal, words = on_each_database, ("jobs", "fork", parked, "--from-position", "2")
    edited = terminal.done(*words, "--input", '{"userId": "u-2", "action": "greet"}')
    assert "asked again: May I?" in edited
    assert "not all that was asked for" in edited
    assert "userId" in terminal.refused(*words, "--input", "{}")
    assert "--input is not JSON" in terminal.refused(*words, "--input", "{")
    assert terminal("jobs", "fork", parked).exit_code == 2
