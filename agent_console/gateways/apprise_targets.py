"""Mail and chat by the apprise library: the one place that knows it.

It makes connections of its own, which do not go through the check of addresses
(``gateways.http``); so only services that the settings name are used. Its addresses are secrets,
and it writes them to its log: that log is read here, and goes nowhere else.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from agent_console.domain.errors import ConsoleError, Invalid
from agent_console.domain.redaction import conceal

MAX_TARGET: Final = 2_000  # characters
MAX_ERROR: Final = 300
# Options that say where to and by whom. Others read files of this machine (templates, keys), turn
# certificates off, or hold a thread up with tries of their own.
OPTIONS: Final = frozenset(
    {"to", "from", "cc", "bcc", "name", "reply", "smtp", "user", "pass", "mode", "thread", "topic"}
)
_PIECES = re.compile(r"[/:@?&=,#+\s]+")
_ADDRESS = re.compile(r"\S*://\S*")  # the library shows the ends of what it hides
_KEY = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{8,}|.{20,}")  # what a key in a path looks like
_TELLING: Final = 4  # characters; shorter pieces of an address stand in innocent words


class NotSent(ConsoleError):
    """The message could not be sent."""

    code = "not_sent"


class AppriseTargets:
    """Sends to services by their ``schemes``, such as ``slack``."""

    def __init__(self, schemes: Sequence[str], timeout: float) -> None:
        """Wait ``timeout`` seconds for each connection and answer.

        Nothing is loaded yet: the library is large, and most processes send nothing.
        """
        self.schemes = tuple(schemes)
        self._timeout = timeout

    def check(self, url: str) -> str:
        """Return what may be shown of ``url``, such as ``slack://…``.

        Raises:
            Invalid: it is no address of a service that may be used; the message does not repeat
                it.
        """
        scheme = self._scheme(url)
        conceal_target(url)
        try:
            options = [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
        except ValueError:
            raise Invalid.field("target", "is not a URL.") from None
        strange = next((name for name in options if name.lower() not in OPTIONS), None)
        if strange is not None:
            known = ", ".join(sorted(OPTIONS))
            raise Invalid.field("target", f"has an option that is not allowed; known are {known}.")
        with _overheard():
            if self._service(url) is None:
                raise Invalid.field("target", f"is not an address that {scheme}:// understands.")
        return f"{scheme}://…"

    def send(self, url: str, title: str, body: str) -> None:
        """Send a plain text; it returns once the other side has taken it.

        Raises:
            Invalid: the service may not be used any more.
            NotSent: it was not taken; the message holds nothing of ``url``.
        """
        self._scheme(url)
        conceal_target(url)
        with _overheard() as said:
            service = self._service(url)
            sent = service is not None and service.notify(
                title=title, body=body, body_format="text"
            )
        if not sent:
            raise NotSent(_without(" ".join(said), url)[:MAX_ERROR] or None)

    def _scheme(self, url: str) -> str:
        scheme, mark, rest = url.partition("://")
        if not (mark and rest and len(url) <= MAX_TARGET and url.isprintable()):
            raise Invalid.field("target", "must be a URL of the form scheme://….")
        scheme = scheme.lower()
        if scheme not in self.schemes:
            listed = ", ".join(self.schemes) or "none"
            why = f"has a scheme that is not allowed (AGENT_CONSOLE_NOTIFY_SCHEMES: {listed})."
            raise Invalid.field("target", why)
        return scheme

    def _service(self, url: str) -> Any:
        apprise = _library()
        asset = apprise.AppriseAsset(
            app_id="agent_console",
            app_desc="agent_console",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            async_mode=False,
            secure_logging=True,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is not None:
            service.socket_connect_timeout = service.socket_read_timeout = self._timeout
            service.overflow_mode = apprise.OverflowMode.SPLIT  # what a chat takes at once is short
        return service


@cache
def _library() -> Any:
    """Return the library with all its services loaded: half a second, only where it is needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies, about coming Pythons
        import apprise  # noqa: PLC0415 - see above

        apprise.Apprise.instantiate("json://localhost")
    return apprise


def conceal_target(url: str) -> None:
    """Take ``url`` out of whatever this process logs from now on, and its telling parts.

    What is no address holds no key, and may be a word that stands in innocent lines.
    """
    if "://" not in url:
        return
    conceal(url)
    try:
        parts = urlsplit(url)
        given = [value for name, value in parse_qsl(parts.query) if name.lower() == "pass"]
    except ValueError:
        return
    # A plain word in a path, such as the name of a topic, stands in innocent lines as well.
    keys = [one for one in parts.path.split("/") if _KEY.fullmatch(one)]
    for secret in (parts.password, *keys, *given):
        if secret and "@" not in secret:  # an address that mail goes to stands in other places
            conceal(secret)
            conceal(unquote(secret))


def _without(text: str, url: str) -> str:
    """Return ``text`` without any address, nor a part of ``url``."""
    text = _ADDRESS.sub("…", text)
    pieces = {*_PIECES.split(url), *_PIECES.split(unquote(url))}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _TELLING:
            text = text.replace(piece, "…")
    return text


class _Overhearing(logging.Filter):
    """Stops whatever the library says, and keeps it for the thread that waits for it.

    A filter, not a handler: reports of errors (Sentry) hook in before handlers are asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        said: list[str] | None = getattr(self.waiting, "said", None)
        if said is not None:
            said.append(record.getMessage())
        return False


_OVERHEARING = _Overhearing()


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Collect what the library complains of; nothing of it reaches any log."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.addFilter(_OVERHEARING)  # once, however often it is asked for
    # What it is built on writes paths, which hold tokens.
    for name in ("urllib3", "requests", "oauthlib", "requests_oauthlib", "MARKDOWN"):
        logging.getLogger(name).setLevel(logging.ERROR)
    said: list[str] = []
    _OVERHEARING.waiting.said = said
    try:
        yield said
    finally:
        _OVERHEARING.waiting.said = None
