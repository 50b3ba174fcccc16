"""``policies record|backtest|suggest|stop``: what is approved without a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from agent_console.cli import policies
from agent_console.cli.output import JSON_OPTION, document, say, table
from agent_console.cli.policies import ACTION, JOB_TYPE, printed
from agent_console.cli.session import opened
from agent_console.domain.review_policies import Automatic
from agent_console.domain.rule_history import DAYS, MAX_DAYS, Past

app = policies.app  # the same group: these are commands of ``policies``

HOW_FAR = Annotated[int, typer.Option("--days", min=1, max=MAX_DAYS, help="So far back.")]


@app.command()
def record(
    job_type: JOB_TYPE,
    *,
    action: ACTION = "",
    days: HOW_FAR = DAYS,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what a policy approved by itself, or would have in shadow."""
    with opened() as (console, actor):
        found = console.services.automatic.record(actor, job_type, action, days=days)
    if as_json:
        from agent_console.api.schemas.automatic import RuleRecordOut

        document({"record": RuleRecordOut.of(found).model_dump(mode="json")})
        return
    say(f"{found.policy.title}, {days} days: {found.approved} approved by itself")
    say(f"  in shadow: agreed {found.agreed}, disagreed {found.disagreed}, open {found.open}")
    _table([*found.contradictions, *found.approved_latest])


@app.command()
def backtest(
    job_type: JOB_TYPE,
    *,
    action: ACTION = "",
    up_to: Annotated[
        str | None, typer.Option("--up-to", help="The rule to try; default: the policy's own.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Try the rule of this version.")
    ] = None,
    days: HOW_FAR = DAYS,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Say what a rule would have approved of what people decided; saves nothing."""
    rule = None if up_to is None else Automatic(up_to=up_to)
    with opened() as (console, actor):
        found = console.services.automatic.backtest(
            actor, job_type, rule, action=action, version=version, days=days
        )
    if as_json:
        from agent_console.api.schemas.automatic import BacktestOut

        document({"backtest": BacktestOut.of(found).model_dump(mode="json")})
        return
    say(found.words)
    _table(found.contradictions)


@app.command()
def suggest(*, days: HOW_FAR = DAYS, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Suggest what might be approved by itself; saves nothing."""
    with opened() as (console, actor):
        found = console.services.automatic.suggestions(actor, days=days)
    if as_json:
        from agent_console.api.schemas.automatic import SuggestionOut

        wire = [SuggestionOut.model_validate(one).model_dump(mode="json") for one in found]
        document({"suggestions": wire})
        return
    rows = [(one.job_type, one.action or "any", one.up_to, one.words) for one in found]
    table(("Job type", "Action", "Up to", "Why"), rows, empty="Nothing to suggest.")


@app.command()
def stop(
    job_type: JOB_TYPE,
    *,
    action: ACTION = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is journaled.")] = "",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Stop approving by itself under a policy, at once."""
    with opened() as (console, actor):
        holds = console.services.automatic.stop(actor, job_type, action, reason=reason)
    printed(holds, as_json=as_json)


def _table(found: Sequence[Past]) -> None:
    rows = [(one.id, one.risk or "", one.outcome, one.by_name, one.action) for one in found]
    table(("Checkpoint", "Risk", "Ended", "By", "Action"), rows, empty="")
