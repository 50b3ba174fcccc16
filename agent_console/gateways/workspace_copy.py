"""The workspace as a whole: read while nobody writes, put in place as one."""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent_console.domain.errors import Invalid, Unavailable
from agent_console.domain.paths import TEMP_PREFIX, check_path
from agent_console.gateways.archive import Archive
from agent_console.gateways.private_files import sync_folder

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 262_144


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the workspace; ``descriptor`` is None when it is no plain file."""

    path: str
    descriptor: int | None
    executable: bool = False

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's content."""
        while self.descriptor is not None and (chunk := os.read(self.descriptor, _CHUNK)):
            yield chunk


def entries(root: int, prefix: str = "") -> Iterator[Entry]:
    """Yield everything below the directory ``root``, never through a link.

    A file's descriptor is open until the next entry is asked for. Links, special files, and names
    that the workspace would refuse come without one.

    Raises:
        Unavailable: something cannot be read.
    """
    for name in sorted(os.listdir(root)):
        if name.startswith(TEMP_PREFIX):
            continue  # what a killed writer left
        path = f"{prefix}{name}"
        mode = os.lstat(name, dir_fd=root).st_mode
        if stat.S_ISDIR(mode) and _acceptable(path):
            inner = _opened(root, name, path)
            try:
                yield from entries(inner, f"{path}/")
            finally:
                os.close(inner)
        elif stat.S_ISREG(mode) and _acceptable(path):
            descriptor = _opened(root, name, path)
            try:
                yield Entry(path, descriptor, executable=bool(mode & stat.S_IXUSR))
            finally:
                os.close(descriptor)
        else:
            yield Entry(path, None)


def _opened(parent: int, name: str, path: str) -> int:
    try:
        return os.open(name, _OPEN, dir_fd=parent)
    except OSError as error:
        raise Unavailable(f"{path} in the workspace cannot be read: {error.strerror}.") from error


def _acceptable(path: str) -> bool:
    try:
        check_path(path)
    except Invalid:
        return False
    return True


class Replacement:
    """A new workspace beside the old one, until ``put`` exchanges the two."""

    def __init__(self, root: Path) -> None:
        """Make an empty folder beside ``root``.

        Raises:
            Unavailable: the disk refuses.
        """
        self._root = root
        self._new = root.with_name(f".{root.name}.restoring-{secrets.token_hex(4)}")
        try:
            root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._new.mkdir(mode=0o700)
        except OSError as error:
            raise Unavailable(f"{self._new} cannot be made: {error.strerror}.") from error

    def fill(self, archive: Archive) -> None:
        """Write every file of ``archive``, which has been checked, and bring it to the disk.

        Raises:
            Unavailable: the disk refuses.
        """
        folders = {self._new}
        try:
            for part in archive.manifest.files:
                path = self._new.joinpath(*check_path(part.path))
                path.parent.mkdir(parents=True, exist_ok=True)
                folders.add(path.parent)
                mode = 0o755 if part.executable else 0o644
                with os.fdopen(
                    os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
                ) as file:
                    for chunk in archive.file(part.path):
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
            for folder in folders:
                sync_folder(folder)
        except OSError as error:
            raise Unavailable(f"{self._new} cannot be written: {error.strerror}.") from error

    def put(self) -> Path | None:
        """Let the new workspace take the old one's place; return where the old one is kept.

        Raises:
            Unavailable: the folders cannot be renamed; the message says where the files are.
        """
        kept = None
        try:
            if self._root.is_dir() and any(self._root.iterdir()):
                stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
                kept = self._root.with_name(f"{self._root.name}.before-restore-{stamp}")
                self._root.rename(kept)
            elif self._root.is_dir():
                self._root.rmdir()
            self._new.rename(self._root)
            sync_folder(self._root.parent)
        except OSError as error:
            raise Unavailable(
                f"The database is restored, but the files could not take the place of {self._root} "
                f"({error.strerror}). They are whole in {self._new}; move them there."
            ) from error
        return kept

    def discard(self) -> None:
        """Remove the new folder, if it is still beside the old one."""
        for folder, _, files in os.walk(self._new, topdown=False):
            for name in files:
                Path(folder, name).unlink()
            Path(folder).rmdir()
