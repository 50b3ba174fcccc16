"""Files on their way: written under temporary names beside their targets, then renamed."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from agent_console.domain.paths import TEMP_PREFIX

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE, _NEW_FOLDER = 0o644, 0o755  # narrowed by the umask


def open_folder(parent: int, name: str) -> int:
    """Return a descriptor of the directory ``name`` in ``parent``; never through a link."""
    return os.open(name, _OPEN_FOLDER, dir_fd=parent)


@dataclass(frozen=True, slots=True)
class _Staged:
    folder: int
    temp: str
    name: str


class Stage:
    """One batch of files below ``root`` (a descriptor), under the workspace's lock.

    A context manager: what was added and not published is removed again, with the directories
    made for it.
    """

    def __init__(self, root: int) -> None:
        """Start an empty batch."""
        self._root = root
        self._folders: dict[tuple[str, ...], int] = {}
        self._made: list[tuple[int, str]] = []
        self._staged: list[_Staged] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Return the batch."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not published and let the directories go."""
        with self._open:
            for item in self._staged:
                with suppress(OSError):  # the sweep removes what cannot be removed now
                    os.unlink(item.temp, dir_fd=item.folder)
            if self._staged or error is not None:
                for parent, name in reversed(self._made):
                    with suppress(OSError):  # not empty: somebody else uses it by now
                        os.rmdir(name, dir_fd=parent)

    def add(self, parts: tuple[str, ...], content: bytes) -> None:
        """Bring ``content`` to the disk beside its target, directories made as needed.

        Raises:
            OSError: as the system says; the target is untouched.
        """
        folder = self._folder(parts[:-1])
        item = _Staged(folder, f"{TEMP_PREFIX}{secrets.token_hex(8)}.tmp", parts[-1])
        fd = os.open(item.temp, _CREATE, _NEW_FILE, dir_fd=folder)
        self._staged.append(item)
        try:
            _keep_mode(fd, folder, item.name)
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)

    def publish(self) -> None:
        """Rename all to their targets and make the names durable.

        Raises:
            OSError: a rename failed; files renamed before it stay, whole.
        """
        for item in tuple(self._staged):
            os.rename(item.temp, item.name, src_dir_fd=item.folder, dst_dir_fd=item.folder)
            self._staged.remove(item)
        for folder in {self._root, *self._folders.values()}:
            os.fsync(folder)

    def _folder(self, parts: tuple[str, ...]) -> int:
        """Return a descriptor of the directory, leftovers of crashed writers removed from it."""
        if parts in self._folders:
            return self._folders[parts]
        if not parts:
            folder = self._root
        else:
            parent = self._folder(parts[:-1])
            with suppress(FileExistsError):  # opening tells a directory from anything else
                os.mkdir(parts[-1], _NEW_FOLDER, dir_fd=parent)
                self._made.append((parent, parts[-1]))
            folder = open_folder(parent, parts[-1])
            self._open.callback(os.close, folder)
        _remove_leftovers(folder)
        self._folders[parts] = folder
        return folder


def sweep(folder: int) -> int:
    """Remove temporary files in and below ``folder``; return how many. Needs the lock."""
    removed = _remove_leftovers(folder)
    for name in os.listdir(folder):
        if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            continue
        inner = open_folder(folder, name)
        try:
            removed += sweep(inner)
        finally:
            os.close(inner)
    return removed


def _remove_leftovers(folder: int) -> int:
    """Remove temporary files: whoever holds the lock knows that their writers are dead."""
    leftovers = [name for name in os.listdir(folder) if name.startswith(TEMP_PREFIX)]
    for name in leftovers:
        os.unlink(name, dir_fd=folder)
    return len(leftovers)


def _keep_mode(fd: int, folder: int, name: str) -> None:
    """Give the new file the permissions of the one it replaces."""
    try:
        mode = os.lstat(name, dir_fd=folder).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        os.fchmod(fd, stat.S_IMODE(mode) & 0o777)
