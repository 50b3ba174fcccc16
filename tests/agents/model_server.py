"""A server that speaks the OpenAI protocol and gives recorded answers: a program of its own.

``python model_server.py ANSWERS LOG``: ANSWERS is a JSON list, one entry per request, of
``{"status", "headers", "tool", "arguments", "text", "delay"}``; the last one is repeated. Every
request's body becomes a line of LOG. The port is printed.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Answers(BaseHTTPRequestHandler):
    """Gives the answers in turn."""

    script: list[dict[str, Any]] = []  # noqa: RUF012 - set once, before the server starts
    log = Path()
    lock = threading.Lock()
    count = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            number = Answers.count
            Answers.count += 1
            with self.log.open("ab") as lines:
                lines.write(body.replace(b"\n", b" ") + b"\n")
        answer = self.script[min(number, len(self.script) - 1)]
        threading.Event().wait(answer.get("delay", 0))
        status = answer.get("status", 200)
        reply = completion(number, answer) if status == 200 else {"error": {"message": "no"}}
        text = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is in the log."""


def completion(number: int, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that calls a tool, or (with ``text``) one in words."""
    if "text" in answer:
        spoken = {"role": "assistant", "content": answer["text"]}
        return envelope(number, {"index": 0, "finish_reason": "stop", "message": spoken})
    call = {"name": answer["tool"], "arguments": json.dumps(answer["arguments"])}
    calls = [{"id": f"call_{number}", "type": "function", "function": call}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return envelope(number, {"index": 0, "finish_reason": "tool_calls", "message": message})


def envelope(number: int, choice: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with the only ``choice`` there is."""
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "recorded",
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


def main() -> None:
    """Serve until killed."""
    Answers.script = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Answers.log = Path(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print(server.server_port, flush=True)  # noqa: T201 - how the test learns the port
    server.serve_forever()


if __name__ == "__main__":
    main()
