"""``http-task`` against a worker in another process: one that fails, hangs, is slow, comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.records import BreakerState
from agent_console.gateways.http import HttpGateway, http_gateway
from agent_console.handlers.http_task import http_task
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings
from agent_console.testing import drain
from tests.runtime.desk import Desk
from tests.runtime.test_rehearsal import rehearse
from tests.support.programs import Program, running

SCRIPTED = Path(__file__).parents[1] / "support" / "scripted_worker.py"
DONE = {"json": {"exitCode": 0, "stdout": "hello\n", "output": {"n": 1}}}
BROKEN = {"status": 503, "text": "out of order"}


@dataclass
class Elsewhere:
    """An external worker with a script, and an engine that may call it."""

    desk: Desk
    folder: Path
    stack: ExitStack
    settings: dict[str, Any] = field(default_factory=dict)
    program: Program | None = None
    _http: HttpGateway | None = None

    def starts(self, *script: dict[str, Any]) -> None:
        """Start the process, or start it again where it was."""
        (self.folder / "script.json").write_text(json.dumps(script))
        port = "0" if self.program is None else str(self.program.port)
        arguments = (port, self.folder / "script.json", self.folder / "asked.log")
        self.program = self.stack.enter_context(running(SCRIPTED, *arguments))

    @property
    def url(self) -> str:
        assert self.program is not None
        return f"http://127.0.0.2:{self.program.port}/tasks"

    @property
    def http(self) -> HttpGateway:
        if self._http is None:
            self._http = http_gateway(
                Settings(
                    data_dir=self.folder,
                    http_allow=(self.url.removesuffix("/tasks"),),
                    http_allow_private=("127.0.0.2/32",),
                    **self.settings,
                )
            )
        return self._http

    def enqueue(self, task: dict[str, Any] | None = None, **facts: Any) -> str:
        fields = {k: v for k, v in facts.items() if k in {"approval_strategy", "max_attempts"}}
        data = {"url": self.url, "task": task or {}} | {
            k: v for k, v in facts.items() if k not in fields
        }
        bound = Registry([http_task]).validate("http-task", data)
        return self.desk.enqueue("http-task", bound, **({"max_attempts": 1} | fields))

    def run(self) -> int:
        return drain(
            self.desk.db,
            Registry([http_task]),
            clock=self.desk.clock,
            workspace=self.folder,
            http=self.http,
            origin="http://console",
        )

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the worker was asked, over all its lives."""
        log = self.folder / "asked.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def keys(self) -> list[str]:
        return [asked["headers"]["idempotency-key"] for asked in self.asked]


@pytest.fixture
def elsewhere(desk: Desk, tmp_path: Path) -> Iterator[Elsewhere]:
    with ExitStack() as stack:
        yield Elsewhere(desk, tmp_path, stack)


def error(elsewhere: Elsewhere, job_id: str) -> str:
    job = elsewhere.desk.job(job_id)
    assert job.status is JobStatus.FAILED, job.output_data
    assert job.error is not None
    return f"{job.error.type}: {job.error.message}"


def test_the_outcome_is_the_jobs_output(elsewhere: Elsewhere) -> None:
    elsewhere.starts(DONE)
    job_id = elsewhere.enqueue({"command": "greet"})
    assert elsewhere.run() == 1
    job = elsewhere.desk.job(job_id)
    assert job.output_data == {"exitCode": 0, "stdout": "hello\n", "stderr": "", "output": {"n": 1}}
    (asked,) = elsewhere.asked
    assert asked["json"]["task"] == {"command": "greet"}
    assert asked["json"]["jobId"] == job_id
    assert asked["json"]["callback"]["url"] == f"http://console/api/agent-jobs/{job_id}/callback"
    assert asked["headers"]["idempotency-key"] == asked["json"]["idempotencyKey"] == f"{job_id}:1"
    where = f"127.0.0.2:{elsewhere.program.port}"  # type: ignore[union-attr]
    assert elsewhere.desk.steps(job_id) == [
        (0, "callback", "outcome"),
        (1, "step", f"POST {where}"),
    ]


def test_a_worker_that_fails_twice_is_tried_three_times_with_one_key(elsewhere: Elsewhere) -> None:
    elsewhere.starts(BROKEN, BROKEN, DONE)
    job_id = elsewhere.enqueue()
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert elsewhere.keys() == [f"{job_id}:1"] * 3
    assert len([line for line in elsewhere.desk.log(job_id) if "out of order" in line]) == 2


