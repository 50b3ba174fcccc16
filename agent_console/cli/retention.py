"""``retention``: what is kept for how long, what would go, and deleting it now."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, note, say, table
from agent_console.cli.session import opened
from agent_console.domain.retention import Keep, Pruned, Removed, age_words

app = typer.Typer(cls=Commands, no_args_is_help=True, help="What is kept, and what goes when.")


@app.command()
def plan(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Show what is kept for how long and what would go now; deletes nothing."""
    with opened() as (console, actor):
        report = console.services.retention.report(actor)
    if as_json:
        from agent_console.api.schemas.integrity import RetentionOut

        document(RetentionOut.of(report).model_dump(mode="json"))
        return
    rows: list[tuple[object, ...]] = [
        (f"{status.value} jobs", *_bounds(keep), f"{report.due.jobs[status]:,}")
        for status, keep in report.policy.jobs.items()
    ]
    due = f"{report.due.journal_rows:,} rows"
    rows.append(("the journal", *_bounds(report.policy.journal), due))
    table(("Kept", "For", "At most", "Would go now"), rows, empty="")
    if report.due.more:
        note("There is more than was counted.")
    if report.last is not None:
        say(f"The last batch went {report.last.at:%Y-%m-%d %H:%M:%S} UTC, by {report.last.by}.")


@app.command()
def run(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Delete everything that is due, in small commits; the journal tells of every one."""

    def tell(batch: Removed | Pruned) -> None:
        if as_json:
            return
        if isinstance(batch, Removed):
            note(f"{batch.total:,} jobs, {batch.rows:,} rows")
        else:
            note(f"{batch.rows:,} rows of the journal, up to {batch.last_seq:,}")

    with opened() as (console, actor):
        jobs, rows = console.services.retention.run(actor, tell)
    if as_json:
        document({"jobs": jobs, "journalRows": rows})
    else:
        say(f"Deleted {jobs:,} jobs and {rows:,} rows of the journal.")


def _bounds(keep: Keep) -> tuple[str, str]:
    return age_words(keep.seconds), "any number" if keep.count is None else f"{keep.count:,}"
