"""Picking checkpoints of the desk, and one verdict on all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.store.database import Database
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_bulk import NAMED, NO_REASON, DeskBulk
from agent_console.ui.states.desk_reads import BASE
from tests.ui.conftest import Browser, Console
from tests.ui.test_desk_events import at_the_desk, notices, stored, waiting

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


def several(console: Console, number: int) -> list[str]:
    """Return checkpoints in the order of the list."""
    return [waiting(console, {"n": n}, message=f"May I do {n}?") for n in range(number)]


def at_the_list(
    console: Console, then: Callable[[Browser, Callable[[str], Any]], Awaitable[None]]
) -> None:
    async def look(browser: Browser) -> None:
        await then(browser, lambda name: browser.wire.value(DeskBulk, name))

    at_the_desk(console, "reviewer", BASE, look)


def test_rows_are_picked_through_and_all_are_decided(console: Console) -> None:
    ids = several(console, 5)

    async def then(browser: Browser, value: Callable[[str], Any]) -> None:
        await browser.send(DeskBulk.pick(ids[1], through=False))
        await browser.send(DeskBulk.pick(ids[3], through=True))
        assert value("picked") == ids[1:4]
        await browser.send(DeskBulk.pick("chk_of_somebody", through=False))
        await browser.send(DeskBulk.ask("approve"))
        assert (value("asking"), value("names"), value("more") or "") == (
            "approve",
            [f"May I do {n}?" for n in (1, 2, 3)],
            "",
        )
        await browser.send(DeskBulk.decide({"feedback": " as agreed "}))
        assert (value("outcome"), value("picked"), value("asking")) == ("3 approved", [], "")
        assert [row.id for row in browser.wire.value(Desk, "rows")] == [ids[0], ids[4]]
        await browser.send(DeskBulk.decide({}))  # a second click: nothing is asked any more
        await browser.send(DeskBulk.dismiss)
        assert value("outcome") == ""

    at_the_list(console, then)
    done = [stored(console, one) for one in ids]
    assert [one.status for one in done] == ["PENDING", *["APPROVED"] * 3, "PENDING"]
    assert {one.feedback for one in done[1:4]} == {"as agreed"}


def test_what_somebody_decided_meanwhile_is_told_with_a_link(console: Console) -> None:
    ids = several(console, 3)

    async def then(browser: Browser, value: Callable[[str], Any]) -> None:
        await browser.send(DeskBulk.pick(ids[0], through=False))
        await browser.send(DeskBulk.pick_page)
        await browser.send(DeskBulk.ask("reject"))
        console.services.review.decide(console.actor("admin"), ids[1], APPROVE)
        await browser.send(DeskBulk.decide({"reason": " "}))
        assert (value("reason_error"), value("asking")) == (NO_REASON, "reject")
        await browser.send(DeskBulk.decide({"reason": "off"}))
        assert value("outcome") == "2 rejected, 1 already decided by Admin"
        (refused,) = value("refused")
        assert (refused.id, refused.title) == (ids[1], "May I do 1?")
        assert refused.href == f"{BASE}/{ids[1]}"
        assert "Admin was faster" in refused.why
        assert value("picked") == []  # nobody can decide it any more

    at_the_list(console, then)
    assert [stored(console, one).status for one in ids] == ["REJECTED", "APPROVED", "REJECTED"]
    assert stored(console, ids[0]).rejection_reason == "off"


def test_what_is_not_what_was_picked_is_refused_and_stays_picked(console: Console) -> None:
    ids = several(console, 2)

    async def then(browser: Browser, value: Callable[[str], Any]) -> None:
        await browser.send(DeskBulk.pick(ids[0], through=False))
        await browser.send(DeskBulk.pick(ids[1], through=False))
        alter(console.db, ids[0], "a" * 64)
        await browser.send(Desk.choose_type("all"))
        await browser.send(DeskBulk.pick_page)  # what was seen first counts
        await browser.send(DeskBulk.ask("approve"))
        await browser.send(DeskBulk.decide({}))
        assert value("outcome") == "1 approved, 1 changed since it was shown"
        assert value("picked") == [ids[0]]
        await browser.send(DeskBulk.ask("approve"))
        await browser.send(DeskBulk.decide({}))
        assert value("outcome") == "1 changed since it was shown"
        await browser.send(DeskBulk.let_go)
        await browser.send(DeskBulk.pick(ids[0], through=False))  # looked at again
        await browser.send(DeskBulk.ask("approve"))
        await browser.send(DeskBulk.decide({}))
        assert value("outcome") == "1 approved"

    at_the_list(console, then)


def alter(db: Database, checkpoint_id: str, digest: str) -> None:
    """Make another payload of it, as no handler can."""
    db.write(
        lambda tx: tx.execute(
            "UPDATE agent_checkpoints SET payload_digest = :digest WHERE id = :id",
            {"digest": digest, "id": checkpoint_id},
        )
    )


def test_a_question_about_many_names_some(console: Console) -> None:
    ids = several(console, NAMED + 2)

    async def then(browser: Browser, value: Callable[[str], Any]) -> None:
        await browser.send(DeskBulk.ask("approve"))  # nothing is picked
        assert not value("asking")
        await browser.send(DeskBulk.pick(ids[0], through=False))
        await browser.send(DeskBulk.pick_page)
        await browser.send(DeskBulk.ask("cancel"))
        assert not value("asking")
        await browser.send(DeskBulk.ask("approve"))
        assert (len(value("names")), value("more")) == (NAMED, "and 2 more")
        await browser.send(DeskBulk.turn(opened=False))
        assert value("asking") == ""
        await browser.send(DeskBulk.decide({}))
        assert not value("outcome")

    at_the_list(console, then)
    assert {stored(console, one).status for one in ids} == {"PENDING"}


def test_decided_rows_cannot_be_picked(console: Console) -> None:
    first, second = several(console, 2)
    console.services.review.decide(console.actor("admin"), first, APPROVE)

    async def then(browser: Browser) -> None:
        await browser.send(DeskBulk.pick(first, through=False))
        await browser.send(DeskBulk.pick_page)
        assert browser.wire.value(DeskBulk, "picked") == [second]

    at_the_desk(console, "reviewer", f"{BASE}?status=ALL", then)


def test_who_may_not_decide_sees_why_and_picks_nothing(console: Console) -> None:
    (only,) = several(console, 1)

    async def then(browser: Browser) -> None:
        assert "checkpoints:decide" in browser.wire.value(Desk, "may_not")
        await browser.send(DeskBulk.pick(only, through=False))
        assert "checkpoints:decide" in notices(browser)[-1]
        assert not browser.wire.value(DeskBulk, "picked")

    at_the_desk(console, "viewer", BASE, then)
