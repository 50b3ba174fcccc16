"""The path sandbox: all that handlers may read or write lies below one root.

Every directory on the way is opened by descriptor and without following links, so a symlink put
in place after a check leads nowhere. POSIX only (``openat``, ``flock``).

Writing is all or nothing as far as a file system can be: every file of a batch is on disk under
a temporary name before the first is renamed. A crash between two renames leaves whole files,
old and new; writing the same batch again completes it. One exclusive lock per root (``flock`` on
the root itself) keeps batches of all processes apart.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent_console.domain.errors import ConsoleError, Invalid, TooLarge, Unavailable
from agent_console.domain.paths import check_path, check_paths
from agent_console.gateways.staging import Stage, open_folder, sweep

__all__ = ["MAX_FILE", "StaleBase", "Workspace", "WorkspaceUnavailable", "check_path"]

MAX_FILE = 1_048_576  # bytes of a file that ``read`` hands out
_CHUNK = 65_536
_LOCK_WAIT, _LOCK_PAUSE = 30.0, 0.01  # seconds; a batch takes milliseconds
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What the systems answer when O_NOFOLLOW meets a link, or a directory is needed and is none.
_LINK = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
_SPECIAL = frozenset({errno.EISDIR, errno.ENXIO, errno.ENODEV})


class StaleBase(ConsoleError):
    """Files changed since they were read; nothing was written."""

    code = "stale_base"
    status = 409

    def __init__(self, paths: list[str]) -> None:
        """Name the changed ``paths``."""
        self.paths = tuple(paths)
        super().__init__(
            f"Changed since they were read: {', '.join(paths)}. Nothing was written.", paths=paths
        )


class WorkspaceUnavailable(Unavailable):
    """The workspace could not be read or written."""

    code = "workspace_unavailable"


class Workspace:
    """Files below ``root``, addressed by relative paths with ``/``.

    The root is made when something is first written. Safe to use from any thread.
    """

    def __init__(self, root: Path) -> None:
        """Keep ``root``; nothing is opened yet."""
        self.root = root

    def exists(self, path: str) -> bool:
        """Say whether ``path`` is a regular file."""
        return self.digest(path) is not None

    def read(self, path: str) -> str | None:
        """Return the text of ``path``, None when there is no such file.

        Raises:
            Invalid: a bad path, a link or special file on the way, or not UTF-8.
            TooLarge: more than ``MAX_FILE`` bytes.
        """
        with _translated(path), self._file(path) as fd:
            if fd is None:
                return None
            if os.fstat(fd).st_size > MAX_FILE:
                raise TooLarge(f"{path} is larger than {MAX_FILE:,} bytes.", path=path)
            content = b"".join(_chunks(fd))
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Invalid.field(path, "is not UTF-8 text") from None

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of ``path`` in hexadecimal, None when there is no such file.

        Raises:
            Invalid: a bad path, or a link or special file on the way.
        """
        with _translated(path), self._file(path) as fd:
            return None if fd is None else _digest(fd)

    def short_digest(self, path: str) -> str | None:
        """Return what ``digest`` does; "" for a file of more than ``MAX_FILE`` bytes, unread.

        Raises:
            Invalid, WorkspaceUnavailable: as ``digest``.
        """
        with _translated(path), self._file(path) as fd:
            if fd is None:
                return None
            return "" if os.fstat(fd).st_size > MAX_FILE else _digest(fd)

    def write_all(
        self, files: Mapping[str, str], expect: Mapping[str, str | None] | None = None
    ) -> dict[str, str]:
        """Write all of ``files`` (path to text) and return their digests by path.

        ``expect`` holds the digest each file must still have (None: it must not exist). A file
        that already has the new text counts as written, so a batch may safely be repeated.

        Raises:
            Invalid: bad or colliding paths, or a link on the way. Nothing was written.
            StaleBase: a file is neither as expected nor already as wanted. Nothing was written.
            WorkspaceUnavailable: the disk is full, read-only, or a rename failed.
        """
        check_paths(files)
        wanted = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
        with _translated(""):
            self.root.mkdir(parents=True, exist_ok=True)
            with self._root() as root, _locked(root):
                pending = self._pending(wanted, expect)
                with Stage(root) as stage:
                    for path in pending:
                        with _translated(path):
                            stage.add(check_path(path), files[path].encode())
                    # Staging waits for the disk; somebody may have edited a file meanwhile.
                    self._pending(wanted, expect)
                    with _translated(""):
                        stage.publish()
        return wanted

    @contextmanager
    def held(self) -> Iterator[int | None]:
        """Keep every writer out; yield a descriptor of the root, None when there is none yet.

        Raises:
            WorkspaceUnavailable: another process holds it, or the system refuses.
        """
        if not self.root.is_dir():
            yield None
            return
        with ExitStack() as stack:
            with _translated(""):
                root = stack.enter_context(self._root())
                stack.enter_context(_locked(root))
            yield root

    def clean(self) -> int:
        """Remove unfinished files that crashed writers left; return how many."""
        if not self.root.is_dir():
            return 0
        with _translated(""), self._root() as root, _locked(root):
            return sweep(root)

    def _pending(
        self, wanted: Mapping[str, str], expect: Mapping[str, str | None] | None
    ) -> list[str]:
        """Return the paths still to be written; raise ``StaleBase`` when others came between."""
        now = {path: self.digest(path) for path in wanted}
        pending = [path for path in wanted if now[path] != wanted[path]]
        expected = expect or {}
        changed = [path for path in pending if path in expected and now[path] != expected[path]]
        if changed:
            raise StaleBase(changed)
        return pending

    @contextmanager
    def _root(self) -> Iterator[int]:
        # The root itself may be a link: where it lies is the operator's choice.
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _file(self, path: str) -> Iterator[int | None]:
        """Open ``path`` for reading; yield None when it, or a directory to it, is missing."""
        *parents, name = check_path(path)
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(self._root())
                for part in parents:
                    folder = open_folder(folder, part)
                    stack.callback(os.close, folder)
                fd = os.open(name, _OPEN_FILE, dir_fd=folder)
            except FileNotFoundError:
                yield None
                return
            stack.callback(os.close, fd)
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Invalid.field(path, "is not a regular file")
            yield fd


@contextmanager
def _locked(root: int) -> Iterator[None]:
    """Hold the workspace alone; the lock goes with the descriptor, even in a crash."""
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            fcntl.flock(root, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            # A blocking call would wait for ever for a writer that was stopped, not killed.
            if time.monotonic() > deadline:
                raise WorkspaceUnavailable("Another process holds the workspace.") from None
            time.sleep(_LOCK_PAUSE)
    try:
        yield
    finally:
        fcntl.flock(root, fcntl.LOCK_UN)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Turn what the operating system says into errors that name ``path``."""
    try:
        yield
    except OSError as error:
        if path and error.errno in _LINK:
            raise Invalid.field(
                path, "leads through a link or a file that is no directory"
            ) from None
        if path and error.errno in _SPECIAL:
            raise Invalid.field(path, "is not a regular file") from None
        reason = error.strerror or str(error)
        where = f" at {path}" if path else ""
        raise WorkspaceUnavailable(f"The workspace failed{where}: {reason}.") from error


def _chunks(fd: int) -> Iterator[bytes]:
    while chunk := os.read(fd, _CHUNK):
        yield chunk


def _digest(fd: int) -> str:
    state = hashlib.sha256()
    for chunk in _chunks(fd):
        state.update(chunk)
    return state.hexdigest()