def test_after_three_tries_the_job_fails_and_a_retry_asks_again(elsewhere: Elsewhere) -> None:
    elsewhere.starts(BROKEN, BROKEN, BROKEN, DONE)
    job_id = elsewhere.enqueue()
    elsewhere.run()
    assert "answered 503: out of order" in error(elsewhere, job_id)
    assert len(elsewhere.asked) == 3
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert elsewhere.keys() == [f"{job_id}:1"] * 4, "the worker may have it from the first time"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 400, "text": "unknown command"}, "answered 400: unknown command"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1/"}}, "answered 302"),
        ({"json": {"exitCode": "many"}}, "no outcome: exitCode"),
        ({"json": [1]}, "no outcome"),
        ({"status": 202, "headers": {"Location": "http://127.0.0.1/secret"}}, "asked elsewhere"),
        ({"status": 202, "headers": {"Location": "//evil/"}}, "asked elsewhere"),
    ],
)
def test_what_another_try_cannot_better_fails_at_once(
    elsewhere: Elsewhere, answer: dict[str, Any], said: str
) -> None:
    elsewhere.starts(answer)
    job_id = elsewhere.enqueue(max_attempts=3)
    elsewhere.run()
    assert said in error(elsewhere, job_id)
    assert len(elsewhere.asked) == 1


def test_a_host_that_is_not_allowed_is_not_called(elsewhere: Elsewhere) -> None:
    elsewhere.starts(DONE)
    job_id = elsewhere.enqueue(url="https://elsewhere.example/tasks")
    elsewhere.run()
    assert "AGENT_CONSOLE_HTTP_ALLOW" in error(elsewhere, job_id)
    assert elsewhere.asked == []


def test_long_work_is_asked_for_without_holding_a_slot(elsewhere: Elsewhere) -> None:
    accepted = {"status": 202, "headers": {"Location": "/tasks/7", "Retry-After": "90"}}
    pending = {"status": 202}
    elsewhere.starts(accepted, pending, BROKEN, BROKEN, BROKEN, DONE)
    job_id = elsewhere.enqueue(pollSeconds=4)
    elsewhere.run()
    job = elsewhere.desk.job(job_id)
    assert (job.status, job.worker_id) == (JobStatus.QUEUED, None)
    assert (job.run_at - elsewhere.desk.clock.now()).total_seconds() == 90
    elsewhere.desk.clock.advance(90)
    elsewhere.run()
    pause = (elsewhere.desk.job(job_id).run_at - elsewhere.desk.clock.now()).total_seconds()
    assert pause == 6, "half as long again as the first"
    elsewhere.desk.clock.advance(6)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.QUEUED, "a worker in trouble is awaited"
    elsewhere.desk.clock.advance(60)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert [asked["path"] for asked in elsewhere.asked] == ["/tasks", *["/tasks/7"] * 5]
    assert elsewhere.desk.job(job_id).attempts == 1


def test_an_outcome_that_never_comes_fails_the_job_and_a_retry_asks_once_more(
    elsewhere: Elsewhere,
) -> None:
    elsewhere.starts({"status": 202, "headers": {"Location": "/tasks/7"}})
    job_id = elsewhere.enqueue(pollSeconds=4, timeoutSeconds=8)
    for _ in range(4):
        elsewhere.run()
        elsewhere.desk.clock.advance(4)
    assert "OutcomeLate: No outcome" in error(elsewhere, job_id)
    assert "within 8 s" in error(elsewhere, job_id)
    elsewhere.program.stop()  # type: ignore[union-attr]
    elsewhere.starts(DONE)
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert [asked["method"] for asked in elsewhere.asked].count("POST") == 1


def test_an_exit_code_fails_the_job_and_a_retry_hands_the_task_out_anew(
    elsewhere: Elsewhere,
) -> None:
    elsewhere.starts({"json": {"exitCode": 3, "stderr": "first\ndisk full\n"}}, DONE)
    job_id = elsewhere.enqueue()
    elsewhere.run()
    assert error(elsewhere, job_id) == "TaskFailed: The task ended with exit code 3: disk full"
    (kept,) = elsewhere.desk.rows("SELECT name, content FROM work_artifacts")
    assert json.loads(kept["content"])["stderr"] == "first\ndisk full\n"
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert len(set(elsewhere.keys())) == 2, "done once and failed: another try is another call"


