from __future__ import annotations

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.store.runs import suspend
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from tests.support.runs import checkpoint, claim_one
from tests.ui.conftest import Browser, Console
from tests.ui.test_desk_events import at_the_desk, form, notices, stored, waiting

CHANGES = Verdict(verb=CheckpointVerb.REQUEST_CHANGES, feedback="shorter")


def next_round(console: Console, data: object) -> str:
    return suspend(console.db, claim_one(console.db).key, checkpoint(1, data, rounds=2))


def test_it_is_sent_back_with_words_and_the_next_opens(console: Console) -> None:
    first, second = waiting(console, rounds=2), waiting(console, 2)

    async def then(browser: Browser) -> None:
        assert browser.wire.value(Desk, "ruling").changes_refusal == ""
        await browser.send(Desk.request_changes(form(console, first, feedback=" shorter ")))
        await browser.until(lambda: browser.wire.value(Desk, "body").id == second)
        assert browser.wire.value(Desk, "undoable").text == "Changes requested: greet"

    at_the_desk(console, "reviewer", BASE, then)
    done = stored(console, first)
    assert (done.status, done.feedback) == ("CHANGES_REQUESTED", "shorter")


def test_without_words_nothing_is_sent_back(console: Console) -> None:
    first = waiting(console, rounds=2)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.request_changes(form(console, first, feedback="  ")))
        await browser.until(
            lambda: "what should change" in (browser.wire.value(Desk, "changes_error") or "")
        )
        await browser.send(Desk.request_changes(form(console, first, feedback="a\x00b")))
        await browser.until(
            lambda: (
                "NUL" in browser.wire.value(Desk, "changes_error")
                or "\\u0000" in browser.wire.value(Desk, "changes_error")
            )
        )

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_where_no_round_comes_after_the_card_says_why(console: Console) -> None:
    single = waiting(console)

    async def then(browser: Browser) -> None:
        assert "in rounds" in browser.wire.value(Desk, "ruling").changes_refusal
        await browser.send(Desk.request_changes(form(console, single, feedback="shorter")))
        await browser.until(lambda: "in rounds" in (browser.wire.value(Desk, "conflict") or ""))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, single).status == "PENDING"


def test_who_may_not_decide_may_not_send_back(console: Console) -> None:
    first = waiting(console, rounds=2)

    async def then(browser: Browser) -> None:
        ruling = browser.wire.value(Desk, "ruling")
        assert "checkpoints:decide" in ruling.refusal
        assert (ruling.may_decide, ruling.changes_refusal) == (False, "")
        await browser.send(Desk.request_changes(form(console, first, feedback="shorter")))
        await browser.until(lambda: any("checkpoints:decide" in text for text in notices(browser)))

    at_the_desk(console, "viewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_the_second_round_shows_what_was_said_and_what_differs(console: Console) -> None:
    first = waiting(console, {"text": "a\nb"}, rounds=2)
    console.services.review.decide(console.actor("reviewer"), first, CHANGES)
    second = next_round(console, {"text": "a\nc"})

    async def then(browser: Browser) -> None:
        body, ruling = browser.wire.value(Desk, "body"), browser.wire.value(Desk, "ruling")
        assert body.id == second
        assert body.round_word == "Round 2 of 2"
        (change,) = body.since
        assert [line.text for line in change.lines if line.sign] == ["  b", "  c"]
        assert [(one.href, one.said) for one in ruling.rounds] == [
            (f"{BASE}/{first}", "shorter"),
            (f"{BASE}/{second}", ""),
        ]
        assert "the last one" in ruling.changes_refusal

    at_the_desk(console, "reviewer", BASE, then)


def test_what_was_sent_back_has_a_tab(console: Console) -> None:
    first = waiting(console, rounds=2)
    console.services.review.decide(console.actor("reviewer"), first, CHANGES)

    async def then(browser: Browser) -> None:
        (row,) = browser.wire.value(Desk, "rows")
        assert (row.id, row.status) == (first, "CHANGES_REQUESTED")
        (tab,) = [one for one in browser.wire.value(Desk, "tabs") if one.current]
        assert tab.label == "Changes"
        assert browser.wire.value(Desk, "ruling").headline == "Changes requested by Reviewer"

    at_the_desk(console, "reviewer", f"{BASE}?status=CHANGES_REQUESTED", then)
