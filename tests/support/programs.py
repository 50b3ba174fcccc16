"""Small servers as processes of their own, which say their port and end with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Program:
    """A running server on loopback."""

    process: subprocess.Popen[str]
    port: int

    def stop(self) -> None:
        """End it, and wait for its end."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(script: Path, *arguments: str | Path, **environment: str) -> Iterator[Program]:
    """Run ``script``, which prints its port, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    program = Program(process, int(process.stdout.readline()))
    try:
        yield program
    finally:
        program.stop()
        process.stdout.close()
