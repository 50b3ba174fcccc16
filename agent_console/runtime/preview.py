"""What a run is writing at the moment, for the people who watch: bounded, throttled, not kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from agent_console.domain.errors import Unavailable
from agent_console.domain.redaction import redact_text
from agent_console.runtime.notebook import FLUSH_AFTER, storable_text
from agent_console.store import previews
from agent_console.store.database import Database
from agent_console.store.engine_values import RunKey

LIMIT = 4_096  # bytes of UTF-8 that are shown: the end of the text
_CUT = "…"

_log = logging.getLogger(__name__)


class Buffered(Protocol):
    """Something that wants to be written soon."""

    def flush(self) -> None:
        """Write what is buffered."""


class Preview:
    """The live text of one run. Only the last word is written, at most every ``FLUSH_AFTER`` s.

    ``schedule`` is told that ``flush`` is wanted ``FLUSH_AFTER`` seconds later; None (no worker
    around) writes at once what comes late enough after the last.
    """

    __slots__ = ("_db", "_key", "_lock", "_next", "_schedule", "_shown", "_text", "_write_lock")

    def __init__(
        self, db: Database, key: RunKey, schedule: Callable[[Buffered], None] | None
    ) -> None:
        """Begin with nothing to show."""
        self._db, self._key, self._schedule = db, key, schedule
        self._text: str | None = None  # to be written
        self._shown = ""  # as it stands in the database, as far as known here
        self._next = 0.0  # when the next one may be written without a schedule, monotonic
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()  # a late flush must not come after the removal

    def show(self, text: str) -> None:
        """Show the end of ``text``; an empty one takes away what is shown.

        Raises:
            LostClaim: the run no longer owns its job.
        """
        if not text:
            self.remove()
            return
        with self._lock:
            first, self._text = self._text is None, text
        if self._schedule is not None:
            if first:
                self._schedule(self)
        elif monotonic() >= self._next:
            try:
                self.flush()
            except Unavailable as error:
                _log.debug("the preview of job %s has to wait: %s", self._key.job_id, error)

    def flush(self) -> None:
        """Write the last word; in an outage it stays buffered.

        Raises:
            LostClaim: the run no longer owns its job.
            Unavailable: the database cannot serve now.
        """
        with self._write_lock:
            with self._lock:
                text, self._text = self._text, None
            if text is None:
                return
            end = tail(text)
            if end == self._shown:
                return
            try:
                previews.show(self._db, self._key, end)
            except Unavailable:
                self._put_back(text)
                raise
            self._shown, self._next = end, monotonic() + FLUSH_AFTER

    def _put_back(self, text: str) -> None:
        with self._lock:
            if self._text is None:
                self._text = text

    def remove(self) -> None:
        """Take away what is shown and forget what is buffered.

        An outage leaves it to the sweep: without its run it is shown to nobody.
        """
        if self._text is None and not self._shown and not self._write_lock.locked():
            return  # nothing was ever shown: the case of most runs
        with self._lock:
            self._text = None
        with self._write_lock:
            if not self._shown:
                return
            self._shown = ""
            try:
                previews.remove(self._db, self._key)
            except Unavailable as error:
                _log.debug("the preview of job %s is left over: %s", self._key.job_id, error)


def tail(text: str) -> str:
    """Return the end of ``text`` as it may be stored and shown: without secrets, ``LIMIT`` long."""
    part = text[-2 * LIMIT :]  # room for what redaction makes shorter
    clean = storable_text(redact_text(part), len(part) * 16)
    raw = clean.encode()
    if len(raw) <= LIMIT and len(part) == len(text):
        return clean
    end = raw[-(LIMIT - len(_CUT.encode())) :].decode("utf-8", "ignore")
    head, space, rest = end.partition(" ")
    return _CUT + (rest if space and len(head) < LIMIT // 8 else end)
