"""Word that somebody wrote to a SQLite file, from the system where it gives it."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

if sys.platform == "linux":
    from inotify_simple import INotify, flags

LOOK = 0.025  # seconds between looks where the system gives no word
LOOK_ANYWAY = 0.25  # seconds, where it does: a write from another machine is not heard

_log = logging.getLogger(__name__)


class FileWrites:
    """Waits for writes to the log of a SQLite file, by whichever process of this machine."""

    def __init__(self, path: str) -> None:
        """Begin to listen; the folder of ``path`` exists."""
        self._log = Path(f"{path}-wal")
        self._ended = threading.Event()
        self._closing = threading.Lock()
        self._notify: INotify | None = None
        if sys.platform == "linux":
            try:
                self._notify = INotify()
                # The folder, not the file: a log that is made anew must be heard as well.
                self._watch = self._notify.add_watch(self._log.parent, flags.MODIFY | flags.CREATE)
            except OSError as error:  # the system's limit of watches per user
                _log.warning("signals: looking at %s all the time: %s", path, error)
                self.close()

    def wait(self) -> bool:
        """Wait until it is time to look; say whether there was a write since the last wait."""
        if self._notify is None:
            self._ended.wait(LOOK)
            return False
        return any(e.name == self._log.name for e in self._notify.read(int(LOOK_ANYWAY * 1000)))

    def end(self) -> None:
        """End the wait under way; from any thread."""
        with self._closing:
            if self._notify is not None and not self._ended.is_set():
                self._notify.rm_watch(self._watch)  # which is an event, too
            self._ended.set()

    def close(self) -> None:
        """Listen no more."""
        with self._closing:
            if self._notify is not None:
                self._notify.close()
                self._notify = None