def test_a_worker_that_hangs_opens_the_breaker_and_others_wait_until_it_is_back(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    from time import time as now

    elsewhere.settings = {"http_timeout": 0.3, "http_breaker_failures": 3}
    elsewhere.starts({"delay": 30})
    first = elsewhere.enqueue()
    elsewhere.run()
    assert "did not answer within 0.3 s" in error(elsewhere, first)
    entry = elsewhere.url.removesuffix("/tasks")
    assert elsewhere.http.states() == {entry: BreakerState.OPEN}

    second = elsewhere.enqueue()
    elsewhere.run()
    job = elsewhere.desk.job(second)
    assert job.status is JobStatus.QUEUED, "not failed: nobody was asked"
    assert 20 < (job.run_at - elsewhere.desk.clock.now()).total_seconds() <= 30
    assert len(elsewhere.asked) == 3

    elsewhere.program.stop()  # type: ignore[union-attr]
    elsewhere.starts(DONE)
    elsewhere.desk.clock.advance(31)
    monkeypatch.setattr("time.time", lambda: now() + 31)
    elsewhere.run()
    assert elsewhere.desk.job(second).status is JobStatus.COMPLETED
    assert elsewhere.http.states() == {entry: BreakerState.CLOSED}


def test_a_worker_that_is_gone_is_tried_again(elsewhere: Elsewhere) -> None:
    elsewhere.starts(DONE)
    elsewhere.program.stop()  # type: ignore[union-attr]
    job_id = elsewhere.enqueue()
    elsewhere.run()
    assert "Connection refused" in error(elsewhere, job_id)
    elsewhere.starts(DONE)
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED


def test_a_strategy_that_asks_shows_the_task_before_it_leaves(elsewhere: Elsewhere) -> None:
    elsewhere.starts(DONE)
    job_id = elsewhere.enqueue({"rm": "-rf"}, approval_strategy="checkpoint_required")
    elsewhere.run()
    shown = json.loads(elsewhere.desk.open_checkpoint(job_id)["payload"])
    assert shown["data"] == {"url": elsewhere.url, "task": {"rm": "-rf"}}
    assert elsewhere.asked == []
    elsewhere.desk.approve(job_id)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED


def test_what_a_worker_prints_is_made_storable_and_bounded(elsewhere: Elsewhere) -> None:
    elsewhere.starts({"json": {"stdout": "a\x00b\ud800", "stderr": "x" * 300_000}})
    job_id = elsewhere.enqueue()
    elsewhere.run()
    output: Any = elsewhere.desk.job(job_id).output_data
    assert output["stdout"] == "a\\x00b\\ud800"
    assert output["stderr"].startswith("(100000 characters left out) …xxx")
    assert len(output["stderr"]) < 201_000


def test_text_is_a_workers_stdout(elsewhere: Elsewhere) -> None:
    elsewhere.starts({"text": "plain"})
    job_id = elsewhere.enqueue()
    elsewhere.run()
    assert elsewhere.desk.job(job_id).output_data["stdout"] == "plain"  # type: ignore[index,call-overload]


def test_a_worker_that_forgot_the_task_is_given_it_anew_by_a_retry(elsewhere: Elsewhere) -> None:
    accepted = {"status": 202, "headers": {"Location": "/tasks/7"}}
    elsewhere.starts(accepted, {"status": 404, "text": "no such task"}, DONE)
    job_id = elsewhere.enqueue(pollSeconds=4)
    elsewhere.run()
    elsewhere.desk.clock.advance(4)
    elsewhere.run()
    assert "exit code -1: 127.0.0.2" in error(elsewhere, job_id)
    assert "answered 404: no such task" in error(elsewhere, job_id)
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    elsewhere.run()
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    assert [asked["method"] for asked in elsewhere.asked] == ["POST", "GET", "POST"]


def test_a_replay_calls_nobody_and_finds_nothing_different(elsewhere: Elsewhere) -> None:
    accepted = {"status": 202, "headers": {"Location": "/tasks/7"}}
    elsewhere.starts({"json": {"exitCode": 3}}, accepted, {"status": 202}, DONE)
    elsewhere.desk.add(http_task)
    job_id = elsewhere.enqueue(pollSeconds=4)
    elsewhere.run()
    elsewhere.desk.control(job_id, JobVerb.RETRY)
    for _ in range(3):
        elsewhere.run()
        elsewhere.desk.clock.advance(60)
    assert elsewhere.desk.job(job_id).status is JobStatus.COMPLETED
    calls = len(elsewhere.asked)
    assert rehearse(elsewhere.desk, job_id).differences == ()
    assert len(elsewhere.asked) == calls == 4
