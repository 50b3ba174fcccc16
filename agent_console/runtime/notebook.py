"""What a run has to say on the side: log lines and progress, buffered and written in bulk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent_console.domain.clock import Clock
from agent_console.domain.errors import Invalid, TooLarge, Unavailable
from agent_console.domain.jobs import Json, Progress
from agent_console.domain.payload import check_json, dumps
from agent_console.domain.records import LogLevel
from agent_console.domain.redaction import redact, redact_text
from agent_console.store.database import Database
from agent_console.store.engine_values import NewLog, RunKey
from agent_console.store.runs import append_logs, set_progress

FLUSH_AFTER = 0.25  # seconds a line may wait in the buffer
FLUSH_LINES = 200
MAX_MESSAGE = 8_000  # characters
_MAX_DATA = 65_536  # bytes


class Notebook:
    """The buffer of one run. Lines are taken by ``finish`` or ``suspend``, or flushed before.

    ``schedule`` is told once per filled buffer that ``flush`` is wanted within ``FLUSH_AFTER``
    seconds; None (no worker around) writes every line at once.
    """

    __slots__ = (
        "_attempt",
        "_clock",
        "_db",
        "_key",
        "_lines",
        "_lock",
        "_progress",
        "_schedule",
        "_write_lock",
    )

    def __init__(
        self,
        db: Database,
        key: RunKey,
        attempt: int,
        clock: Clock,
        schedule: Callable[[Notebook], None] | None,
    ) -> None:
        """Begin empty."""
        self._db, self._key, self._attempt, self._clock = db, key, attempt, clock
        self._schedule = schedule
        self._lines: list[NewLog] = []
        self._progress: Progress | None = None
        self._lock = threading.Lock()
        # Held while writing: lines that are on their way must be in before the run ends its claim.
        self._write_lock = threading.Lock()

    def log(self, message: str, level: LogLevel, data: dict[str, object]) -> None:
        """Add a line; secrets are taken out, and nothing in it can fail the job."""
        line = NewLog(
            key=self._key,
            level=level,
            message=storable_text(redact_text(message), MAX_MESSAGE),
            attempt=self._attempt,
            at=self._clock.now(),
            data=_storable_data(data) if data else None,
        )
        self.add(line)

    def add(self, line: NewLog) -> None:
        """Add a line that is made already."""
        with self._lock:
            self._lines.append(line)
            first, full = self._is_first(), len(self._lines) >= FLUSH_LINES
        self._want_flush(first=first, full=full)

    def progress(self, progress: Progress) -> None:
        """Remember how far the handler says it is; only the last word is written."""
        with self._lock:
            first = not self._lines and self._progress is None
            self._progress = progress
        self._want_flush(first=first, full=False)

    def flush(self) -> None:
        """Write what is buffered; in an outage it stays buffered.

        Raises:
            LostClaim: the run no longer owns its job.
            Unavailable: the database cannot serve now.
        """
        with self._write_lock:
            lines, progress = self._empty()
            try:
                if progress is not None:
                    set_progress(self._db, self._key, progress)
                append_logs(self._db, lines)
            except Unavailable:
                self._put_back(lines, progress)
                raise

    def save_progress(self) -> None:
        """Write the last word on progress, if one is buffered.

        Raises:
            LostClaim: the run no longer owns its job.
            Unavailable: the database cannot serve now; the word stays buffered.
        """
        with self._lock:
            progress, self._progress = self._progress, None
        if progress is None:
            return
        try:
            set_progress(self._db, self._key, progress)
        except Unavailable:
            self._put_back([], progress)
            raise

    def take(self) -> list[NewLog]:
        """Hand over the lines that are left, for the transaction that ends the run."""
        if not self._lines and not self._write_lock.locked():
            return []
        with self._write_lock:
            return self._empty()[0]

    def _is_first(self) -> bool:
        return len(self._lines) == 1 and self._progress is None

    def _want_flush(self, *, first: bool, full: bool) -> None:
        if self._schedule is not None and not full:
            if first:
                self._schedule(self)
            return
        try:
            self.flush()
        except Unavailable:
            if self._schedule is not None:
                self._schedule(self)

    def _put_back(self, lines: list[NewLog], progress: Progress | None) -> None:
        with self._lock:
            self._lines[:0] = lines
            self._progress = self._progress or progress

    def _empty(self) -> tuple[list[NewLog], Progress | None]:
        with self._lock:
            lines, progress = self._lines, self._progress
            self._lines, self._progress = [], None
        return lines, progress


def storable_text(text: str, limit: int) -> str:
    """Return ``text`` as both databases can store it, cut after ``limit`` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit} more characters)"
    text = text.replace("\x00", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _storable_data(data: dict[str, object]) -> str:
    """Return the text of ``data``, redacted; what is no JSON is shown by its ``repr``."""
    shown: dict[str, Json] = {}
    for name, value in data.items():
        clean = redact({name: value})
        try:
            check_json(clean, name, limit=_MAX_DATA)
        except (Invalid, TooLarge):
            shown[storable_text(name, 80)] = storable_text(redact_text(repr(value)), MAX_MESSAGE)
        else:
            shown.update(clean)  # type: ignore[call-overload]
    return dumps(shown)
