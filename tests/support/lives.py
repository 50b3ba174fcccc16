"""One session of an agent, lived by processes that are killed wherever something was recorded.

``python -m tests.support.lives ORDER``: each life is a forked child that runs what is due, then
decides what waits as the order says. It kills itself at the first moment at which none died
before; the next life begins after it. Deaths become lines of ``deaths.log``, calls of the search
tool lines of ``searches.log``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessagesTypeAdapter

from agent_console.agents import assisted
from agent_console.agents.definition import read_definition
from agent_console.agents.factory import make
from agent_console.agents.models import Models
from agent_console.domain import crashpoints
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.jobs import FINISHED
from agent_console.store.liveness import rescue
from agent_console.testing import Bench

LIMIT = 200  # lives; more is a session that does not get on
# Once after every decision; of the other labels, once for each thing that they record.
BETWEEN = ("run.started", "resume.decision_read", "decide.before_commit", "decide.committed")
RECORDED = (
    "step.committed",
    "usage.committed",
    "note.committed",
    "artifact.committed",
    "suspend.committed",
    "finish.before_commit",
    "finish.committed",
)
LABELS = BETWEEN + RECORDED
# Loaded once, not in every life.
LOADED = (
    "agent_console.agents.writing",
    "anthropic",
    "anyio._backends._asyncio",
    "bm25s",
    "genai_prices.data",
    "openai.lib._chat_completion_resources",
    "openai.lib.streaming.chat",
    "openai.resources.chat.chat",
    "pydantic_ai.models.anthropic",
    "pydantic_ai.models.openai",
    "pydantic_ai.providers.anthropic",
    "pydantic_ai.providers.openai",
)

Order = dict[str, Any]


def main() -> int:
    """Live until the session is over; return 1 if a life ended otherwise than by SIGKILL."""
    order: Order = json.loads(sys.argv[1])
    tempfile.tempdir = order["folder"]  # what the killed leave behind goes with the test
    for module in LOADED:
        import_module(module)
    ModelMessagesTypeAdapter.validate_python([])  # its schema is made when it is first used
    for life in range(LIMIT):
        child = os.fork()
        if child == 0:
            _live(order, life)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return os.WEXITSTATUS(status)
    return 1


def _live(order: Order, life: int) -> None:
    code = 1
    try:
        _run(order, life)
        code = 0
    except BaseException:  # noqa: BLE001 - told to whoever reads the output of the test
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(order: Order, life: int) -> None:
    _watch_searches(Path(order["folder"]) / "searches.log")
    agent = make(
        read_definition(order["agent"], "order"), Models(order["model"], order["base_url"])
    )
    bench = Bench(agent, url=order["url"])
    bench.clock.advance(120 * (life + 1))  # whoever lived before is found dead
    with bench:
        job = order["job"]
        crashpoints.arm(_Reaper(bench, job, Path(order["folder"]) / "deaths.log").passed)
        rescue(bench.db, 15.0, LIMIT)
        while bench.job(job).status not in FINISHED:
            if not bench.run():
                _decide(bench, job, order["verdicts"][_decided(bench, job)])


def _decide(bench: Bench, job: str, verdict: dict[str, Any]) -> None:
    verb, *words = verdict["verb"].split(" ", 1)
    if verb == "approve":
        bench.approve(job, **({"edited_data": verdict["data"]} if "data" in verdict else {}))
    elif verb == "reject":
        bench.reject(job, words[0])
    else:
        bench.request_changes(job, words[0])


def _decided(bench: Bench, job: str) -> int:
    return sum(
        one.checkpoint_type is CheckpointType.APPROVAL_REQUIRED
        and one.status is not CheckpointStatus.PENDING
        for one in bench.checkpoints(job)
    )


def _watch_searches(log: Path) -> None:
    search = assisted._Desk._search

    def watched(self: assisted._Desk, args: Any) -> Any:
        with log.open("a") as lines:
            lines.write(args.model_dump_json() + "\n")
        return search(self, args)

    assisted._Desk._search = watched  # type: ignore[method-assign]


class _Reaper:
    """Kills the process at a moment at which none died before."""

    def __init__(self, bench: Bench, job: str, log: Path) -> None:
        self._log = log
        self._known = set(log.read_text().splitlines()) if log.exists() else set()
        self._passed = 0
        self._at = f"{_decided(bench, job)} {len(bench.steps(job))}"
        self._round = f"{_decided(bench, job)}"

    def passed(self, label: str) -> None:
        if label not in LABELS:
            return
        key = f"{label} {self._round}"
        if label in RECORDED:
            self._passed += 1
            key = f"{label} {self._at} {self._passed}"
        if key not in self._known:
            with self._log.open("a") as lines:
                lines.write(key + "\n")
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
