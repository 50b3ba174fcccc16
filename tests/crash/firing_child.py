"""A process that fires what is due at a given instant, and is killed on the way."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime

from agent_console.domain import crashpoints
from agent_console.runtime.registry import Registry
from agent_console.services.schedule_fires import fire_due
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.crash.handlers import quick


def main() -> None:
    """Take a database, an instant, a label, and at which passing of it to die."""
    url, now, label, nth = sys.argv[1:]
    left = int(nth)

    def passed(here: str) -> None:
        nonlocal left
        left -= here == label
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    crashpoints.arm(passed)
    fire_due(Database(url, clock=FakeClock(datetime.fromisoformat(now))), Registry([quick]))


if __name__ == "__main__":
    main()
