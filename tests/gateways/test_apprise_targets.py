"""Mail and chat: only what is allowed, and nothing of a target in any word."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_console.domain.errors import Invalid, Misconfigured
from agent_console.gateways.apprise_targets import AppriseTargets, NotSent
from agent_console.gateways.keystore import open_store
from agent_console.gateways.vault import open_vault
from agent_console.settings import Settings
from tests.support.receiver import HOST, Receiver, receiver


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def targets() -> AppriseTargets:
    return AppriseTargets(("json", "mailto", "discord", "slack"), 2.0)


def test_a_message_arrives(targets: AppriseTargets, other: Receiver) -> None:
    url = f"json://{HOST}:{other.port}/canary-path"
    assert targets.check(url) == "json://…"
    assert other.received == []
    targets.send(url, "Decision needed", "May I?")
    (request,) = other.received
    said = json.loads(request.body)
    assert (said["title"], said["message"]) == ("Decision needed", "May I?")


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://canary-topic",
        "json:///",
        "canary-nothing",
        "discord://canary-id/canary-token?template=/etc/passwd",
        "discord://canary-id/canary-token?%74emplate=/etc/passwd",
        "discord://canary-id/canary-token?TEMPLATE=/etc/passwd",
        "mailto://me:canary-word@example.com?pgpprv=/etc/passwd",
        "json://example.com/canary?verify=no",
        "json://example.com/canary?retry=5&wait=60",
        "json://example.com/canary?+x-header=1",
        "slack://canary-token",
        "json://example.com/canary\n",
    ],
)
def test_what_may_not_be_used_is_refused_and_not_repeated(
    targets: AppriseTargets, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Invalid) as refused:
        targets.check(url)
    assert [one.field for one in refused.value.fields] == ["target"]
    assert "canary" not in str(refused.value) + caplog.text


def test_a_failure_says_why_and_nothing_of_the_target(
    targets: AppriseTargets, other: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other.answers = [500]
    with pytest.raises(NotSent, match="500") as failed:
        targets.send(f"json://me:canary-word@{HOST}:{other.port}/canary-path", "t", "b")
    said = str(failed.value)
    for url in ("json://127.0.0.1:9/canary-path", "mailto://me:canary-word@127.0.0.1:9?to=a@b.de"):
        with pytest.raises(NotSent) as failed:
            targets.send(url, "t", "b")
        said += str(failed.value)
    assert "canary" not in said + caplog.text
    assert HOST not in said


def test_what_the_vault_closed_opens_with_its_key_also_after_a_rotation(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    vault = open_vault(settings, "some.key")
    assert vault.opens is False
    closed = vault.close("a secret")
    assert "a secret" not in closed
    store = open_store(settings)
    store.put("some.key", "another", keep_previous=True)
    assert open_vault(settings, "some.key").open(closed) == "a secret"
    assert open_vault(settings, "some.key").close("a secret") != closed
    store.put("some.key", "a third one")
    with pytest.raises(Misconfigured, match=r"some\.key"):
        open_vault(settings, "some.key").open(closed)
    with pytest.raises(Misconfigured):
        open_vault(settings, "no.key").open(closed)
