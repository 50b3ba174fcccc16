"""Picking rows of the jobs list, and acting on them or on all that match."""

from __future__ import annotations

import pytest

from agent_console.domain.access import Actor
from agent_console.domain.jobs import JobStatus
from agent_console.runtime.bulk import bulk_handler
from agent_console.runtime.registry import Registry
from agent_console.services.jobs import JobService
from agent_console.store.claims import claim
from agent_console.testing import drain
from agent_console.ui.params import JobsParams
from agent_console.ui.states.bulk import NO_FILTER, TEXT_SEARCH, Bulk, refusals
from agent_console.ui.states.jobs import Jobs
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run


@pytest.fixture
def engine(console: Console) -> Registry:
    """Give the console the job type ``bulk-control``, and return what can run it."""
    registry = console.services.jobs._catalog
    assert isinstance(registry, Registry)
    registry.add(bulk_handler(console.db, JobService(console.db, registry)))
    return registry


def test_rows_are_picked_one_by_one_and_through(console: Console, engine: Registry) -> None:
    cookie = console.sign_in("operator")
    ids = [console.job(auto_execute=False) for _ in range(5)][::-1]

    async def look() -> None:
        async with Browser(cookie, "/jobs") as browser:
            wire = browser.wire
            await browser.send(Jobs.watch, wait=False)
            await browser.until(lambda: wire.value(Jobs, "loaded"))

            async def pick(number: int, *, through: bool = False) -> list[str]:
                await browser.send(Bulk.pick(ids[number], through))
                return list(wire.value(Bulk, "picked"))

            assert await pick(3) == [ids[3]]
            assert await pick(1, through=True) == [ids[3], ids[1], ids[2]]
            assert await pick(1) == [ids[3], ids[2]]
            await browser.send(Bulk.pick("job_of_somebody", through=False))
            await browser.send(Bulk.pick_page)
            assert sorted(wire.value(Bulk, "picked")) == sorted(ids)
            await browser.send(Bulk.let_go)
            assert wire.value(Bulk, "picked") == []
            await pick(0)
            await pick(2, through=True)
            await browser.send(Bulk.act_on_picked("cancel"))
            job = wire.value(Bulk, "job")
            assert (job.title, job.status) == ("Cancel jobs: 3 selected", "PENDING")
            assert job.note == "Waits for a worker."
            assert wire.value(Bulk, "picked") == []

    run(look())
    drain(console.db, engine)
    actor = console.actor("operator")
    found = {one: console.services.jobs.find(actor, one).status for one in ids}
    canceled = [one for one in ids if found[one] is JobStatus.CANCELED]
    assert canceled == ids[:3]


def test_all_that_match_are_counted_asked_about_and_followed(
    console: Console, engine: Registry
) -> None:
    cookie = console.sign_in("operator")
    for _ in range(3):
        console.job(auto_execute=False)

    async def look() -> None:
        async with Browser(cookie, "/jobs?status=INITIALIZED") as browser:
            wire = browser.wire
            await browser.send(Bulk.watch, wait=False)
            await browser.until(lambda: wire.value(Bulk, "loaded"))
            await browser.send(Bulk.ask_all("cancel"))
            assert wire.value(Bulk, "asking") == "cancel"
            assert wire.value(Bulk, "question").startswith("3 jobs in this list (status INIT")
            assert wire.value(Bulk, "confirm") == "Cancel 3 jobs"
            await browser.send(Bulk.turn(opened=False))
            assert wire.value(Bulk, "asking") == ""
            await browser.send(Bulk.act_on_all)
            assert wire.value(Bulk, "job").id == ""  # nothing was asked
            await browser.send(Bulk.ask_all("cancel"))
            await browser.send(Bulk.act_on_all)
            drain(console.db, engine)
            await browser.until(lambda: wire.value(Bulk, "job").ended)
            job = wire.value(Bulk, "job")
            assert (job.status, job.progress, job.note) == ("COMPLETED", 100, "3 done, 0 refused")
            await browser.send(Bulk.dismiss)
            assert wire.value(Bulk, "job").id == ""

    run(look())


def test_controls_say_why_not(console: Console) -> None:
    operator, viewer = console.actor("operator"), console.actor("viewer")

    def why(actor: Actor, **params: str) -> dict[str, str]:
        return refusals(actor, JobsParams(**params))

    assert set(why(viewer, status="PENDING").values()) == {
        "This needs the permission jobs:control (role operator or admin)."
    }
    assert why(operator) == {
        "cancel": "",
        "retry": "",
        "cancel all": NO_FILTER,
        "retry all": NO_FILTER,
    }
    assert why(operator, q="type:greet words")["cancel all"] == TEXT_SEARCH
    failed = why(operator, status="FAILED")
    assert failed["retry all"] == ""
    assert failed["cancel all"].startswith("Cancel is possible only for jobs that are INIT")
    assert why(operator, q="user:me")["cancel all"] == ""


def test_a_viewer_can_neither_pick_nor_act(console: Console, engine: Registry) -> None:
    cookie = console.sign_in("viewer")
    job_id = console.job(auto_execute=False)

    async def look() -> None:
        async with Browser(cookie, "/jobs?status=INITIALIZED") as browser:
            for event in (Bulk.pick(job_id, through=False), Bulk.ask_all("cancel")):
                await browser.send(event)
                notices = browser.wire.value(Session, "notices")
                assert notices[-1].code == "forbidden"
            assert not browser.wire.value(Bulk, "picked")

    run(look())
    assert engine.describe("bulk-control") is not None
    assert claim(console.db, "w1", 1) == []
