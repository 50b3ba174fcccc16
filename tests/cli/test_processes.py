"""The long-running commands as real processes: start, signals, end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_console.bootstrap import build
from agent_console.domain.access import SYSTEM
from agent_console.domain.jobs import JobStatus, NewJob
from agent_console.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from agent_console.cli import main; main()"]

SLOW = '''
"""A handler that runs until it is told to end."""
from pathlib import Path
from pydantic import BaseModel
from agent_console import JobContext, handler

class Input(BaseModel):
    started: str
    release: str

@handler("slow", input=Input)
def slow(ctx: JobContext) -> str:
    """Wait for a file."""
    Path(ctx.input.started).touch()
    with open(ctx.input.release) as pipe:
        pipe.read()
    return "finished"
'''


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Run ``agent-console worker`` on folders of its own."""
    handlers = tmp_path / "slow_handlers.py"
    handlers.write_text(SLOW, "utf-8")
    monkeypatch.setenv("AGENT_CONSOLE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENT_CONSOLE_HANDLERS", str(handlers))
    process = subprocess.Popen(
        [*COMMAND, "worker"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate(timeout=10)


def stats(process: subprocess.Popen[str]) -> dict[str, object]:
    """Read the JSON document the worker prints at start."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.rstrip() == "}":
            break
    found: dict[str, object] = json.loads("".join(lines))
    return found


def test_a_worker_prints_its_stats_and_drains_when_told(worker: subprocess.Popen[str]) -> None:
    assert stats(worker) == {
        "isRunning": True,
        "activeJobs": 0,
        "maxConcurrentJobs": 3,
        "pollInterval": 5000,
    }
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_job_ends_before_the_worker(
    worker: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    started, release = tmp_path / "started", tmp_path / "release"
    os.mkfifo(release)
    stats(worker)
    console = build(load_settings())
    console.open()
    console.signals.start()
    try:
        data = {"started": str(started), "release": str(release)}
        job = console.services.jobs.enqueue(SYSTEM, NewJob(job_type="slow", input_data=data)).job
        assert console.await_until(started.exists, timeout=20)
        worker.send_signal(number)
        with release.open("w") as pipe:
            pipe.write("go")
        assert worker.wait(timeout=20) == 0
        done = console.services.jobs.get(SYSTEM, job.id).job
        assert (done.status, done.output_data) == (JobStatus.COMPLETED, "finished")
    finally:
        console.stop()


def test_a_second_signal_ends_at_once(worker: subprocess.Popen[str], tmp_path: Path) -> None:
    started, release = tmp_path / "started", tmp_path / "release"
    os.mkfifo(release)
    stats(worker)
    console = build(load_settings())
    console.open()
    try:
        data = {"started": str(started), "release": str(release)}
        console.services.jobs.enqueue(SYSTEM, NewJob(job_type="slow", input_data=data))
        assert console.await_until(started.exists, timeout=20)
        worker.send_signal(signal.SIGTERM)
        assert worker.stderr is not None
        for line in worker.stderr:
            if "Draining" in line:
                break
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 128 + signal.SIGTERM
    finally:
        console.stop()


def test_serve_names_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "serve"],
            cwd=ROOT,
            env={**os.environ, "PORT": port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"PORT={port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
