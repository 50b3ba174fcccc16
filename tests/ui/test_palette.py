"""The command palette: what it finds is called what people call it, and nothing else is offered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Role
from agent_console.store.database import Reader
from agent_console.store.runs import suspend
from agent_console.ui.states.palette import LEAST, MAX_QUERY, SHOWN, Option, Palette, find
from agent_console.ui.states.session import Session
from tests.support.runs import checkpoint, claim_one
from tests.ui.conftest import Browser, Console, run


def asked(console: Console, message: str, description: str = "") -> tuple[str, str]:
    """Bring a job to a checkpoint; return both ids."""
    job = console.job(task_description=description)
    asks = replace(checkpoint(), message=message)
    return job, suspend(console.db, claim_one(console.db).key, asks, [])


def found(console: Console, wanted: str, role: str = Role.VIEWER) -> list[Option]:
    return find(console.actor(role), wanted)


def test_jobs_and_checkpoints_have_names_ids_and_where_they_are(console: Console) -> None:
    job, waiting = asked(console, "Send the letters to Ada", "Letters of the quarter")
    options = found(console, "letters")
    assert options == [
        Option(
            id=job, title="Letters of the quarter", kind="job", about="greet",
            number=job, status="WAITING", href=f"/jobs/{job}",
        ),
        Option(
            id=waiting, title="Send the letters to Ada", kind="checkpoint", about="Checkpoint",
            number=waiting, status="PENDING", href=f"/admin/agent-checkpoints/{waiting}",
        ),
    ]  # fmt: skip
    assert found(console, job) == options[:1]
    assert found(console, waiting) == options[1:]
    assert [one.id for one in found(console, "to Ada")] == [waiting]
    assert [one.id for one in found(console, "letters status:waiting")] == [job]
    assert found(console, "letters status:wai") == []  # half a word, and no complaint


def test_a_job_nobody_described_is_called_by_its_type(console: Console) -> None:
    job = console.job()
    options = found(console, "type:greet")
    assert [(one.title, one.number) for one in options] == [("greet", job)]
    assert found(console, "gree")[0].href == "/new?type=greet"


def test_what_agents_wrote_is_cut_and_shows_what_it_hides(console: Console) -> None:
    asked(console, "needle " + "x" * 900, "needle \u202eexe.pdf <b>")
    job, point = found(console, "needle")
    assert "\u202e" not in job.title
    assert job.title.endswith("exe.pdf <b>")  # plain text, as it stands
    assert len(point.title) == 200
    assert point.title.endswith("…")


def test_few_are_shown_and_each_kind_is_asked_for_once(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(SHOWN + 2):
        asked(console, "many of them", "many of them")
    actor, select = console.actor(Role.VIEWER), Reader.select
    sent: list[str] = []

    def spy(reader: Reader, statement: Any) -> Any:
        sent.append(str(statement))
        return select(reader, statement)

    monkeypatch.setattr(Reader, "select", spy)
    options = find(actor, "many")
    assert [one.kind for one in options] == ["job"] * SHOWN + ["checkpoint"] * SHOWN
    assert ["agent_checkpoints" in one for one in sent] == [False, True]


def test_typing_finds_and_too_little_of_it_does_not(console: Console) -> None:
    job, _ = asked(console, "Look", "Palette")

    async def look() -> None:
        async with Browser(console.sign_in("viewer"), "/jobs") as browser:

            def shown() -> list[str]:
                return [one.id for one in browser.wire.value(Palette, "found") or []]

            await browser.send(Palette.find("palet"))
            assert shown() == [job]
            await browser.send(Palette.find("p" * (LEAST - 1)))
            assert shown() == []
            await browser.send(Palette.find("p" * (MAX_QUERY * 3)))
            assert shown() == []
            assert not browser.wire.value(Session, "notices")

    run(look())
