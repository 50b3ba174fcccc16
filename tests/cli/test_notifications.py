"""Shared subscriptions by command: the target comes from standard input and is never printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook

from tests.cli.conftest import Terminal
from tests.support.receiver import HOST, Receiver, receiver


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as made:
        monkeypatch.setenv("AGENT_CONSOLE_HTTP_ALLOW", made.origin)
        monkeypatch.setenv("AGENT_CONSOLE_HTTP_ALLOW_PRIVATE", f"{HOST}/32")
        yield made


def test_a_subscription_by_command(on_each_database: Terminal, other: Receiver) -> None:
    terminal = on_each_database
    assert "no shared subscriptions" in terminal.done("notifications", "list")
    words = ("notifications", "add", "Desk", "webhook", "--topic", "new", "--topic", "decided")
    words += ("--digest", "60")
    made = terminal.json(*words, stdin=other.url + "\n")
    one, secret = made["subscription"]["id"], made["secret"]
    assert made["subscription"]["topics"] == ["new", "decided"]
    assert made["subscription"]["shared"] is True
    assert made["subscription"]["digestMinutes"] == 60

    changed = terminal.json(
        "notifications", "change", one, "--topic", "reminder", "--digest", "0", "--type", "noop"
    )["subscription"]
    assert (changed["topics"], changed["digestMinutes"]) == (["reminder"], 0)
    assert (changed["name"], changed["jobTypes"]) == ("Desk", ["noop"])
    words = ("notifications", "change", one, "--name", "Desk 2", "--all-types", "--target")
    assert terminal.json(*words, stdin=other.url + "\n")["subscription"]["jobTypes"] == []
    said = terminal.refused(*words, stdin="https://elsewhere.example/canary\n")
    assert "AGENT_CONSOLE_HTTP_ALLOW" in said
    assert "canary" not in said
    assert "exclude each other" in terminal.refused(*words, "--type", "noop", stdin=other.url)

    sent = terminal.json("notifications", "test", one)["delivery"]
    assert sent["status"] == "sent"
    (request,) = other.received
    assert Webhook(secret).verify(request.body, request.headers)["type"] == "checkpoint.test"
    other.answers = [500]
    assert "did not arrive: The answer was 500." in terminal.refused("notifications", "test", one)
    listed = terminal.json("notifications", "deliveries", one)["deliveries"]
    assert [each["status"] for each in listed] == ["failed", "sent"]
    assert "The answer was 500." in terminal.done("notifications", "deliveries", one)
    again = terminal.json("notifications", "redeliver", one, listed[0]["id"])["delivery"]
    assert again["status"] == "pending"

    assert " on" in terminal.done("notifications", "list")
    assert "off" in terminal.done("notifications", "disable", one)
    assert "turned off" in terminal.refused("notifications", "redeliver", one, sent["id"])
    assert " on" in terminal.done("notifications", "enable", one)
    shown = terminal.done("notifications", "list") + terminal.done(
        "notifications", "list", "--json"
    )
    assert f"{other.origin}/…" in shown
    assert "s3cret-path" not in shown
    assert secret not in shown
    assert terminal.json("notifications", "remove", one) == {"deleted": one}
    assert "There is no subscription" in terminal.refused("notifications", "remove", one)


def test_a_target_that_may_not_be_called_is_refused_and_not_repeated(terminal: Terminal) -> None:
    words = ("notifications", "add", "Desk")
    said = terminal.refused(*words, "webhook", stdin="https://elsewhere.example/canary\n")
    assert "AGENT_CONSOLE_HTTP_ALLOW" in said
    said += terminal.refused(*words, "apprise", stdin="slack://canary\n")
    said += terminal.refused(*words, "apprise", stdin="ntfy://canary\n")
    assert "AGENT_CONSOLE_NOTIFY_SCHEMES" in said
    assert "canary" not in said
