"""A local server process that stands for a provider of language models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_console.agents.models import Models

SERVER = Path(__file__).parents[1] / "agents" / "model_server.py"


@dataclass(frozen=True)
class ModelServer:
    """A running server with recorded answers."""

    origin: str
    log: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What it was asked so far: bodies, with the ``path``."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def base_url(self, provider: str = "openai") -> str:
        """Return the address as that provider's client wants it."""
        return f"{self.origin}/v1" if provider == "openai" else self.origin

    def models(self, provider: str = "openai", **facts: Any) -> Models:
        """Return the choice of this server's only model."""
        return Models(f"{provider}:recorded", self.base_url(provider), **facts)


Serve = Callable[..., ModelServer]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Yield a function that starts a server with the given answers; it ends with the block."""
    running: list[subprocess.Popen[str]] = []

    def start(*answers: dict[str, Any]) -> ModelServer:
        name = f"answers-{len(running)}"
        script, log = folder / f"{name}.json", folder / f"{name}.log"
        script.write_text(json.dumps(answers))
        log.touch()
        process = subprocess.Popen(
            [sys.executable, str(SERVER), str(script), str(log)], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        return ModelServer(f"http://127.0.0.1:{process.stdout.readline().strip()}", log)

    try:
        yield start
    finally:
        for process in running:
            process.kill()
            process.communicate()
