"""``backup`` and ``restore``: everything of one moment in one file, and back."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_console.cli import audit
from agent_console.cli.output import JSON_OPTION, document, note, say
from agent_console.cli.session import operator, quiet
from agent_console.domain.verification import Verdict
from agent_console.settings import load_settings

if TYPE_CHECKING:
    from agent_console.bootstrap import Console
    from agent_console.gateways.archive import Manifest


def backup(
    target: Annotated[
        Path | None, typer.Argument(help="The file to make; default: a dated name here.")
    ] = None,
    *,
    workspace: Annotated[
        bool, typer.Option("--workspace/--no-workspace", help="With the files of the workspace.")
    ] = True,
    with_secrets: Annotated[
        bool,
        typer.Option("--with-secrets", help="With the keystore's file: encrypted, without key."),
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Save database and workspace to one file while the console goes on working."""
    file = target or Path(f"agent-console-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    console = _unopened()
    try:
        manifest = console.services.backups.backup(
            operator(), file, workspace=workspace, with_secrets=with_secrets
        )
    finally:
        console.db.close()
    digest = _sha256(file)
    if as_json:
        document({"file": str(file), "sha256": digest, **_shown(manifest)})
        return
    for path in manifest.left_out:
        note(f"Not in the backup, because it is no plain file: {path}")
    say(f"{file}: {_words(manifest)}, {file.stat().st_size:,} bytes")
    say(f"SHA-256 {digest}")


def restore(
    source: Annotated[Path, typer.Argument(help="A file that backup made.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Lose what the database holds now.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the backup and compare every digest.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Put a backup in place, digests verified, and bring it to this version's schema."""
    console = _unopened()
    service = console.services.backups
    try:
        if check:
            manifest = service.check(operator(), source)
            _tell(manifest, "is whole", as_json=as_json)
            return
        done = service.restore(operator(), source, replace=replace)
    finally:
        console.db.close()
    journal = done.journal
    _tell(
        done.manifest,
        "is restored",
        as_json=as_json,
        schemaNow=done.schema,
        journal=audit.shown(journal),
    )
    if done.kept is not None:
        note(f"The files that were in the workspace are kept in {done.kept}")
    note("Everybody signs in again. API tokens are those of the backup.")
    note(f"Journal: {audit.words(journal)}")
    if journal.verdict is Verdict.BROKEN:
        raise typer.Exit(1)


def _unopened() -> Console:
    """Return the console without touching the database.

    Opening it would migrate: before an upgrade the old schema is to be saved as it is, and a
    restore wants to find no tables, or empty ones.
    """
    from agent_console.bootstrap import build

    return build(quiet(load_settings()))


def _tell(manifest: Manifest, words: str, *, as_json: bool, **more: object) -> None:
    if as_json:
        document({**_shown(manifest), **more})
    else:
        say(f"The backup of {manifest.created_at} {words}: {_words(manifest)}")


def _words(manifest: Manifest) -> str:
    parts = [f"{manifest.rows:,} rows of {len(manifest.tables)} tables"]
    parts.append(f"{len(manifest.files):,} files" if manifest.workspace else "no files")
    parts.append("the keystore" if manifest.keystore else "no secrets")
    return f"schema {manifest.schema}, {', '.join(parts)}"


def _shown(manifest: Manifest) -> dict[str, Any]:
    return {
        "createdAt": manifest.created_at,
        "program": manifest.program,
        "database": manifest.database,
        "schema": manifest.schema,
        "tables": {part.name: part.rows for part in manifest.tables},
        "files": len(manifest.files) if manifest.workspace else None,
        "leftOut": list(manifest.left_out),
        "secrets": manifest.keystore is not None,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
