"""``checkpoints``: see what waits, and decide it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, ago, document, say, table
from agent_console.cli.session import opened
from agent_console.domain.changes import FileDiff, ImageDiff, RowsDiff, render
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointVerb,
    Verdict,
)
from agent_console.domain.jobs import Json
from agent_console.domain.queries import MAX_LIMIT, CheckpointQuery
from agent_console.domain.review_policies import deciders
from agent_console.domain.rulings import DONE, Item, summary
from agent_console.domain.visible import reveal

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Checkpoints.")

CHECKPOINT_ID = Annotated[str, typer.Argument(help="The checkpoint's id, chk_…")]
FEEDBACK = Annotated[str | None, typer.Option("--feedback", help="Words for the handler.")]
DIGEST = Annotated[
    str | None, typer.Option("--digest", help="Decide only if the payload still has this digest.")
]


class BulkVerdict(StrEnum):
    """What can be said of many at once."""

    approve = "approve"
    reject = "reject"


@app.command("list")
def list_checkpoints(
    *,
    status: Annotated[CheckpointStatus, typer.Option("--status")] = CheckpointStatus.PENDING,
    job_type: Annotated[str | None, typer.Option("--type", help="The job type.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT)] = 20,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List checkpoints: pending ones by default, soonest deadline first."""
    query = CheckpointQuery(status=status.value, job_type=job_type, limit=limit)
    with opened() as (console, actor):
        page = console.services.review.page(actor, query)
    if as_json:
        from agent_console.api.schemas.base import Pagination
        from agent_console.api.schemas.checkpoints import CheckpointSummaryOut

        shown = [
            CheckpointSummaryOut.model_validate(each).model_dump(mode="json") for each in page.items
        ]
        document({"checkpoints": shown, "pagination": Pagination.of(page).model_dump(mode="json")})
        return
    rows = [(c.id, c.job_type, c.status.value, c.expires_at, c.message) for c in page.items]
    table(("Id", "Type", "Status", "Expires", "Message"), rows, empty="Nothing waits.")


