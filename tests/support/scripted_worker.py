"""An external worker that does what its script says: a process of its own on 127.0.0.2.

``python scripted_worker.py PORT SCRIPT LOG``: SCRIPT is a JSON list with one entry per request, of
``{"status", "headers", "json", "text", "delay"}``; the last one is repeated. Every request becomes
a JSON line of LOG. Port 0 takes any. The port is printed.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Scripted(BaseHTTPRequestHandler):
    """Gives the answers of the script in turn."""

    script = log = Path()
    lock = threading.Lock()
    count = 0

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.lock:
            number = Scripted.count
            Scripted.count += 1
            self._note(body)
        script: list[dict[str, Any]] = json.loads(self.script.read_text("utf-8"))
        answer = script[min(number, len(script) - 1)]
        threading.Event().wait(answer.get("delay", 0))
        text = json.dumps(answer["json"]) if "json" in answer else answer.get("text", "")
        self.send_response(answer.get("status", 200))
        if "json" in answer:
            self.send_header("Content-Type", "application/json")
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _note(self, body: bytes) -> None:
        line = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "json": json.loads(body) if body else None,
        }
        with self.log.open("a") as lines:
            lines.write(json.dumps(line) + "\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is in the log."""


def main() -> None:
    """Serve until killed."""
    Scripted.script, Scripted.log = Path(sys.argv[2]), Path(sys.argv[3])
    server = ThreadingHTTPServer(("127.0.0.2", int(sys.argv[1])), Scripted)
    print(server.server_port, flush=True)  # noqa: T201 - how the test learns the port
    server.serve_forever()


if __name__ == "__main__":
    main()
