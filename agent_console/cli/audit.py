"""``audit``: prove that nobody has changed the journal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, note, say
from agent_console.cli.session import opened
from agent_console.domain.seals import Head, head_document, parse_head
from agent_console.domain.verification import Verdict, Verification

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Prove that the journal is whole.")


@app.command()
def verify(
    *,
    head: Annotated[
        Path | None,
        typer.Option("--head", help="An exported head (`audit head`): finds a cut-off end."),
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Recompute every hash, link and signature; exits 1 and names the first bad row."""
    kept = None if head is None else _read(head)
    with opened() as (console, actor):
        progress = None if as_json or not sys.stderr.isatty() else _show
        result = console.services.audit.verify(actor, head=kept, progress=progress)
    if progress is not None:
        print(file=sys.stderr)
    if as_json:
        document(shown(result))
    else:
        say(f"{'PASS' if result.verdict is Verdict.INTACT else 'FAIL'}  journal: {words(result)}")
    if result.verdict is not Verdict.INTACT:
        raise typer.Exit(1)


@app.command("head")
def export_head() -> None:
    """Print the newest seal, signed, as JSON; keep it where this machine cannot change it."""
    with opened() as (console, actor):
        document(head_document(console.services.audit.head(actor)))


@app.command("rotate-key")
def rotate_key(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Sign seals with a new key from now on; the ones before stay, to verify with."""
    with opened() as (console, actor):
        key_id = console.services.audit.rotate_key(actor)
    if as_json:
        document({"keyId": key_id})
    else:
        say(f"New seals are signed with the key {key_id}.")
        note("Processes of other machines seal again once their keystores have it.")


def words(result: Verification) -> str:
    """Return what a verification found, in one sentence."""
    if result.verdict is Verdict.BROKEN:
        return f"first bad row {result.first_bad_seq}: {result.reason}"
    more = "at least " if result.unsealed_more else ""
    told = f"{result.rows:,} rows under {result.seals:,} seals are as they were sealed"
    tail = f"; {more}{result.unsealed:,} newer not sealed yet" if result.unsealed else ""
    gone = f"; rows up to {result.anchor_seq:,} were pruned" if result.anchor_seq else ""
    missing = f"; {result.reason}" if result.reason else ""
    return f"{told}{tail}{gone}{missing}"


def shown(result: Verification) -> dict[str, Any]:
    """Return a verification as JSON values."""
    return {
        "verdict": result.verdict.value,
        "rows": result.rows,
        "seals": result.seals,
        "sealedSeq": result.sealed_seq,
        "unsealed": result.unsealed,
        "unsealedMore": result.unsealed_more,
        "anchorSeq": result.anchor_seq,
        "firstBadSeq": result.first_bad_seq,
        "reason": result.reason,
    }


def _read(path: Path) -> Head:
    try:
        return parse_head(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read: {error}")


def _show(rows: int) -> None:
    print(f"\r{rows:,} rows", end="", file=sys.stderr, flush=True)
