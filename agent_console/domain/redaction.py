"""Secrets taken out of values and texts before they are logged, reported or shown.

One boundary for logs, error reports and payload previews. Redacting twice changes nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

REDACTED = "[redacted]"
_MAX_DEPTH = 100

_SECRET_KEY = re.compile(
    r"passw(or)?d|passwd|passphrase|pwd$|secret|token|api_?key|access_?key|private_?key|"
    r"signing_?key|encryption_?key|authorization|^auth$|cookie|credential|^dsn$|_dsn$|"
    r"session_?(id|key)$|client_?assertion|otp$|pin_?code"
)
# Figures and descriptions about tokens are not tokens.
_HARMLESS_KEY = re.compile(
    r"(max|min|total|prompt|completion|input|output|cached|reasoning)_?tokens$|"
    r"tokens?_(count|limit|used|usage|type|name|kind)$|^tokens$|secret_?name$|token_?url$"
)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_NAMES = (
    r"passw(?:or)?d|passwd|passphrase|pwd|(?:client[_-]?)?secret|(?:api|access|private)[_-]?key|"
    r"(?:(?:access|refresh|id|auth|csrf)[_-]?)?token|ac_session|session[_-]?id"
)
# Group 1 of each is what may stay. All are linear: bounded repeats, none nested.
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        (
            r"(?s)()-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
            r".*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
        ),
        r"(?i)(\b(?:set-)?cookie\s{0,4}[:=]\s{0,4})[^\r\n]+",
        (
            r"(?i)(\bauthorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?)"
            r"(?:(?:bearer|basic|digest|token)\s{1,4})?[^\s\"',;]+"
        ),
        r"(?i)(\b(?:bearer|basic)\s{1,4})[A-Za-z0-9._~+/=-]{20,}",
        r"(?i)(\b[a-z][a-z0-9+.-]{0,30}://)[^\s/@\"'<>]{1,512}@",
        (
            rf"(?i)(\b(?:[a-z0-9]{{1,40}}[_-])?(?:{_NAMES})[\"']?\s{{0,4}}[:=]\s{{0,4}}[\"']?)"
            r"[^\s\"'&,;\[\]{}]{1,4096}"
        ),
        r"()\bac_[A-Za-z0-9]{6,64}_[A-Za-z0-9_-]{20,}",  # this console's own API tokens
        r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",  # JSON Web Token
        r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
        r"()\b(?:gh[pousr]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}",  # GitHub, GitLab
        r"()\b[spr]k[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}",  # Stripe, model providers
        r"()\bxox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
        r"()\b(?:npm_|hf_|pypi-|AIza)[A-Za-z0-9_-]{20,}",
    )
)


SHORTEST = 8  # characters; what is shorter stands in too many innocent texts
_MOST_KNOWN = 1000
_known_lock = threading.Lock()
_known: dict[str, None] = {}  # in the order in which they became known
_longest_first: tuple[str, ...] = ()
_learned = 0


def conceal(secret: str | None) -> None:
    """Let ``redact_text`` take this value out wherever it stands, in this process.

    For secrets that the console holds itself: whoever hands one out conceals it first. Lines of
    a longer text (a key block) are taken out singly as well.
    """
    # One boundary for the process, like the patterns above.
    global _learned, _longest_first  # noqa: PLW0603
    if not secret:
        return
    parts = {secret, *secret.splitlines()}
    # What is part of the replacement itself would be replaced for ever.
    found = [part for part in parts if len(part.strip()) >= SHORTEST and part not in REDACTED]
    with _known_lock:
        if all(part in _known for part in found):
            return
        _known.update(dict.fromkeys(found))
        while len(_known) > _MOST_KNOWN:
            del _known[next(iter(_known))]
        _longest_first = tuple(sorted(_known, key=len, reverse=True))
        _learned += 1


def is_known(text: str) -> bool:
    """Say whether ``text`` is, as a whole, a value that was given to ``conceal``."""
    return text in _known


def learned() -> int:
    """Return how often ``conceal`` has learned: what was harmless before may not be any more."""
    return _learned


def redact(value: object) -> object:
    """Return ``value`` with secrets replaced; mappings and sequences are copied, never changed.

    Everything under a key that names a secret goes; texts are treated by ``redact_text``.
    Numbers and switches stay unless their key names a secret.
    """
    return _redact(value, 0)


def redact_text(text: str) -> str:
    """Return ``text`` without tokens, passwords, cookies, key blocks, URL credentials.

    Values that were given to ``conceal`` go wherever they stand.
    """
    for secret in _longest_first:
        if secret in text:
            text = text.replace(secret, REDACTED)
    for pattern in _PATTERNS:
        text = pattern.sub(_blank, text)
    return text


def names_secret(key: str) -> bool:
    """Say whether a field of this name holds a secret (``apiKey``, ``X-Auth-Token``, …)."""
    snake = re.sub(r"[^a-z0-9]+", "_", _WORD_BREAK.sub("_", key).lower()).strip("_")
    return bool(_SECRET_KEY.search(snake)) and not _HARMLESS_KEY.search(snake)


def _blank(match: re.Match[str]) -> str:
    tail = "@" if match[0].endswith("@") and match[1].endswith("://") else ""
    return f"{match[1]}{REDACTED}{tail}"


def _redact(value: object, depth: int) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if depth > _MAX_DEPTH:
        return REDACTED
    if isinstance(value, Mapping):
        return {key: _redact_field(key, item, depth) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, depth + 1) for item in value]
    if isinstance(value, tuple):
        return tuple(_redact(item, depth + 1) for item in value)
    return value


def _redact_field(key: object, item: object, depth: int) -> object:
    if isinstance(key, str) and item not in (None, "") and names_secret(key):
        return REDACTED
    return _redact(item, depth + 1)
