"""``policies``: who may decide, how many have to agree, and what the deadline brings."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, say, table
from agent_console.cli.session import opened
from agent_console.domain.access import Role
from agent_console.domain.review_policies import (
    ALL_TYPES,
    DECIDING_ROLES,
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    Reviewers,
    ReviewPolicy,
    Terms,
    deadline_words,
)

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Review policies.")

JOB_TYPE = Annotated[str, typer.Argument(help=f"The job type; {ALL_TYPES} for all.")]
ACTION = Annotated[str, typer.Option("--action", help="Only of this action of the type.")]
ROLES = Annotated[list[Role] | None, typer.Option("--role", help="May decide; again for more.")]
PEOPLE = Annotated[
    list[str] | None, typer.Option("--reviewer", help="An account's e-mail; again for more.")
]
GROUPS = Annotated[
    list[str] | None, typer.Option("--group", help="A group's name; again for more.")
]
SELF = Annotated[
    str | None, typer.Option("--self-approval", help="auto, never, always; default: setting.")
]
BASE = Annotated[
    int | None, typer.Option("--base-version", help="Refuse if the version is another by now.")
]


@app.command("list")
def list_policies(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the policies that hold; the most exact one wins."""
    with opened() as (console, actor):
        found = console.services.policies.page(actor)
    if as_json:
        document({"policies": [_wire(one) for one in found]})
        return
    rows = [
        (
            one.job_type,
            one.action or "any",
            str(one.version),
            one.terms.deciders.words,
            str(one.terms.required_approvals),
            deadline_words(one.terms),
        )
        for one in found
    ]
    headings = ("Job type", "Action", "Version", "Asks", "Approvals", "At the deadline")
    table(headings, rows, empty="")


@app.command()
def show(
    job_type: JOB_TYPE, *, action: ACTION = "", as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Show what holds for a job type."""
    with opened() as (console, actor):
        found = console.services.policies.get(actor, job_type, action)
    printed(found, as_json=as_json)


@app.command()
def versions(
    job_type: JOB_TYPE, *, action: ACTION = "", as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """List the versions of a policy, newest first."""
    with opened() as (console, actor):
        found = console.services.policies.versions(actor, job_type, action)
    if as_json:
        document({"versions": [_wire(one) for one in found]})
        return
    rows = [
        (
            str(one.version),
            one.saved_at,
            one.saved_by_name,
            "removed" if one.removed else one.terms.deciders.words,
            one.terms.note,
        )
        for one in found
    ]
    table(("Version", "Saved", "By", "Asks", "Note"), rows, empty="No version was ever saved.")


@app.command("set")
def save(
    job_type: JOB_TYPE,
    *,
    action: ACTION = "",
    role: ROLES = None,
    reviewer: PEOPLE = None,
    group: GROUPS = None,
    approvals: Annotated[int, typer.Option(min=1, help="So many people have to approve.")] = 1,
    veto: Annotated[bool, typer.Option(help="One rejection ends it.")] = True,
    self_approval: SELF = None,
    bulk: Annotated[bool, typer.Option(help="May be decided together with others.")] = True,
    undo_seconds: Annotated[int | None, typer.Option("--undo-seconds", min=0)] = None,
    at_deadline: Annotated[
        AtDeadline, typer.Option("--at-deadline", help="When nobody decided in time.")
    ] = AtDeadline.FAIL,
    seconds: Annotated[
        int, typer.Option("--seconds", min=0, help="By which extend and escalate move it.")
    ] = 0,
    times: Annotated[int, typer.Option("--times", min=0, help="How often extend does.")] = 1,
    to_role: Annotated[
        list[Role] | None, typer.Option("--to-role", help="Whom escalate asks; default: admin.")
    ] = None,
    to_reviewer: Annotated[list[str] | None, typer.Option("--to-reviewer")] = None,
    to_group: Annotated[list[str] | None, typer.Option("--to-group")] = None,
    last: Annotated[
        AtDeadline, typer.Option("--last", help="What happens when that is over: an end.")
    ] = AtDeadline.FAIL,
    remind: Annotated[
        list[int] | None, typer.Option("--remind", help="Seconds before the deadline.")
    ] = None,
    auto_up_to: Annotated[
        str | None,
        typer.Option("--auto-up-to", help="Approve by itself up to NONE, LOW, MEDIUM or HIGH."),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Only record what that would have approved.")
    ] = False,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    base_version: BASE = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Save a new version; what is left out is as without a policy, not as in the last version."""
    to = _reviewers(to_role, to_reviewer, (Role.ADMIN,), to_group)
    terms = Terms(
        deciders=_reviewers(role, reviewer, DECIDING_ROLES, group),
        required_approvals=approvals,
        veto=veto,
        self_approval=self_approval,  # type: ignore[arg-type]  # the service says what is known
        bulk_allowed=bulk,
        undo_seconds=undo_seconds,
        deadline=Deadline(then=at_deadline, seconds=seconds, times=times, to=to, last=last),
        remind_seconds=tuple(remind or ()),
        automatic=Automatic(up_to=auto_up_to, shadow=shadow),
        note=note,
    )
    with opened() as (console, actor):
        saved = console.services.policies.save(
            actor, job_type, terms, action=action, base_version=base_version
        )
    printed(saved, as_json=as_json)


@app.command()
def remove(
    job_type: JOB_TYPE,
    *,
    action: ACTION = "",
    base_version: BASE = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """End a policy and show what holds instead; its versions stay."""
    with opened() as (console, actor):
        holds = console.services.policies.remove(
            actor, job_type, action=action, base_version=base_version
        )
    printed(holds, as_json=as_json)


def _reviewers(
    roles: list[Role] | None,
    people: list[str] | None,
    default: tuple[Role, ...],
    groups: list[str] | None,
) -> Reviewers:
    """Return who was named; ``default`` where nobody was."""
    named = tuple(Person(id=one) for one in people or ())
    asked = tuple(Group(id=one) for one in groups or ())
    chosen = tuple(roles or (() if named or asked else default))
    return Reviewers(roles=chosen, people=named, groups=asked)


def _wire(policy: ReviewPolicy) -> dict[str, object]:
    from agent_console.api.schemas.review_policies import ReviewPolicyOut

    wire: dict[str, object] = ReviewPolicyOut.of(policy).model_dump(mode="json")
    return wire


def printed(policy: ReviewPolicy, *, as_json: bool) -> None:
    """Print a policy, as a document or in lines."""
    if as_json:
        document({"policy": _wire(policy)})
        return
    terms = policy.terms
    saved = f"version {policy.version}" if policy.version else "nothing saved, this holds"
    say(f"{policy.title}: {saved}")
    say(f"  asks {terms.deciders.words}")
    say(f"  approvals needed: {terms.required_approvals}")
    say(f"  when nobody decides in time, {deadline_words(terms)}")
    say(f"  approves by itself {terms.automatic.words}")
    if terms.note:
        say(f"  {terms.note}")
