"""What commands print: lines and tables for people, one JSON document for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from agent_console.domain.errors import ConsoleError, Invalid

JSON_OPTION = typer.Option("--json", help="Print one JSON document.")


class Commands(TyperGroup):
    """A group whose commands end with one clear line, never a traceback, when refused."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a ``ConsoleError`` becomes its message and exit code 1."""
        try:
            return super().invoke(ctx)
        except ConsoleError as error:
            fail(*sentences(error))


def sentences(error: ConsoleError) -> list[str]:
    """Return the lines that explain ``error``: its message and any further refused fields."""
    lines = error.message.splitlines() or [type(error).__name__]
    if isinstance(error, Invalid):
        lines += [f"{each.field}: {each.message}" for each in error.fields[1:]]
    return lines


def fail(*lines: str) -> NoReturn:
    """Print ``lines`` to standard error and exit with code 1."""
    for line in lines:
        print(f"agent-console: {line}", file=sys.stderr)
    raise typer.Exit(1)


def note(line: str) -> None:
    """Print a line for people to standard error, where it disturbs no machine."""
    print(line, file=sys.stderr, flush=True)


def say(line: str) -> None:
    """Print a result line to standard output."""
    print(line, flush=True)


def document(value: object) -> None:
    """Print ``value`` as one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=_plain), flush=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print ``rows`` under ``headings``, or the sentence ``empty`` when there are none."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(_cell(value)) for value in row))
    if grid.row_count == 0:
        say(empty)
        return
    # No terminal: never cut ids in pipes and logs.
    width = None if sys.stdout.isatty() else 1000
    Console(highlight=False, width=width).print(grid)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return ago(value) if isinstance(value, datetime) else str(value)


def ago(instant: datetime) -> str:
    """Return how long ago ``instant`` was, in its largest whole unit; ``in …`` for the future."""
    seconds = (datetime.now(UTC) - instant).total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size >= length:
            words = f"{int(size // length)} {unit}"
            break
    else:
        words = f"{int(size)} s"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
