"""A process that asks, answers and goes on, and kills itself at a crash point.

``python -m tests.runtime.asking_process URL JOB LABEL``
"""

from __future__ import annotations

import os
import signal
import sys

from agent_console import JobContext, handler
from agent_console.domain import crashpoints
from agent_console.testing import Bench


@handler("ask", version="1")
def ask(ctx: JobContext) -> object:
    """Ask two things; the second question shows the first answer."""
    colour = ctx.ask("Which?", choices=["red", "green"])
    return [colour, ctx.ask("Sure?", answer=bool, data={"colour": colour})]


def main(url: str, job_id: str, label: str) -> None:
    """Live until ``label`` is passed."""

    def die(passed: str) -> None:
        if passed == label:
            os.kill(os.getpid(), signal.SIGKILL)

    with Bench(ask, url=url) as bench:
        crashpoints.arm(die)
        bench.run()
        bench.answer(job_id, "green")
        bench.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
