"""``demo``: the main job, end to end, in a folder of its own and without a hand on it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from agent_console.cli.checkpoints import card
from agent_console.cli.output import JSON_OPTION, document, say
from agent_console.cli.session import operator, quiet
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import ConsoleError
from agent_console.domain.jobs import FINISHED, JobStatus, NewJob
from agent_console.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent_console.bootstrap import Console
    from agent_console.domain.access import Actor
    from agent_console.services.jobs import JobDetail

T = TypeVar("T")

PATIENCE = 30.0  # seconds for each stage; all together take about one
FILES: list[dict[str, str]] = [
    {"path": "hello/__init__.py", "content": '"""A package that greets."""\n'},
    {
        "path": "hello/greeting.py",
        "content": 'def greet(name: str) -> str:\n    """Greet."""\n    return f"Hello, {name}!"\n',
    },
]


class DemoFailed(ConsoleError):
    """The walk did not come to its end."""

    code = "demo_failed"


def demo(
    *,
    here: Annotated[
        bool, typer.Option("--here", help="Use the configured data instead of a temporary folder.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Enqueue → checkpoint → approve → COMPLETED → metrics, with no hand on it."""
    settings = quiet(load_settings())
    if here:
        walk(settings, as_json=as_json)
        return
    with tempfile.TemporaryDirectory(prefix="agent-console-demo-") as folder:
        walk(in_folder(settings, Path(folder)), as_json=as_json)


def in_folder(settings: Settings, folder: Path) -> Settings:
    """Return ``settings`` with database, data and workspace in ``folder``."""
    return settings.model_copy(
        update={"data_dir": folder, "database_url": "", "workspace": None, "worker": "on"}
    )


def run_simple_job(settings: Settings) -> float:
    """Run one ``simple-task`` to its end on ``settings``; returns the seconds it took."""
    from agent_console.bootstrap import build

    console = build(settings)
    console.start_worker()
    try:
        began = time.monotonic()
        new = NewJob(job_type="simple-task", input_data={"userId": "verify", "action": "verify"})
        job = console.services.jobs.enqueue(operator(), new).job
        _await_end(console, operator(), job.id)
        return time.monotonic() - began
    finally:
        console.stop()


def walk(settings: Settings, *, as_json: bool) -> None:
    """Do the walk on ``settings`` and print what happens."""
    from agent_console.bootstrap import build

    console = build(settings)
    console.start_worker()
    try:
        result = _walk(console, operator(), quiet=as_json)
    finally:
        console.stop()
    if as_json:
        document(result)


def _walk(console: Console, actor: Actor, *, quiet: bool) -> dict[str, object]:
    tell: Callable[[str], None] = (lambda _line: None) if quiet else say
    began = time.monotonic()
    services = console.services
    new = NewJob(
        job_type="code-generation",
        task_description="Write a package that greets",
        input_data={
            "description": "A package that greets",
            "files": [dict(file) for file in FILES],
        },
    )
    job = services.jobs.enqueue(actor, new).job
    tell(f"1. enqueued     {job.id}")
    waiting = _until(
        console,
        lambda: next(
            (
                each
                for each in services.review.for_job(actor, job.id)
                if each.status is CheckpointStatus.PENDING
            ),
            None,
        ),
        "a checkpoint",
    )
    tell("2. checkpoint   the job waits for a person; nothing is written yet")
    if not quiet:
        card(waiting)
    services.review.decide(
        actor,
        waiting.id,
        Verdict(verb=CheckpointVerb.APPROVE, payload_digest=waiting.payload_digest),
    )
    tell("3. approved     the job goes on with exactly what was shown")
    done = _await_end(console, actor, job.id)
    tell(f"4. {done.job.status.value.lower():<12} files: {', '.join(f['path'] for f in FILES)}")
    metrics = [
        line
        for line in console.metrics.render().decode().splitlines()
        if line.startswith(("agent_jobs_total", "agent_checkpoints_total"))
        and not line.endswith(" 0.0")
    ]
    tell("5. metrics      " + "\n                ".join(metrics))
    seconds = round(time.monotonic() - began, 2)
    tell(f"All of it took {seconds} s.")
    return {
        "jobId": job.id,
        "checkpointId": waiting.id,
        "status": done.job.status.value,
        "artifacts": len(done.artifacts),
        "metrics": metrics,
        "seconds": seconds,
    }


def _await_end(console: Console, actor: Actor, job_id: str) -> JobDetail:
    def look() -> JobDetail | None:
        detail = console.services.jobs.get(actor, job_id)
        return detail if detail.job.status in FINISHED else None

    done = _until(console, look, "the end of the job")
    if done.job.status is not JobStatus.COMPLETED:
        why = f": {done.job.error.message}" if done.job.error else ""
        raise DemoFailed(f"The job ended {done.job.status.value}, not COMPLETED{why}")
    return done


def _until(console: Console, look: Callable[[], T | None], what: str) -> T:
    """Look again after every change until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        changes = console.changes()
        if (found := look()) is not None:
            return found
        console.await_change(changes, timeout=0.25)
    raise DemoFailed(f"Waited {PATIENCE:.0f} s for {what}.")
