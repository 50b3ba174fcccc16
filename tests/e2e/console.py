"""The console as an operating-system process: what ``make run`` ends with."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from tests.e2e.polling import until

ROOT = Path(__file__).resolve().parents[2]
# One port for all runs keeps the built pages fresh: the address is part of them.
PREFERRED_PORT = 34517
COMMAND = "from agent_console.cli import main; main()"
NEVER_THERE = "http://127.0.0.1:9"  # a host that may be called and does not answer
START_LIMIT = 110.0  # seconds, a build of the pages on a busy machine included


def own_loopback() -> str:
    """Return a loopback address of this test process's own, so that several share one port.

    Browsers know every console as ``localhost``, and are told what that is (``launch``).
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    return f"127.0.0.{number}"


def pick_address() -> tuple[str, int]:
    """Return the preferred port at this process's address, or whatever is free on 127.0.0.1."""
    for host, port in ((own_loopback(), PREFERRED_PORT), ("127.0.0.1", 0)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return host, int(probe.getsockname()[1])
    raise RuntimeError("no free port")


class ConsoleProcess:
    """``agent-console serve`` with a data directory of its own; may be killed and started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Keep everything in ``folder``; ``environment`` is added to the process's own."""
        self.folder = folder
        self.host, self.port = pick_address()
        self.url = f"http://localhost:{self.port}"  # for browsers, where names are mapped
        self.address = f"http://{self.host}:{self.port}"  # for everybody else
        self.workspace = folder / "workspace"
        self.log = folder / "console.log"
        self._added = environment
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.workspace.mkdir(exist_ok=True)
        self.tokens: dict[str, str] = json.loads(self._run("-m", "tests.e2e.make_accounts"))

    def start(self) -> None:
        """Start serving and wait until it is ready; one that does not get ready is ended."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "serve"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def revive(self) -> None:
        """Start serving unless it is: a test that failed may have left it stopped."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """End server and supervisor at once, with no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop and wait until it has."""
        self._end(signal.SIGTERM)

    def api(self, role: str) -> httpx.Client:
        """Return a client of the REST interface with the token of ``role``."""
        bearer = {"Authorization": f"Bearer {self.tokens[role]}"}
        # Nothing to verify over plain HTTP; reading the certificates takes longer than a request.
        return httpx.Client(base_url=self.address, headers=bearer, timeout=20, verify=False)

    def tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _answers(self) -> bool:
        """Say whether this console, not another one on the same port, is ready."""
        try:
            with self.api("viewer") as client:
                ready = client.get("/health/ready").status_code == 200
                return ready and client.get("/api/agent-jobs").status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, sign)
        process.wait(timeout=60)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOST": self.host,
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "AGENT_CONSOLE_DATA_DIR": str(self.folder),
            "AGENT_CONSOLE_WORKSPACE": str(self.workspace),
            "AGENT_CONSOLE_DRAIN_TIMEOUT": "5",
            "AGENT_CONSOLE_UNDO_SECONDS": "0",  # nobody here waits for it but its own test
            "AGENT_CONSOLE_HTTP_ALLOW": NEVER_THERE,
            "AGENT_CONSOLE_HTTP_ALLOW_PRIVATE": "127.0.0.0/8",
            "AGENT_CONSOLE_HTTP_BREAKER_FAILURES": "3",
            **self._added,
        }

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-4000:])
        return done.stdout.strip().splitlines()[-1]

    def _wait_until_ready(self) -> None:
        def answers() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"the console ended:\n{self.tail()}")
            return self._answers()

        try:
            until(answers, "the console", START_LIMIT)
        except AssertionError as late:
            raise RuntimeError(f"{late}:\n{self.tail()}") from late
