"""``checkpoints export``: reviews that are over, as a data set."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from agent_console.cli import comments
from agent_console.cli.output import fail
from agent_console.cli.session import opened
from agent_console.domain.review_export import ExportQuery

app = comments.app  # the same group: this is a command of ``checkpoints``


class ExportFormat(StrEnum):
    """How reviews are written."""

    jsonl = "jsonl"


@app.command("export")
def export(
    *,
    since: Annotated[
        str | None, typer.Option("--since", help="Asked for at or after; UTC without a zone.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Asked for before.")] = None,
    job_type: Annotated[str | None, typer.Option("--job-type", help="Of this type only.")] = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="A JSON object a line.")
    ] = ExportFormat.jsonl,
) -> None:
    """Write reviews that are over to standard output, oldest first, without secrets."""
    del form  # there is one, so far as is known to who reads the file
    query = ExportQuery(
        since=_instant("--since", since), until=_instant("--until", until), job_type=job_type
    )
    with opened() as (console, actor):
        for line in console.services.review_export.lines(actor, query):
            sys.stdout.write(line)
    sys.stdout.flush()


def _instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}: {text!r} is not ISO 8601, such as 2026-11-21 or 2026-11-21T07:49:38Z.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
