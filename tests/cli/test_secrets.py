"""``secrets``: values go in by standard input, come out on request only, and leave a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_console.gateways import keystore_file
from agent_console.gateways.keystore import open_keystore
from agent_console.settings import load_settings
from tests.cli.conftest import Terminal

VALUE = "canary-1c7a94d0"


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore_file, "SCRYPT_COST", 2)


def journal() -> list[tuple[str, str | None]]:
    from agent_console.bootstrap import build
    from agent_console.domain.access import SYSTEM
    from agent_console.domain.queries import AuditQuery

    console = build(load_settings())
    console.open()
    try:
        found = console.services.audit.page(SYSTEM, AuditQuery()).items
    finally:
        console.stop()
    return [(entry.action, entry.subject_id) for entry in reversed(found)]


def test_a_secret_from_set_to_delete(on_each_database: Terminal) -> None:
    terminal = on_each_database
    assert terminal.done("secrets", "list").strip() == "No secrets are stored."
    made = terminal.json("secrets", "set", "webhook.orders", stdin=VALUE + "\n")["secret"]
    assert (made["name"], made["version"]) == ("webhook.orders", 1)
    assert terminal.done("secrets", "get", "webhook.orders") == VALUE + "\n"
    assert open_keystore(load_settings()).get("webhook.orders") == VALUE
    rotated = terminal.json("secrets", "rotate", "webhook.orders", "--generate")["secret"]
    assert (rotated["version"], rotated["previousAccepted"]) == (2, True)
    new, old = open_keystore(load_settings()).versions("webhook.orders")
    assert old == VALUE
    assert len(new) == 44
    listed = terminal.done("secrets", "list") + terminal.done("secrets", "list", "--json")
    assert "webhook.orders" in listed
    assert VALUE not in listed
    assert new not in listed
    assert terminal.json("secrets", "delete", "webhook.orders")["deleted"] is True
    assert "no secret webhook.orders" in terminal.refused("secrets", "get", "webhook.orders")
    assert journal() == [
        (f"secret.{verb}", "webhook.orders") for verb in ("set", "revealed", "rotated", "deleted")
    ]


def test_a_value_keeps_everything_but_the_last_line_end(terminal: Terminal) -> None:
    terminal.done("secrets", "set", "pem", stdin="one\ntwo\n\n")
    assert terminal.json("secrets", "get", "pem")["value"] == "one\ntwo\n"


def test_what_is_no_secret_is_refused(terminal: Terminal) -> None:
    assert "must not be empty" in terminal.refused("secrets", "set", "name", stdin="\n")
    assert "must be a letter" in terminal.refused("secrets", "set", "../name", stdin="x")
    assert "to rotate" in terminal.refused("secrets", "rotate", "name", stdin="x")
    assert "either" in terminal.refused("secrets", "rotate")
    assert terminal.json("secrets", "list") == {"secrets": []}


def test_a_variable_of_the_environment_is_pointed_out(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.done("secrets", "set", "webhook.orders", stdin=VALUE)
    monkeypatch.setenv("WEBHOOK_ORDERS", "given")
    assert "environment" in terminal.done("secrets", "list")
    assert terminal.json("secrets", "list")["secrets"][0]["overridden"] is True


def test_the_encryption_key_is_changed(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.done("secrets", "set", "name", stdin=VALUE)
    key = tmp_path / "data" / "keystore.key"
    before = key.read_bytes()
    terminal.done("secrets", "rotate", "--encryption-key")
    assert key.read_bytes() != before
    monkeypatch.setenv("AGENT_CONSOLE_KEYSTORE_PASSPHRASE", "first words")
    terminal.done("secrets", "rotate", "--encryption-key")
    assert not key.exists()
    terminal.done("secrets", "rotate", "--encryption-key", stdin="second words\n")
    assert "not the one" in terminal.refused("secrets", "get", "name")
    monkeypatch.setenv("AGENT_CONSOLE_KEYSTORE_PASSPHRASE", "second words")
    assert terminal.done("secrets", "get", "name") == VALUE + "\n"


def test_without_a_store_there_is_nothing_to_change(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_KEYSTORE", "environment")
    assert "AGENT_CONSOLE_KEYSTORE" in terminal.refused("secrets", "set", "name", stdin="x")
