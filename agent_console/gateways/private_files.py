"""Files that only their owner may read: replaced whole, durable, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_console.domain.errors import Misconfigured, Unavailable

PRIVATE = 0o600
_LOCK_WAIT, _LOCK_PAUSE = 10.0, 0.01  # seconds; a change takes milliseconds


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``path``: before and after a crash it is whole.

    Raises:
        OSError: as the system says; the file that was there is untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes | None:
    """Return what ``path`` holds, None when there is no such file.

    Raises:
        Misconfigured: somebody else may read it, or we may not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise Misconfigured(
                f"{path} may be read by others (mode {mode:o}). Run: chmod 600 {path}"
            )
        return file.read()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` alone; the lock goes with the process, even in a crash.

    Raises:
        Unavailable: another process has held it for ten seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    deadline = time.monotonic() + _LOCK_WAIT
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(f"Another process holds {path}.") from None
                time.sleep(_LOCK_PAUSE)
        yield
    finally:
        os.close(descriptor)
