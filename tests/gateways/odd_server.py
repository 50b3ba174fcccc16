"""An HTTP server with bad habits, on one address of loopback: a process of its own.

``python odd_server.py ADDRESS PORT LOG [CERTIFICATE]``; port 0 takes any. Every request becomes a
JSON line of LOG. The port is printed.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Odd(BaseHTTPRequestHandler):
    """Does what the path says."""

    log = Path()
    lock = threading.Lock()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        line = {"path": self.path, "headers": headers, "body": body}
        with self.lock, self.log.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        getattr(self, "_" + self.path.strip("/").split("?")[0].replace("-", "_"), self._hello)()

    def _hello(self) -> None:
        self._send(200, b'{"hello": "world"}', {"Content-Type": "application/json"})

    def _redirect(self) -> None:
        self._send(302, b"", {"Location": "http://127.0.0.1:1/secret"})

    def _large(self) -> None:
        self._send(200, b"x" * 3_000_000, {})

    def _zipped(self) -> None:
        self._send(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})

    def _fail(self) -> None:
        self._send(500, b"no", {})

    def _hang(self) -> None:
        threading.Event().wait(30)

    def _drip_head(self) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
            self._drop(letter)

    def _drip_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for letter in b"b" * 1000:
            self._drop(letter)

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\x01\x02 not HTTP\r\n\r\n")

    def _drop(self, letter: int) -> None:
        self.wfile.write(bytes([letter]))
        self.wfile.flush()
        threading.Event().wait(0.05)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is in the log."""


def main() -> None:
    """Serve until killed."""
    Odd.log = Path(sys.argv[3])
    server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Odd)
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)  # noqa: T201 - how the test learns the port
    server.serve_forever()


if __name__ == "__main__":
    main()
