"""A backup as one file: a ZIP archive of tables and files, and a manifest with all digests.

Tables are JSON Lines, a row a line, so that anybody can read a backup with common tools. The
archive appears under its name when it is whole, readable by its owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from agent_console.domain.errors import Conflict, Misconfigured, Unavailable
from agent_console.domain.paths import check_paths
from agent_console.gateways.private_files import PRIVATE, sync_folder

FORMAT = 1
MANIFEST, TABLES, FILES, KEYSTORE = "manifest.json", "tables/", "workspace/", "keystore.json"
MAX_MANIFEST = 256 * 1024 * 1024  # bytes; a line for each file of the workspace
_CHUNK = 262_144
_LINES = 1000  # rows handed out at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart:
    """A table in the archive."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file of the workspace in the archive; ``path`` is relative to the root."""

    path: str
    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. ``left_out`` names what lies in the workspace and is no plain file."""

    format: int = FORMAT
    program: str
    created_at: str
    database: str
    schema: str
    tables: tuple[TablePart, ...]
    files: tuple[FilePart, ...] = ()
    left_out: tuple[str, ...] = ()
    workspace: bool = True
    keystore: str | None = None  # the digest of the encrypted keystore, when it was asked for

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)


class ArchiveWriter:
    """Adds parts to an archive under construction, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Write into ``archive``."""
        self._zip = archive

    def add_table(
        self, name: str, columns: Sequence[str], chunks: Iterable[Iterable[Sequence[Any]]]
    ) -> TablePart:
        """Write the rows of a table as they come; nothing is kept in memory."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(f"{TABLES}{name}.jsonl", "w", force_zip64=True) as part:
            for chunk in chunks:
                lines = [json.dumps(list(row), ensure_ascii=False) for row in chunk]
                count += len(lines)
                data = "".join(f"{line}\n" for line in lines).encode()
                digest.update(data)
                part.write(data)
        return TablePart(name=name, columns=tuple(columns), rows=count, sha256=digest.hexdigest())

    def add_file(self, path: str, chunks: Iterable[bytes], *, executable: bool) -> FilePart:
        """Write a file of the workspace."""
        size, sha256 = self._add(f"{FILES}{path}", chunks)
        return FilePart(path=path, size=size, sha256=sha256, executable=executable)

    def add_keystore(self, content: bytes) -> str:
        """Write the encrypted keystore and return its digest."""
        return self._add(KEYSTORE, [content])[1]

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last part."""
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1, ensure_ascii=False))

    def _add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as part:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                part.write(chunk)
        return size, digest.hexdigest()


@contextmanager
def written(target: Path) -> Iterator[ArchiveWriter]:
    """Yield a writer; the archive is at ``target`` once the block has ended well.

    Raises:
        Conflict: something is at ``target`` already.
        Unavailable: the disk refuses.
    """
    if target.exists():  # seen again at the end; this one saves the work
        raise Conflict(f"{target} exists already; a backup never overwrites another.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                    yield ArchiveWriter(archive)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, target)  # unlike a rename, never over a file that is there
            sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        raise Conflict(f"{target} exists already; a backup never overwrites another.") from None
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}.") from error


@dataclass(slots=True)
class Archive:
    """An archive that is being read. ``check`` must pass before anything of it is used."""

    manifest: Manifest
    _zip: zipfile.ZipFile = field(repr=False)

    def check(self) -> None:
        """Read everything once and compare it with the manifest.

        Raises:
            Misconfigured: something is damaged, missing, or not in the manifest.
        """
        check_paths((part.path for part in self.manifest.files), "workspace")
        wanted = _digests(self.manifest)
        held = [name for name in self._zip.namelist() if name != MANIFEST]
        if sorted(held) != sorted(wanted):
            raise Misconfigured("The backup does not hold what its manifest lists.")
        for name, sha256 in wanted.items():
            digest = hashlib.sha256()
            for chunk in self._chunks(name):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise Misconfigured(f"The backup is damaged: {name} is not what it was.")
        for table in self.manifest.tables:
            if sum(len(chunk) for chunk in self.rows(table.name)) != table.rows:
                raise Misconfigured(f"The backup is damaged: rows of {table.name} are missing.")

    def rows(self, table: str) -> Iterator[list[list[Any]]]:
        """Yield the rows of ``table``, at most a thousand at a time."""
        with self._open(f"{TABLES}{table}.jsonl") as part:
            chunk: list[list[Any]] = []
            for line in part:
                chunk.append(json.loads(line))
                if len(chunk) == _LINES:
                    yield chunk
                    chunk = []
            if chunk:
                yield chunk

    def file(self, path: str) -> Iterator[bytes]:
        """Yield the content of a workspace file."""
        yield from self._chunks(f"{FILES}{path}")

    def keystore(self) -> bytes:
        """Return the encrypted keystore."""
        return b"".join(self._chunks(KEYSTORE))

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self._open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._zip.open(name) as part:
                yield part
        except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
            raise Misconfigured(f"The backup is damaged: {name} cannot be read.") from error


@contextmanager
def opened(source: Path) -> Iterator[Archive]:
    """Yield the archive at ``source``.

    Raises:
        Misconfigured: it is no backup, damaged, or made by a newer version.
    """
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no ZIP archive"
        raise Misconfigured(f"{source} cannot be read as a backup: {reason}.") from error
    with archive:
        yield Archive(_manifest(archive, source), archive)


def _manifest(archive: zipfile.ZipFile, source: Path) -> Manifest:
    try:
        value = _manifest_value(archive)
        if value["format"] == FORMAT:
            tables = (
                TablePart(**{**part, "columns": tuple(part["columns"])}) for part in value["tables"]
            )
            files = (FilePart(**part) for part in value["files"])
            parts = {"tables": tuple(tables), "files": tuple(files)}
            return Manifest(**{**value, **parts, "left_out": tuple(value["left_out"])})
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise Misconfigured(f"{source} is no backup of this console, or is damaged.") from error
    raise Misconfigured(f"{source} was made by a newer agent_console.")


def _manifest_value(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST:
        raise ValueError("too large")
    return dict(json.loads(archive.read(MANIFEST)))


def _digests(manifest: Manifest) -> dict[str, str]:
    wanted = {f"{TABLES}{part.name}.jsonl": part.sha256 for part in manifest.tables}
    wanted |= {f"{FILES}{part.path}": part.sha256 for part in manifest.files}
    if manifest.keystore is not None:
        wanted[KEYSTORE] = manifest.keystore
    return wanted
