"""A Sentry transport that keeps what would have been sent."""

from __future__ import annotations

from typing import Any

from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport


class RecordingTransport(Transport):
    """Keeps payloads by their type: ``event`` or ``transaction``."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            payload = item.payload.json
            if payload is not None:
                self.sent.append((str(item.type), payload))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the payloads of ``kind`` in the order they were sent."""
        return [payload for sent, payload in self.sent if sent == kind]