@app.command()
def show(checkpoint_id: CHECKPOINT_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Show what a checkpoint asks: the action, the changes, the digest."""
    with opened() as (console, actor):
        detail = console.services.review.get(actor, checkpoint_id)
    if as_json:
        from agent_console.api.schemas.checkpoints import CheckpointOut

        document({"checkpoint": CheckpointOut.of(detail.checkpoint).model_dump(mode="json")})
        return
    card(detail.checkpoint)
    point, terms = detail.checkpoint, detail.policy.terms
    if point.status is CheckpointStatus.PENDING:
        asked = deciders(terms, escalated=point.escalated).words
        agreed = ", ".join(_safe(one.user_name) for one in detail.votes) or "nobody yet"
        if terms.required_approvals > 1:
            say(f"  needs {terms.required_approvals} approvals of {asked}; said so far: {agreed}")
        else:
            say(f"  asks {asked}")
    for earlier in detail.chain:
        if earlier.round < detail.checkpoint.round:
            say(f"  round {earlier.round} ({earlier.id}): {_safe(earlier.said)}")
    if detail.moved:
        say(f"  changed since this was asked: {', '.join(map(_safe, detail.moved))}")
    if detail.refusal:
        say(f"  You may not decide this: {detail.refusal}")


@app.command()
def approve(
    checkpoint_id: CHECKPOINT_ID,
    *,
    feedback: FEEDBACK = None,
    digest: DIGEST = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Approve a checkpoint: its job goes on with exactly what was shown."""
    verdict = Verdict(verb=CheckpointVerb.APPROVE, feedback=feedback, payload_digest=digest)
    _decide(checkpoint_id, verdict, as_json=as_json)


@app.command()
def answer(
    checkpoint_id: CHECKPOINT_ID,
    given: Annotated[str, typer.Argument(help="The answer: JSON, or else taken as a text.")],
    *,
    digest: DIGEST = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Answer a question: its job goes on with that."""
    verdict = Verdict(verb=CheckpointVerb.ANSWER, response=_given(given), payload_digest=digest)
    _decide(checkpoint_id, verdict, as_json=as_json)


def _given(typed: str) -> Json:
    try:
        given: Json = json.loads(typed)
    except ValueError:
        return typed
    return given


@app.command("request-changes")
def request_changes(
    checkpoint_id: CHECKPOINT_ID,
    *,
    feedback: Annotated[str, typer.Option("--feedback", help="What the next round should be.")],
    digest: DIGEST = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Send a checkpoint back with feedback: its job proposes again."""
    verdict = Verdict(verb=CheckpointVerb.REQUEST_CHANGES, feedback=feedback, payload_digest=digest)
    _decide(checkpoint_id, verdict, as_json=as_json)


@app.command()
def reject(
    checkpoint_id: CHECKPOINT_ID,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; the job will carry it.")],
    feedback: FEEDBACK = None,
    digest: DIGEST = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Reject a checkpoint with a reason."""
    verdict = Verdict(
        verb=CheckpointVerb.REJECT, reason=reason, feedback=feedback, payload_digest=digest
    )
    _decide(checkpoint_id, verdict, as_json=as_json)


def _decide(checkpoint_id: str, verdict: Verdict, *, as_json: bool) -> None:
    with opened() as (console, actor):
        done = console.services.review.decide_once(actor, checkpoint_id, verdict)
    point, tally = done.checkpoint, done.tally
    if as_json:
        from agent_console.api.schemas.checkpoints import CheckpointOut

        document({"checkpoint": CheckpointOut.of(point).model_dump(mode="json")})
    else:
        counted = "" if tally is None else f"  {tally.words}: more people have to agree"
        say(f"{point.id}  {point.status.value}{counted}")


@app.command("bulk-decide")
def bulk_decide(
    action: Annotated[BulkVerdict, typer.Argument(help="What to say of all of them.")],
    checkpoint_ids: Annotated[
        list[str], typer.Argument(help="Ids, or - for lines of standard input: id [digest].")
    ],
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; needed to reject.")] = None,
    feedback: FEEDBACK = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Decide once, however often asked.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Approve or reject many checkpoints; each is told, and one that is refused stops no other."""
    verdict = Verdict(verb=CheckpointVerb(action.value), reason=reason, feedback=feedback)
    items = _items(checkpoint_ids)
    with opened() as (console, actor):
        done = console.services.review.decide_many(actor, items, verdict, idempotency_key=key)
    if as_json:
        from agent_console.api.schemas.rulings import BulkDecideAnswer

        document(BulkDecideAnswer.of(done).model_dump(mode="json"))
    else:
        rows = [(r.checkpoint_id, r.fate.value, r.status, _safe(r.message)) for r in done.rulings]
        table(("Id", "Outcome", "Status", "Why not"), rows, empty="")
        say(summary(done.rulings, DONE[verdict.verb]))
    if not all(ruling.taken for ruling in done.rulings):
        raise typer.Exit(1)


def _items(words: list[str]) -> list[Item]:
    lines = sys.stdin.read().splitlines() if words == ["-"] else words
    pairs = [line.split() for line in lines if line.strip()]
    return [Item(checkpoint_id=one[0], payload_digest=one[1] if one[1:] else None) for one in pairs]


def card(checkpoint: Checkpoint) -> None:
    """Print a checkpoint for a person; whatever a handler wrote has hidden characters shown."""
    say(f"{checkpoint.id}  {checkpoint.job_type}  {checkpoint.status.value}")
    say(f"  {_safe(checkpoint.message)}")
    if checkpoint.rounds is not None:
        say(f"  round {checkpoint.round} of {checkpoint.rounds}")
    if checkpoint.action:
        say(f"  action: {_safe(checkpoint.action)}")
    if checkpoint.asks:
        say(f"  answer: {_safe(json.dumps(checkpoint.answer_schema, ensure_ascii=False))}")
        for name, given in (("default", checkpoint.answer_default), ("given", checkpoint.response)):
            if given is not None:
                say(f"  {name}: {_safe(json.dumps(given, ensure_ascii=False))}")
    for change in render(checkpoint.changes):
        if isinstance(change, FileDiff):
            say(f"  {change.status} {_safe(change.path)}  +{change.added} -{change.removed}")
            for line in change.lines:
                mark = {"added": "+", "removed": "-", "hunk": "@"}.get(line.kind, " ")
                say(f"    {mark} {_safe(line.text)}")
        elif isinstance(change, RowsDiff):
            say(f"  rows {_safe(change.title)}: {change.total_before} → {change.total_after}")
        elif isinstance(change, ImageDiff):
            say(f"  image {_safe(change.title)}: look at it in the console")
        else:
            say(f"  {_safe(change.text)}")
    if checkpoint.expires_at and checkpoint.status is CheckpointStatus.PENDING:
        say(f"  expires {ago(checkpoint.expires_at)}")
    say(f"  digest {checkpoint.payload_digest}")


def _safe(text: str) -> str:
    return reveal(text).text
