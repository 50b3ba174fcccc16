"""``secrets``: the keystore's content. Values come from standard input, never from arguments."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, note, say, table
from agent_console.cli.session import opened
from agent_console.gateways.keystore import SecretInfo

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Secrets that the console works with.")

NAME = Annotated[str, typer.Argument(help="The secret's name, such as OPENAI_API_KEY.")]
GENERATE = Annotated[bool, typer.Option("--generate", help="Make a random value; show nothing.")]


@app.command("set")
def set_secret(
    name: NAME, *, generate: GENERATE = False, as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Store a secret; the value is read from standard input, or asked for."""
    from agent_console.services.secrets import generated

    value = generated() if generate else read_value()
    with opened() as (console, actor):
        done = console.services.secrets.set(actor, name, value)
    _report(done, "stored", as_json=as_json)


@app.command("get")
def get_secret(name: NAME, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Print a stored secret. The journal records that it was read, and by whom."""
    with opened() as (console, actor):
        value = console.services.secrets.reveal(actor, name)
    if as_json:
        document({"name": name, "value": value})
    else:
        say(value)


@app.command("list")
def list_secrets(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the stored secrets: names and ages, never values."""
    with opened() as (console, actor):
        found = console.services.secrets.names(actor)
    if as_json:
        rows = [{**_shown(each.info), "overridden": each.overridden} for each in found]
        document({"secrets": rows})
        return
    table(
        ("Name", "Version", "Age", "Note"),
        [
            (
                each.info.name,
                each.info.version,
                each.info.created_at,
                _remark(each.info, overridden=each.overridden),
            )
            for each in found
        ],
        empty="No secrets are stored.",
    )


@app.command("rotate")
def rotate_secret(
    name: Annotated[str, typer.Argument(help="The secret to replace.")] = "",
    *,
    generate: GENERATE = False,
    encryption_key: Annotated[
        bool,
        typer.Option("--encryption-key", help="Encrypt the whole keystore with a new key instead."),
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Replace a secret by a new value; signatures with the one before stay valid until ``set``."""
    if bool(name) is encryption_key:
        fail("Give either the name of a secret, or --encryption-key.")
    if encryption_key:
        _rekey(as_json=as_json)
        return
    value = None if generate else read_value()
    with opened() as (console, actor):
        done = console.services.secrets.rotate(actor, name, value)
    _report(done, "rotated; the one before is still accepted", as_json=as_json)


@app.command("delete")
def delete_secret(name: NAME, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Forget a secret."""
    with opened() as (console, actor):
        console.services.secrets.delete(actor, name)
    if as_json:
        document({"name": name, "deleted": True})
    else:
        say(f"{name} is forgotten.")


def _rekey(*, as_json: bool) -> None:
    with opened() as (console, actor):
        asked = console.services.secrets.needs_passphrase(actor)
        passphrase = read_value("New passphrase") if asked else None
        console.services.secrets.rekey(actor, passphrase)
    if asked:
        note("Set AGENT_CONSOLE_KEYSTORE_PASSPHRASE to the new passphrase for every process.")
    if as_json:
        document({"rekeyed": True})
    else:
        say("The keystore is encrypted with a new key.")


def read_value(prompt: str = "Value") -> str:
    """Read a secret, or ask for it; one line end that a shell adds does not belong to it."""
    if sys.stdin.isatty():
        entered: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
        return entered
    text = sys.stdin.read()
    return text.removesuffix("\n").removesuffix("\r")


def _report(done: SecretInfo, words: str, *, as_json: bool) -> None:
    if as_json:
        document({"secret": _shown(done)})
    else:
        say(f"{done.name}: version {done.version} {words}.")


def _shown(info: SecretInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "version": info.version,
        "createdAt": info.created_at,
        "previousAccepted": info.previous,
    }


def _remark(info: SecretInfo, *, overridden: bool) -> str:
    if overridden:
        return "a variable of the environment is used instead"
    return "the one before is accepted too" if info.previous else ""
