"""What the browser is sent holds no credential: not its own session's, not the console's."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from reflex.utils.format import json_dumps
from reflex_base.event import Event

from agent_console.domain.access import local_operator
from agent_console.gateways.keystore import open_keystore, open_store
from agent_console.settings import Settings
from agent_console.ui import bridge
from agent_console.ui.guard import our_handlers
from tests.ui.conftest import PASSWORD, Browser, Console, run
from tests.ui.test_gate import HYDRATE

CANARIES = {
    name: f"canary-{name}-90c2f1ab77"
    for name in ("cookie", "metrics", "passphrase", "database", "stored")
}


@pytest.fixture
def furnished(console: Console, tmp_path: Any) -> Console:
    """Bind settings and a keystore that hold canaries."""
    settings = Settings(
        data_dir=tmp_path,
        metrics_token=CANARIES["metrics"],
        keystore_passphrase=CANARIES["passphrase"],
        database_url=f"postgresql://me:{CANARIES['database']}@localhost/console",
    )
    open_store(settings).put("OPENAI_API_KEY", CANARIES["stored"])
    assert open_keystore(settings).get("OPENAI_API_KEY") == CANARIES["stored"]
    bridge.bind(console.services, settings)
    return console


def test_no_page_and_no_event_sends_a_credential(
    furnished: Console, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cookie = f"{furnished.sign_in('admin')}; other={CANARIES['cookie']}"
    secret = furnished.people["admin"][1]
    job = furnished.job(task_description="Say hello")
    furnished.services.jobs.control(local_operator("root"), job, "cancel")
    token = furnished.services.access.create_token(
        local_operator("root"), "admin@example.com", name="t", scopes=None, days=1
    ).token

    async def visit(name: str) -> str:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            await browser.send(Event(name=HYDRATE))
            count = len(browser.wire.sent)
            watching = name.endswith(".watch")
            await browser.send(Event(name=name, payload={}), wait=not watching)
            if watching:
                await browser.until(lambda: len(browser.wire.sent) > count)
            return "\n".join(json_dumps(update) for update in browser.wire.sent)

    names = [name for name in our_handlers() if name != HYDRATE]
    assert len(names) > 15
    seen = ""
    for name in names:
        sent = run(visit(name))
        for hidden in (secret, token, PASSWORD, *CANARIES.values()):
            assert hidden not in sent, name
        seen += sent
    # The pages did show something.
    assert "Say hello" in seen
    assert job in seen
    for hidden in (secret, token, PASSWORD, *CANARIES.values()):
        assert hidden not in caplog.text
