"""The process that holds the port and starts the server anew should it die.

``serve`` turns into it once all is prepared: what that needed of memory would otherwise be kept as
long as the console runs. It imports nothing of the console but this.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

TARGET = "agent_console.agent_console:app"


def become(host: str, port: int, kill_after: int) -> NoReturn:
    """Turn this process into the supervisor; see :func:`supervise`."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", __name__, host, str(port), str(kill_after)]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module


def supervise(host: str, port: int, kill_after: int) -> None:
    """Serve on ``host`` and ``port`` until told to end; then kill after ``kill_after`` seconds."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    logging.getLogger("_granian").setLevel(logging.WARNING)
    Server(
        target=TARGET,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        # A handler that takes the whole process down must not take the console away.
        respawn_failed_workers=True,
        workers_kill_timeout=kill_after,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    supervise(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
