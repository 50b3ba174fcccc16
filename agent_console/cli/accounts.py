"""``admin``, ``user``, ``token``: accounts and API tokens."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, note, say, table
from agent_console.cli.session import opened
from agent_console.domain.access import Role
from agent_console.domain.records import User

admin = typer.Typer(cls=Commands, no_args_is_help=True, help="Administrator accounts.")
user = typer.Typer(cls=Commands, no_args_is_help=True, help="Accounts.")
token = typer.Typer(cls=Commands, no_args_is_help=True, help="API tokens.")

EMAIL = Annotated[
    str, typer.Option("--email", help="The account's address; also its sign-in name.")
]
NAME = Annotated[str, typer.Option("--name", help="The name that others see.")]
PASSWORD_STDIN = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@admin.command("create")
def create_admin(
    *,
    email: EMAIL,
    name: NAME = "",
    password_stdin: PASSWORD_STDIN = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make an administrator's account."""
    _create(email, name, Role.ADMIN, password_stdin=password_stdin, as_json=as_json)


@user.command("create")
def create_user(
    *,
    email: EMAIL,
    role: Annotated[Role, typer.Option("--role", help="What the account may do.")],
    name: NAME = "",
    password_stdin: PASSWORD_STDIN = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make an account."""
    _create(email, name, role, password_stdin=password_stdin, as_json=as_json)


@user.command("list")
def list_users(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List all accounts."""
    with opened() as (console, actor):
        users = console.services.access.users(actor)
    if as_json:
        document({"users": [_shown(each) for each in users]})
        return
    rows = [(u.id, u.email, u.name, u.role, "disabled" if u.disabled else "enabled") for u in users]
    table(("Id", "Email", "Name", "Role", "State"), rows, empty="There are no accounts yet.")


@token.command("create")
def create_token(
    *,
    email: EMAIL,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Repeatable; default: all the account may.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, help="Days until it expires.")] = 90,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "command line",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make an API token of an account. It is shown once and cannot be shown again."""
    with opened() as (console, actor):
        grant = console.services.access.create_token(
            actor, email, name=name, scopes=scope or None, days=days
        )
    scopes = sorted(str(each) for each in grant.scopes)
    if as_json:
        document(
            {
                "token": grant.token,
                "id": grant.id,
                "scopes": scopes,
                "expiresAt": grant.expires_at,
            }
        )
        return
    note(f"Token {grant.id} of {email}, scopes {', '.join(scopes)}. Keep it now; it is shown once:")
    say(grant.token)


def _create(email: str, name: str, role: Role, *, password_stdin: bool, as_json: bool) -> None:
    password = _password(password_stdin=password_stdin)
    with opened() as (console, actor):
        made = console.services.access.create_user(
            actor, email=email, name=name or email.partition("@")[0], role=role, password=password
        )
    if as_json:
        document({"user": _shown(made)})
    else:
        say(f"Account {made.email} ({made.role}) is ready: {made.id}")


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        fail("No terminal to ask for the password: use --password-stdin.")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return entered


def _shown(account: User) -> dict[str, object]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": str(account.role),
        "disabled": account.disabled,
        "createdAt": account.created_at,
    }
