"""Locked files that tell co-located processes at once when a worker has died.

The operating system drops a process's locks however it ends. A file appears under its final name
only when it is locked, so that nobody takes a worker for dead that is just starting.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_SUFFIX = ".lock"


class WorkerLocks:
    """The folder of lock files, ``<data>/workers``."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; it is made when the first lock is taken."""
        self._folder = folder
        self._held: dict[str, int] = {}

    def hold(self, worker_id: str) -> None:
        """Show that ``worker_id`` lives, until ``release`` or the end of the process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{worker_id}.new"
        fd = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        draft.rename(self._folder / f"{worker_id}{_SUFFIX}")
        self._held[worker_id] = fd

    def release(self, worker_id: str) -> None:
        """Show nothing any more: an orderly stop."""
        fd = self._held.pop(worker_id, None)
        if fd is not None:
            self.forget(worker_id)
            os.close(fd)

    def dead(self) -> list[str]:
        """Return the workers of this data directory whose processes are gone."""
        if not self._folder.is_dir():
            return []
        names = [path.stem for path in self._folder.glob(f"*{_SUFFIX}")]
        return sorted(name for name in names if name not in self._held and self._is_dead(name))

    def forget(self, worker_id: str) -> None:
        """Remove the file of a worker that needs no more attention."""
        (self._folder / f"{worker_id}{_SUFFIX}").unlink(missing_ok=True)

    def _is_dead(self, worker_id: str) -> bool:
        try:
            fd = os.open(self._folder / f"{worker_id}{_SUFFIX}", os.O_RDWR)
        except FileNotFoundError:  # it stopped in good order since the folder was read
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(fd)
        return True
