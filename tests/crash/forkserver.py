"""A process that has imported everything once and forks a child per order.

Forking a warm process costs some milliseconds, starting Python and importing the engine most of a
second. The server itself never starts a thread and never opens a database.

Orders come line by line on standard input; for each, the child's pid and, later, how it ended
(minus the signal, or the exit code) are printed as a line each.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import traceback
from pathlib import Path

from tests.crash.child import Order, run

ROOT = Path(__file__).resolve().parents[2]


class ForkServer:
    """The parent's side. One child at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.forkserver"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def spawn(self, order: Order) -> int:
        """Start a child; return its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(order.to_json() + "\n")
        self._process.stdin.flush()
        return self._number()

    def ends_within(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the child's end; say whether it came. ``wait`` tells how."""
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def wait(self) -> int:
        """Wait for the child's end; return minus the signal, or its exit code."""
        return self._number()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _number(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fork server has gone")
        return int(line)


def _child(order: Order) -> int:
    try:
        run(order)
    except BaseException:  # noqa: BLE001 - a forked child must not return into the server's loop
        traceback.print_exc()
        return 1
    return 0


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        order = Order.from_json(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_child(order))
        _answer(pid)
        _, status = os.waitpid(pid, 0)
        _answer(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
