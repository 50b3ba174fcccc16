from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from agent_console.domain.access import Actor
from agent_console.domain.events import Event
from agent_console.settings import Settings
from agent_console.telemetry import logs
from agent_console.telemetry.events_log import RunLog, log_events

SECRET = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def written(log_json: bool = True, level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(Settings(log_json=log_json, log_level=level), stream)  # type: ignore[arg-type]
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_the_standard_library_is_one_json_object() -> None:
    stream = written()
    logging.getLogger("agent_console.x").warning("disk %s is %d%% full", "sda", 91)
    (line,) = lines(stream)
    assert line["event"] == "disk sda is 91% full"
    assert (line["level"], line["logger"]) == ("warning", "agent_console.x")
    assert line["timestamp"].endswith("Z")


def test_a_line_of_structlog_takes_the_same_way() -> None:
    stream = written()
    structlog.get_logger("agent_console.y").info("worker_started", slots=3)
    (line,) = lines(stream)
    assert (line["event"], line["slots"], line["logger"]) == (
        "worker_started",
        3,
        "agent_console.y",
    )


def test_lines_of_a_run_carry_its_ids_and_later_lines_do_not() -> None:
    stream = written()
    log = logging.getLogger("handler")
    with RunLog().observe(job_id="job_1", job_type="noop", attempt=2, user_id=None, user_name=None):
        log.info("inside")
    log.info("outside")
    inside, outside = lines(stream)
    assert (inside["job_id"], inside["job_type"], inside["attempt"]) == ("job_1", "noop", 2)
    assert "job_id" not in outside


@pytest.mark.parametrize("log_json", [True, False])
def test_secrets_leave_neither_in_messages_nor_fields_nor_tracebacks(log_json: bool) -> None:
    stream = written(log_json)
    log = logging.getLogger("x")
    log.info("login with password=%s", SECRET, extra={"api_key": SECRET, "deep": {"token": SECRET}})
    log.error("failed", exc_info=ValueError(f"cannot reach https://ada:{SECRET}@db.example.com/"))
    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") >= 4


@pytest.mark.parametrize("log_json", [True, False])
def test_a_message_cannot_forge_a_second_line(log_json: bool) -> None:
    stream = written(log_json)
    forged = "ok\r\n2026-01-01 ERROR forged\x1b[31m\u2028more"
    logging.getLogger("x").info("said: %s", forged, extra={"name_of_user": forged})
    text = stream.getvalue()
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


def test_a_traceback_for_people_keeps_its_lines_behind_a_bar() -> None:
    stream = written(log_json=False)
    error = ValueError("first\n2026-01-01 [info] forged")
    logging.getLogger("x").error("failed", exc_info=error)
    _, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert rest
    assert all(line.startswith("  | ") for line in rest)


def test_the_level_is_honoured_and_packets_of_sockets_are_never_printed() -> None:
    stream = written(level="DEBUG")
    logging.getLogger("agent_console.x").debug("shown")
    logging.getLogger("engineio.server").info("packet with cookies")
    logging.getLogger("socketio.server").debug("packet with cookies")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_configuring_again_replaces_the_handler() -> None:
    first, second = written(), written()
    logging.getLogger("x").info("once")
    assert first.getvalue() == ""
    assert len(lines(second)) == 1


def test_events_become_lines_with_a_level_each() -> None:
    stream = written()
    ada = Actor(kind="user", id="usr_1", name="Ada")
    log_events(
        [
            Event(action="job.started", job_id="job_1", before="PENDING", after="RUNNING"),
            Event(
                action="checkpoint.approved",
                actor=ada,
                job_id="job_1",
                job_type="code-generation",
                checkpoint_id="chk_1",
                before="PENDING",
                after="APPROVED",
                verdict="approve",
                seconds=1.23456,
                data={"large": "x" * 100},
            ),
            Event(action="job.failed", job_id="job_1", before="RUNNING", after="FAILED"),
        ]
    )
    approved, failed = lines(stream)  # a start is a detail: DEBUG
    assert approved["event"] == "checkpoint.approved"
    assert approved["level"] == "info"
    assert (approved["actor"], approved["job_id"], approved["checkpoint_id"]) == (
        "Ada",
        "job_1",
        "chk_1",
    )
    assert (approved["verdict"], approved["seconds"]) == ("approve", 1.235)
    assert "data" not in approved
    assert (failed["event"], failed["level"], failed["actor"]) == ("job.failed", "error", "system")


def test_a_library_that_lowers_its_own_level_says_no_more() -> None:
    stream = written()
    chatty = logging.getLogger("chatty-library")
    chatty.setLevel(logging.DEBUG)
    chatty.debug("building an index")
    chatty.info("built it")
    assert [line["event"] for line in lines(stream)] == ["built it"]
