"""The worker of the guide works: over real HTTP in both directions, in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_console.api.app import create_api
from agent_console.api.middleware import wrap
from agent_console.domain.access import local_operator
from agent_console.domain.jobs import Job, JobStatus, NewJob
from agent_console.gateways.workspace import Workspace
from agent_console.handlers.http_task import http_task
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from agent_console.store.signals import Signals
from tests.runtime.hosts import Changes
from tests.support.programs import Program, running
from tests.support.rest_server import free_port, served

GUIDE = (Path(__file__).parents[2] / "docs" / "external-workers.md").read_text()
(WORKER,) = re.findall(r"^```python\n(# worker\.py\n.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
ROOT = local_operator("root")
SECRET = "a secret of both sides"


@dataclass
class House:
    """A console with one worker of its own and one elsewhere."""

    services: Services
    changes: Changes
    worker: Program

    def ends(self, task: dict[str, Any]) -> Job:
        """Run a task to its end."""
        data = {"url": f"http://localhost:{self.worker.port}/tasks", "task": task}
        new = NewJob(job_type="http-task", input_data=data)
        job_id = self.services.jobs.enqueue(ROOT, new).job.id
        ended = {JobStatus.COMPLETED, JobStatus.FAILED}
        assert self.changes.until(lambda: self._job(job_id).status in ended), self._job(job_id)
        return self._job(job_id)

    def _job(self, job_id: str) -> Job:
        return self.services.jobs.get(ROOT, job_id).job

    def actions(self, job: Job) -> list[str]:
        return [entry.action for entry in self.services.jobs.get(ROOT, job.id).timeline]


@pytest.fixture
def house(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    monkeypatch.setenv("WORKER_KEY", SECRET)
    port = free_port()
    with ExitStack() as stack:
        worker = stack.enter_context(running(script, "0"))
        settings = Settings(
            data_dir=tmp_path / "data",
            public_url=f"http://127.0.0.1:{port}",
            http_allow=(f"http://localhost:{worker.port}",),
            http_allow_private=("127.0.0.0/8", "::1/128"),
            http_signing_keys=("worker.key",),
            keystore="environment",
        )
        registry, signals = Registry([http_task]), Signals(db)
        services = build_services(db, registry, settings, ChangeFeed())
        api = wrap(create_api(services, settings, lambda: b""), settings)
        stack.enter_context(served(api, port))
        host = WorkerHost(db, registry, settings, signals, Workspace(tmp_path / "workspace"))
        signals.start()
        stack.callback(signals.stop)
        host.start()
        stack.callback(host.stop, 0)
        yield House(services, Changes(db), worker)


def test_a_short_task_is_answered_at_once(house: House) -> None:
    job = house.ends({"text": "to be or not to be"})
    assert job.output_data == {
        "exitCode": 0,
        "stdout": "6 words\n",
        "stderr": "",
        "output": {"words": 6},
    }
    assert "job.sleeping" not in house.actions(job)


def test_a_long_task_is_called_back_before_anybody_asks(house: House) -> None:
    job = house.ends({"text": "one two", "seconds": 1.2})
    assert isinstance(job.output_data, dict)
    assert job.output_data["stdout"] == "2 words\n"
    actions = house.actions(job)
    assert actions.count("job.sleeping") == actions.count("job.called_back") == 1


def test_what_the_worker_cannot_do_fails_the_job_with_its_words(house: House) -> None:
    job = house.ends({})
    assert job.error is not None
    assert job.error.message == "The task ended with exit code 2: There is no text to count."


def test_the_worker_takes_nothing_that_is_not_signed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_KEY", "another secret")
    job = house.ends({"text": "hello"})
    assert job.error is not None
    assert "answered 401" in job.error.message
    assert "signature is not valid" in job.error.message
