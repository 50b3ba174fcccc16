"""Backup and restore: the database and the workspace of one moment, in one file."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.clock import Clock
from agent_console.domain.errors import Conflict, Misconfigured
from agent_console.domain.events import Event
from agent_console.domain.verification import Verification
from agent_console.gateways import archive
from agent_console.gateways.archive import Archive, ArchiveWriter, FilePart, Manifest
from agent_console.gateways.private_files import read_private, write_private
from agent_console.gateways.workspace import Workspace
from agent_console.gateways.workspace_copy import Replacement, entries
from agent_console.services.seal_keys import SealKeys
from agent_console.services.verification import Verifier
from agent_console.settings import Settings
from agent_console.store import backup, migrate
from agent_console.store.backup import StoredTable
from agent_console.store.database import Database, Reader
from agent_console.store.restore import restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What was restored; ``kept`` is where the workspace that was there before is now.

    ``journal`` says whether the restored journal is as it was sealed.
    """

    manifest: Manifest
    schema: str
    kept: Path | None
    journal: Verification


class BackupService:
    """Use cases of data safety. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, settings: Settings, keys: SealKeys, *, clock: Clock) -> None:
        """Save and restore what ``settings`` name; ``clock`` dates the manifest.

        ``keys`` have signed the seals of the journal.
        """
        self._db = db
        self._verifier = Verifier(db, keys)
        self._settings = settings
        self._clock = clock

    def backup(
        self, actor: Actor, target: Path, *, workspace: bool = True, with_secrets: bool = False
    ) -> Manifest:
        """Write everything to ``target`` while the console goes on working.

        Handlers that write files wait until the workspace is copied; nobody waits for the tables.
        ``with_secrets`` adds the keystore's file as it is: encrypted, and without its key.

        Raises:
            Conflict: something is at ``target`` already.
            Misconfigured: the database holds no schema that is known; no keystore to add.
            Unavailable: the disk or the database refuses.
        """
        authorize(actor, Permission.DATA_MANAGE)
        schema = migrate.survey(self._settings.database).current
        if schema is None or schema not in migrate.revisions():
            raise Misconfigured(f"The database has schema {schema or 'none'}; there is no backup.")
        keystore = self._keystore() if with_secrets else None
        if schema == migrate.head():  # an older journal may lack a column
            self._journal(actor, "backup.started", {"file": target.name})
        with archive.written(target) as writer, ExitStack() as snapshot:
            # The lock first: whatever a run has written and recorded is in both, or in neither.
            with Workspace(self._settings.workspace_root).held() as root:
                reader = snapshot.enter_context(self._db.read())
                backup.begin(reader)
                files, left_out = _add_files(writer, root) if workspace and root else ([], [])
            manifest = Manifest(
                program=_version(),
                created_at=self._clock.now().isoformat(),
                database=self._db.dialect,
                schema=schema,
                tables=tuple(
                    _add_table(writer, reader, each) for each in backup.stored_tables(reader)
                ),
                files=tuple(files),
                left_out=tuple(left_out),
                workspace=workspace,
                keystore=None if keystore is None else writer.add_keystore(keystore),
            )
            writer.finish(manifest)
        return manifest

    def check(self, actor: Actor, source: Path) -> Manifest:
        """Read a backup once and compare it with its digests; changes nothing.

        Raises:
            Misconfigured: it is no backup, damaged, or made by a newer version.
        """
        authorize(actor, Permission.DATA_MANAGE)
        with archive.opened(source) as opened:
            opened.check()
            return opened.manifest

    def restore(self, actor: Actor, source: Path, *, replace: bool = False) -> Restoration:
        """Make database and workspace what the backup holds, and bring them to this version.

        The journal is verified afterwards: one that somebody changed is restored nevertheless,
        for it may be all there is, and the answer says so.

        Whatever goes wrong before the database has changed leaves everything as it was.

        Raises:
            Misconfigured: the backup is damaged, or made by a newer version.
            Conflict: there is data already and ``replace`` is false, or a worker runs.
            Unavailable: the disk or the database refuses.
        """
        authorize(actor, Permission.DATA_MANAGE)
        with archive.opened(source) as opened:
            opened.check()
            manifest = opened.manifest
            self._refuse_files(manifest, replace=replace)
            files = Replacement(self._settings.workspace_root) if manifest.workspace else None
            try:
                if files is not None:
                    files.fill(opened)
                done = restore(
                    self._settings.database,
                    manifest.schema,
                    [StoredTable(part.name, part.columns) for part in manifest.tables],
                    lambda table: opened.rows(table.name),
                    replace=replace,
                    worker_timeout=self._settings.worker_timeout,
                )
                kept = None if files is None else files.put()
            finally:
                if files is not None:
                    files.discard()
            if manifest.keystore is not None:
                self._put_keystore(opened)
        self._journal(actor, "backup.restored", {"madeAt": manifest.created_at})
        journal = self._verifier.verify()
        return Restoration(manifest=manifest, schema=done.after, kept=kept, journal=journal)

    def _refuse_files(self, manifest: Manifest, *, replace: bool) -> None:
        if replace:
            return
        root = self._settings.workspace_root
        if manifest.workspace and root.is_dir() and any(root.iterdir()):
            raise Conflict(
                f"The workspace {root} is not empty. Restore with --replace: its files are then "
                "kept in a folder beside it."
            )
        if manifest.keystore is not None and self._keystore_path().exists():
            raise Conflict(f"There is a keystore already: {self._keystore_path()}.")

    def _keystore_path(self) -> Path:
        return self._settings.data_dir / archive.KEYSTORE

    def _keystore(self) -> bytes:
        content = read_private(self._keystore_path()) if self._settings.keystore == "file" else None
        if content is None:
            raise Misconfigured("There is no keystore file to add to the backup.")
        return content

    def _put_keystore(self, opened: Archive) -> None:
        path = self._keystore_path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists():
            path.rename(path.with_name(f"{path.name}.before-restore-{secrets.token_hex(4)}"))
        write_private(path, opened.keystore())

    def _journal(self, actor: Actor, action: str, data: dict[str, Any]) -> None:
        self._db.write(lambda tx: tx.record(Event(action=action, actor=actor, data=data)))


def _add_table(writer: ArchiveWriter, reader: Reader, table: StoredTable) -> archive.TablePart:
    rows: Iterable[Iterable[Sequence[Any]]] = backup.rows(reader, table)
    return writer.add_table(table.name, table.columns, rows)


def _add_files(writer: ArchiveWriter, root: int) -> tuple[list[FilePart], list[str]]:
    files: list[FilePart] = []
    left_out: list[str] = []
    for entry in entries(root):
        if entry.descriptor is None:
            left_out.append(entry.path)
        else:
            added = writer.add_file(entry.path, entry.chunks(), executable=entry.executable)
            files.append(added)
    return files, left_out


def _version() -> str:
    try:
        return version("agent-console")
    except PackageNotFoundError:
        return "0"
