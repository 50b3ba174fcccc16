"""The ``schedules`` commands."""

from __future__ import annotations

from tests.cli.conftest import Terminal

SIMPLE = '{"userId": "u-1", "action": "greet"}'
NIGHTLY = (
    "schedules", "create", "Nightly", "simple-task", "--cron", "30 6 * * mon",
    "--time-zone", "Asia/Tokyo", "--input", SIMPLE,
)  # fmt: skip


def test_a_schedule_from_create_to_delete(on_each_database: Terminal) -> None:
    terminal = on_each_database
    assert "There are no schedules." in terminal.done("schedules", "list")
    said = terminal.done(*NIGHTLY)
    first, *runs = said.splitlines()
    assert "At 06:30 on Monday, Asia/Tokyo" in first
    assert all("21:30:00" in run for run in runs)  # the day before, in UTC
    (listed,) = terminal.json("schedules", "list", "--type", "simple-task")["schedules"]
    assert listed["nextFireAt"] == listed["nextRuns"][0]
    assert "Nightly" in terminal.done("schedules", "list")
    assert terminal.json("schedules", "list", "--type", "http-task")["schedules"] == []

    job = terminal.json("schedules", "run", listed["id"])["job"]
    assert (job["jobType"], job["status"]) == ("simple-task", "PENDING")
    assert job["inputData"] == {"userId": "u-1", "action": "greet"}
    assert "simple-task  PENDING" in terminal.done("schedules", "run", listed["id"])

    assert "  paused" in terminal.done("schedules", "pause", listed["id"]).splitlines()
    assert terminal.json("schedules", "pause", listed["id"])["schedule"]["nextFireAt"] is None
    resumed = terminal.json("schedules", "resume", listed["id"])["schedule"]
    assert (resumed["paused"], resumed["nextFireAt"]) == (False, listed["nextFireAt"])

    assert f"{listed['id']} is deleted." in terminal.done("schedules", "delete", listed["id"])
    assert "There is no schedule" in terminal.refused("schedules", "delete", listed["id"])
    assert len(terminal.json("jobs", "list")["jobs"]) == 2  # they stay


def test_an_interval_and_its_policies(terminal: Terminal) -> None:
    words = ("schedules", "create", "Often", "simple-task", "--every", "600", "--input", SIMPLE)
    more = ("--catch-up", "all", "--overlap", "skip", "--priority", "9", "--description", "Greet")
    made = terminal.json(*words, *more)["schedule"]
    assert (made["intervalSeconds"], made["cron"]) == (600, None)
    assert (made["catchUp"], made["overlap"]) == ("all", "skip")
    assert (made["priority"], made["taskDescription"]) == (9, "Greet")
    assert terminal.json("schedules", "delete", made["id"]) == {"deleted": made["id"]}


def test_pages_of_schedules_follow_each_other(terminal: Terminal) -> None:
    for name in ("a", "b", "c"):
        words = ("schedules", "create", name, "simple-task", "--every", "60", "--input", SIMPLE)
        terminal.done(*words)
    first = terminal.json("schedules", "list", "--limit", "2")
    cursor = first["pagination"]["nextCursor"]
    rest = terminal.json("schedules", "list", "--cursor", cursor)
    names = [one["name"] for page in (first, rest) for one in page["schedules"]]
    assert names == ["c", "b", "a"]


def test_what_makes_no_schedule_is_one_line(terminal: Terminal) -> None:
    terminal.done(*NIGHTLY)
    create = ("schedules", "create", "Other", "simple-task", "--input", SIMPLE)
    for words, said in (
        (NIGHTLY, "There is a schedule 'Nightly' already."),
        ((*create, "--cron", "61 * * * *"), "cron"),
        ((*create, "--cron", "0 3 * * *", "--time-zone", "Mars/Olympus"), "timeZone"),
        ((*create, "--cron", "0 3 * * *", "--every", "60"), "intervalSeconds"),
        (create, "cron"),
        (("schedules", "create", "Other", "no-such-type", "--every", "60"), "unknown job type"),
        ((*create[:-1], "{}", "--every", "60"), "inputData.userId"),
        (("schedules", "run", "sch_none"), "There is no schedule sch_none."),
        (("schedules", "pause", "sch_none"), "There is no schedule sch_none."),
    ):
        message = terminal.refused(*words)
        assert said in message, words
        assert "Traceback" not in message
    assert terminal("schedules", "create", "Other", "simple-task", "--every", "x").exit_code == 2
