"""``groups``: accounts under one name, that review policies ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, table
from agent_console.cli.session import opened
from agent_console.domain.errors import NotFound
from agent_console.domain.reviewer_groups import GroupChange, ReviewerGroup

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Groups of reviewers.")

GROUP = Annotated[str, typer.Argument(help="The group, by name or id.")]
AS_JSON = Annotated[bool, JSON_OPTION]


@app.command("list")
def list_groups(*, as_json: AS_JSON = False) -> None:
    """List the groups and who is in them."""
    with opened() as (console, actor):
        found = console.services.groups.page(actor)
    _print(found, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    member: Annotated[
        list[str] | None, typer.Argument(help="Who is in it, by e-mail address.")
    ] = None,
    *,
    note: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
    as_json: AS_JSON = False,
) -> None:
    """Make a group of reviewers."""
    with opened() as (console, actor):
        made = console.services.groups.create(actor, name, member or (), note=note)
    _print([made], as_json=as_json)


@app.command()
def change(
    group: GROUP,
    *,
    add: Annotated[
        list[str] | None, typer.Option("--add", help="Put in, by e-mail address.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="Take out, by e-mail address.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Call it otherwise.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="What it is for.")] = None,
    as_json: AS_JSON = False,
) -> None:
    """Change a group; who is taken out is not asked by it any more, at once."""
    what = GroupChange(name=name, note=note, add=tuple(add or ()), remove=tuple(remove or ()))
    with opened() as (console, actor):
        service = console.services.groups
        changed = service.change(actor, _id(service.page(actor), group), what)
    _print([changed], as_json=as_json)


@app.command()
def delete(group: GROUP, *, as_json: AS_JSON = False) -> None:
    """Delete a group that no policy asks."""
    with opened() as (console, actor):
        service = console.services.groups
        gone = service.delete(actor, _id(service.page(actor), group))
    _print([gone], as_json=as_json)


def _id(groups: Sequence[ReviewerGroup], wanted: str) -> str:
    plain = wanted.strip().casefold()
    for one in groups:
        if plain in {one.id.casefold(), one.name.casefold()}:
            return one.id
    raise NotFound(f"There is no group {wanted}.")


def _print(groups: Sequence[ReviewerGroup], *, as_json: bool) -> None:
    if as_json:
        from agent_console.api.schemas.groups import GroupOut

        wire = [GroupOut.model_validate(one).model_dump(mode="json") for one in groups]
        document({"groups": wire})
        return
    rows = [
        (one.id, one.name, ", ".join(p.name for p in one.members) or "nobody", one.note)
        for one in groups
    ]
    table(("Group", "Name", "Members", "Note"), rows, empty="There is no group.")
