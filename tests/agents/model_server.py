"""A server that speaks two providers' protocols and gives recorded answers: a program of its own.

``python model_server.py ANSWERS LOG``: ANSWERS is a JSON list, one entry per request, of

- ``tool``, ``arguments``: the call of a tool (a list ``calls`` of such: several), or ``text``;
- ``status``, ``headers``: a refusal; ``delay``: seconds until the server says anything;
- ``pause``: seconds between two pieces of a stream, ``piece``: characters of one;
- ``cut``: after so many pieces the stream breaks off, ``fails``: it reports an error instead;
- ``usage``: false leaves the tokens out.

The last entry is repeated. With ``when``, texts that must all be in the request, entries are not
taken in turn: the first that fits is the answer, as often as it fits. Every request's body becomes
a line of LOG, with its path. The port is printed. OpenAI's ``/v1/chat/completions`` and Anthropic's
``/v1/messages`` are answered, whole or as a stream, as the request wants it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = dict[str, Any]


class Answers(BaseHTTPRequestHandler):
    """Gives the answers in turn."""

    script: list[Answer] = []  # noqa: RUF012 - set once, before the server starts
    log = Path()
    lock = threading.Lock()
    count = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            number = Answers.count
            Answers.count += 1
            with self.log.open("a") as lines:
                lines.write(json.dumps({**body, "path": self.path}) + "\n")
        answer = self._answer(number, json.dumps(body, ensure_ascii=False))
        wait(answer.get("delay", 0))
        anthropic = self.path.startswith("/v1/messages")
        if answer.get("status", 200) != 200:
            self._whole(answer["status"], {"type": "error", "error": ERROR}, answer)
        elif body.get("stream"):
            self._stream(anthropic_events(answer) if anthropic else openai_events(answer), answer)
        else:
            self._whole(200, anthropic_message(answer) if anthropic else openai(answer), answer)

    def _answer(self, number: int, body: str) -> Answer:
        if any("when" in one for one in self.script):
            return next(one for one in self.script if all(t in body for t in one.get("when", ())))
        return self.script[min(number, len(self.script) - 1)]

    def _whole(self, status: int, reply: Any, answer: Answer) -> None:
        text = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def _stream(self, events: Iterator[str], answer: Answer) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        failure = f"event: error\ndata: {json.dumps({'type': 'error', 'error': BUSY})}\n\n"
        for sent, event in enumerate(events):
            if sent == answer.get("cut", -1):
                return
            try:
                self.wfile.write((failure if sent == answer.get("fails", -1) else event).encode())
                self.wfile.flush()
            except OSError:  # whoever asked has gone
                return
            wait(answer.get("pause", 0))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is in the log."""


ERROR = {"type": "some_error", "message": "no"}
BUSY = {"type": "overloaded_error", "message": "too busy to go on"}


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def calls(answer: Answer) -> list[tuple[str, str]]:
    """Return names and argument texts of the calls that an answer makes."""
    listed = answer.get("calls") or ([answer] if "tool" in answer else [])
    return [(one["tool"], json.dumps(one["arguments"], ensure_ascii=False)) for one in listed]


def pieces(text: str, answer: Answer) -> list[str]:
    size = answer.get("piece", 24)
    return [text[start : start + size] for start in range(0, len(text), size)]


def openai(answer: Answer) -> Any:
    """Return a chat completion."""
    asked = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": text}}
        for n, (name, text) in enumerate(calls(answer))
    ]
    message = {"role": "assistant", "content": answer.get("text"), "tool_calls": asked or None}
    reply = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "recorded",
        "choices": [
            {"index": 0, "finish_reason": "tool_calls" if asked else "stop", "message": message}
        ],
    }
    return reply | OPENAI_USAGE if answer.get("usage", True) else reply


OPENAI_USAGE = {"usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}}


def openai_events(answer: Answer) -> Iterator[str]:
    """Yield a chat completion as server-sent events."""

    def chunk(delta: Any, **more: Any) -> str:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
        for choice in choices:
            choice |= {key: more.pop(key) for key in ["finish_reason"] if key in more}
        data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        return f"data: {json.dumps(data | {'model': 'recorded', 'choices': choices} | more)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(answer.get("text", ""), answer):
        yield chunk({"content": piece})
    for n, (name, text) in enumerate(calls(answer)):
        head = {"name": name, "arguments": ""}
        call: dict[str, Any] = {"index": n, "id": f"call_{n}", "type": "function"}
        yield chunk({"tool_calls": [call | {"function": head}]})
        for piece in pieces(text, answer):
            yield chunk({"tool_calls": [{"index": n, "function": {"arguments": piece}}]})
    yield chunk({}, finish_reason="tool_calls" if calls(answer) else "stop")
    if answer.get("usage", True):
        yield chunk(None, **OPENAI_USAGE)
    yield "data: [DONE]\n\n"


def anthropic_message(answer: Answer) -> Any:
    """Return a message."""
    content: list[Any] = [{"type": "text", "text": answer["text"]}] if "text" in answer else []
    content += [
        {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": json.loads(text)}
        for n, (name, text) in enumerate(calls(answer))
    ]
    return message(content, "tool_use" if calls(answer) else "end_turn", 10)


def message(content: list[Any], reason: str | None, written: int) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "recorded",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": written},
    }


def anthropic_events(answer: Answer) -> Iterator[str]:
    """Yield a message as server-sent events."""

    def event(kind: str, **data: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind} | data)}\n\n"

    yield event("message_start", message=message([], None, 1))
    blocks: list[tuple[Any, str, str, str]] = [
        ({"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": {}}, text,
         "input_json_delta", "partial_json")
        for n, (name, text) in enumerate(calls(answer))
    ]  # fmt: skip
    if "text" in answer:
        blocks.insert(0, ({"type": "text", "text": ""}, answer["text"], "text_delta", "text"))
    for index, (block, text, kind, field) in enumerate(blocks):
        yield event("content_block_start", index=index, content_block=block)
        for piece in pieces(text, answer):
            yield event("content_block_delta", index=index, delta={"type": kind, field: piece})
        yield event("content_block_stop", index=index)
    reason = "tool_use" if calls(answer) else "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield event("message_delta", delta=delta, usage={"output_tokens": 10})
    yield event("message_stop")


def main() -> None:
    """Serve until killed."""
    Answers.script = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Answers.log = Path(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print(server.server_port, flush=True)  # noqa: T201 - how the test learns the port
    server.serve_forever()


if __name__ == "__main__":
    main()
