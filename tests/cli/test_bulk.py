"""Cancel and retry from the command line: one job, or all that match."""

from __future__ import annotations

from tests.cli.conftest import Terminal

SIMPLE = '{"userId": "u-1", "action": "greet"}'


def test_all_that_match_are_counted_and_then_a_job_acts_on_them(terminal: Terminal) -> None:
    for _ in range(2):
        terminal.done("jobs", "enqueue", "simple-task", "--input", SIMPLE)
    counted = terminal.json("jobs", "cancel", "--type", "simple-task", "--dry-run")
    assert counted == {"count": 2, "capped": False}
    assert "2 jobs match" in terminal.done("jobs", "cancel", "--status", "PENDING", "--dry-run")
    job = terminal.json("jobs", "cancel", "--status", "PENDING", "--type", "simple-task")["job"]
    assert (job["jobType"], job["status"]) == ("bulk-control", "PENDING")
    assert job["inputData"]["action"] == "cancel"
    assert job["inputData"]["filter"]["status"] == "PENDING"
    retry = terminal.done("jobs", "retry", "--user", "usr_1")
    assert "bulk-control" in retry


def test_what_is_meant_must_be_clear(terminal: Terminal) -> None:
    assert "at least one of status, jobType" in terminal.refused("jobs", "cancel")
    both = terminal.refused("jobs", "cancel", "job_1", "--status", "PENDING")
    assert "Name a job or a filter, not both." in both
    wrong = terminal.refused("jobs", "retry", "--status", "RUNNING")
    assert "retry is possible only for jobs that are" in wrong
    assert "There is no job job_1." in terminal.refused("jobs", "cancel", "job_1")
