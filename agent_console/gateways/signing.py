"""Signatures of outgoing requests, in the form of Standard Webhooks (symmetric, ``v1``)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

from agent_console.domain.errors import Misconfigured

PREFIX = "whsec_"


def headers(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove ``body`` to whoever knows one of ``secrets``.

    ``timestamp`` is seconds since 1970; a receiver refuses old ones.

    Raises:
        Misconfigured: a secret begins with ``whsec_`` and what follows is no base64.
    """
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = (hmac.digest(_key(one), content, hashlib.sha256) for one in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }


def _key(secret: str) -> bytes:
    """Return the bytes of a secret: base64 after ``whsec_``, else the text itself."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Misconfigured("A signing key that begins with whsec_ must go on in base64.") from None
