from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.checkpoints import Checkpoint, CheckpointVerb, Verdict
from agent_console.domain.events import BEAT
from agent_console.services.review import ReviewService
from agent_console.store.feed import Change
from agent_console.store.runs import suspend
from agent_console.ui import live
from agent_console.ui.company import GRACE
from agent_console.ui.components.review_models import RulingView
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from agent_console.ui.states.session import Session
from tests.support.runs import checkpoint, claim_one, start_worker
from tests.ui.conftest import Browser, Console, run

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


def waiting(
    console: Console,
    data: Any = None,
    *,
    answer: Any = None,
    default: Any = None,
    changes: Sequence[Any] = (),
    **more: Any,
) -> str:
    """Bring a job of the operator to a checkpoint, with ``answer`` to a question; return that."""
    start_worker(console.db)
    console.job()
    asked = checkpoint(0, data, answer=answer, default=default, changes=changes)
    return suspend(console.db, claim_one(console.db).key, replace(asked, **more))


def stored(console: Console, checkpoint_id: str) -> Checkpoint:
    return console.services.review.get(console.actor("viewer"), checkpoint_id).checkpoint


def form(console: Console, checkpoint_id: str, **fields: str) -> dict[str, str]:
    """Return what the browser sends for what is on its screen."""
    digest = stored(console, checkpoint_id).payload_digest
    return {"checkpoint_id": checkpoint_id, "payload_digest": digest} | fields


def at_the_desk(
    console: Console, role: str, path: str, then: Callable[[Browser], Awaitable[None]]
) -> None:
    cookie = console.sign_in(role)

    async def look() -> None:
        async with Browser(cookie, path) as browser:
            await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Desk, "loaded"))
            await then(browser)

    run(look())


def notices(browser: Browser) -> list[str]:
    return [notice.text for notice in browser.wire.value(Session, "notices") or []]


def test_the_first_is_open_and_a_new_one_joins_the_list(console: Console) -> None:
    first = waiting(console, {"n": 1})

    async def then(browser: Browser) -> None:
        assert browser.wire.value(Desk, "body").id == first
        waiting(console, {"n": 2})
        await browser.until(lambda: len(browser.wire.value(Desk, "rows")) == 2)
        assert browser.wire.value(Desk, "body").id == first
        assert browser.wire.value(Desk, "announcement") == "2 checkpoints waiting for a decision"

    at_the_desk(console, "reviewer", BASE, then)


def test_what_is_searched_for_is_in_the_address_and_what_is_found_in_the_list(
    console: Console,
) -> None:
    waiting(console)
    found = waiting(console, 2, message="Send the invoice?")

    async def search(browser: Browser) -> None:
        await browser.send(Desk.search({"q": " invoice "}))
        await browser.until(lambda: f"{BASE}?type=noop&q=invoice" in browser.wire.redirects())

    async def look(browser: Browser) -> None:
        assert [row.id for row in browser.wire.value(Desk, "rows")] == [found]
        assert browser.wire.value(Desk, "q") == "INVOICE"
        assert browser.wire.value(Desk, "filtered") is True

    at_the_desk(console, "reviewer", f"{BASE}?type=noop&cursor=", search)
    at_the_desk(console, "reviewer", f"{BASE}?q=INVOICE", look)


def test_approving_tells_it_and_opens_the_next(console: Console) -> None:
    first, second = waiting(console), waiting(console, 2)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.approve(form(console, first, feedback=" fine ")))
        await browser.until(lambda: browser.wire.value(Desk, "body").id == second)
        assert notices(browser) == []  # said where it can be undone
        assert not browser.wire.redirects()

    at_the_desk(console, "reviewer", BASE, then)
    done = stored(console, first)
    assert (done.status, done.feedback, done.decided_by_name) == ("APPROVED", "fine", "Reviewer")
    assert stored(console, second).status == "PENDING"


def test_the_address_follows_when_it_names_a_checkpoint(console: Console) -> None:
    first, second = waiting(console), waiting(console, 2)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.reject(form(console, first, reason="No.")))
        await browser.until(lambda: f"{BASE}/{second}" in browser.wire.redirects())

    at_the_desk(console, "reviewer", f"{BASE}/{first}", then)
    assert stored(console, first).rejection_reason == "No."


def test_a_verdict_on_something_else_than_was_shown_does_nothing(console: Console) -> None:
    first = waiting(console)

    async def then(browser: Browser) -> None:
        for seen in ("0" * 64, ""):
            answer = form(console, first) | {"payload_digest": seen}
            await browser.send(Desk.approve(answer))
            await browser.until(lambda: browser.wire.value(Desk, "conflict"))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_a_rejection_without_a_reason_is_refused_at_the_field(console: Console) -> None:
    first = waiting(console)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.reject(form(console, first, reason="   ")))
        await browser.until(lambda: "Say why" in (browser.wire.value(Desk, "reason_error") or ""))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_edits_are_made_in_a_form_that_holds_all_of_the_payload(console: Console) -> None:
    schema = '{"type":"object","properties":{"n":{"type":"integer","maximum":9}},"required":["n"]}'
    first = waiting(console, {"n": 1}, edit_schema=schema)
    other = waiting(console, {"n": 1, "m": 2}, edit_schema=schema)

    async def then(browser: Browser) -> None:
        digest = stored(console, first).payload_digest
        bound = {"verdict:checkpoint_id": first, "verdict:payload_digest": digest}
        assert browser.wire.value(Desk, "edit_form") is True
        (field,) = browser.wire.value(Desk, "fields")
        assert (field.value, field.help) == ("1", "")  # nothing here is a default
        for typed, told in (("x", "whole number"), ("10", "maximum")):
            await browser.send(Desk.approve_form({**bound, "n": typed}))
            await browser.until(
                lambda told=told: told in browser.wire.value(Desk, "fields")[0].error
            )
        await browser.send(Desk.approve_form({**bound, "n": "2", "verdict:feedback": "two"}))
        await browser.until(lambda: browser.wire.value(Desk, "body").id == other)
        assert browser.wire.value(Desk, "edit_form") is False  # "m" has no field
        await browser.send(Desk.edit_in("json"))
        await browser.until(lambda: browser.wire.value(Desk, "edit_as") == "json")

    at_the_desk(console, "reviewer", BASE, then)
    done = stored(console, first)
    assert (done.status, done.edited_data, done.feedback) == ("APPROVED", {"n": 2}, "two")
    assert stored(console, other).status == "PENDING"


def test_edits_are_checked_at_the_field_and_approved_as_typed(console: Console) -> None:
    schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
    first = waiting(console, {"n": 1}, edit_schema=schema)

    async def then(browser: Browser) -> None:
        async def send(text: str) -> None:
            await browser.send(Desk.approve_edited(form(console, first, edited_data=text)))

        await send("{bad")
        await browser.until(lambda: "Line 1" in (browser.wire.value(Desk, "edit_error") or ""))
        await send('{"n": "one"}')
        await browser.until(lambda: "integer" in browser.wire.value(Desk, "edit_error"))
        await send('{"n": 12345678901234567890}')
        await browser.until(lambda: browser.wire.value(Desk, "undoable").text)

    at_the_desk(console, "reviewer", BASE, then)
    done = stored(console, first)
    assert (done.status, done.edited_data) == ("APPROVED", {"n": 12345678901234567890})


def test_a_viewer_sees_the_card_and_why_it_is_not_theirs_to_decide(console: Console) -> None:
    first = waiting(console)

    async def then(browser: Browser) -> None:
        ruling = browser.wire.value(Desk, "ruling")
        assert not ruling.may_decide
        assert "checkpoints:decide" in ruling.refusal
        await browser.send(Desk.approve(form(console, first)))
        await browser.until(lambda: any("checkpoints:decide" in text for text in notices(browser)))

    at_the_desk(console, "viewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_what_somebody_else_decided_stays_open_and_says_so(console: Console) -> None:
    first, second = waiting(console), waiting(console, 2)
    admin = console.actor("admin")

    async def then(browser: Browser) -> None:
        console.services.review.decide(admin, first, Verdict(verb=CheckpointVerb.APPROVE))
        await browser.until(
            lambda: browser.wire.value(Desk, "ruling").headline == "Approved by Admin"
        )
        assert browser.wire.value(Desk, "body").id == first
        assert [row.id for row in browser.wire.value(Desk, "rows")] == [second]
        assert browser.wire.value(Desk, "upcoming") == f"{BASE}/{second}"

    at_the_desk(console, "reviewer", BASE, then)


def test_a_link_to_nothing_says_so_and_shows_the_list(console: Console) -> None:
    waiting(console)

    async def then(browser: Browser) -> None:
        assert browser.wire.value(Desk, "missing") is True
        assert len(browser.wire.value(Desk, "rows")) == 1

    at_the_desk(console, "reviewer", f"{BASE}/chk_nothing", then)


def test_forms_that_no_browser_of_ours_sends_are_harmless(console: Console) -> None:
    first = waiting(console)

    async def then(browser: Browser) -> None:
        for nonsense in ({}, {"checkpoint_id": ["x"]}, {"checkpoint_id": first, "reason": 7}):
            await browser.send(Desk.approve(nonsense))
            await browser.send(Desk.reject(nonsense))
        await browser.until(lambda: notices(browser))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_a_claim_of_somebody_else_is_seen_and_can_be_taken_over(console: Console) -> None:
    first = waiting(console)
    console.services.claims.claim(console.actor("admin"), first)

    async def then(browser: Browser) -> None:
        def ruling() -> RulingView:
            found: RulingView = browser.wire.value(Desk, "ruling")
            return found

        assert (ruling().claimed_by, ruling().may_decide) == ("Admin", False)
        assert browser.wire.value(Desk, "rows")[0].claimed_by == "Admin"
        await browser.send(Desk.claim(False))
        await browser.until(lambda: any("Admin has claimed" in text for text in notices(browser)))
        await browser.send(Desk.claim(True))
        await browser.until(lambda: ruling().claim_own and ruling().may_decide)
        await browser.send(Desk.release())
        await browser.until(lambda: ruling().claimed_by == "" and ruling().may_claim)

    at_the_desk(console, "reviewer", BASE, then)


def test_a_decision_is_taken_back_and_its_card_opens_again(console: Console) -> None:
    first, second = waiting(console), waiting(console, 2)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.approve(form(console, first)))
        await browser.until(lambda: browser.wire.value(Desk, "body").id == second)
        undoable = browser.wire.value(Desk, "undoable")
        assert (undoable.text, bool(undoable.until)) == ("Approved: greet", True)
        await browser.send(Desk.undo)
        await browser.until(lambda: browser.wire.value(Desk, "body").id == first)
        assert browser.wire.value(Desk, "undoable").until == ""
        assert "Undone: nothing is decided." in notices(browser)
        await browser.send(Desk.undo)  # nothing is left to be undone
        assert browser.wire.value(Desk, "body").id == first

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "PENDING"


def test_what_went_on_already_cannot_be_undone(console: Console) -> None:
    first = waiting(console)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.approve(form(console, first)))
        await browser.until(lambda: browser.wire.value(Desk, "undoable").until)
        console.services.review.undo(console.actor("reviewer"), first)
        console.services.review.decide(console.actor("reviewer"), first, APPROVE)
        await browser.send(Desk.undo)
        await browser.until(lambda: any("cannot be undone" in text for text in notices(browser)))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, first).status == "APPROVED"


def test_the_list_holds_still_while_somebody_moves_in_it(console: Console) -> None:
    first, second = waiting(console), waiting(console, 2)

    async def then(browser: Browser) -> None:
        def rows() -> list[tuple[str, bool]]:
            return [(row.id, row.gone) for row in browser.wire.value(Desk, "rows")]

        await browser.send(Desk.hold(True))
        console.services.review.decide(console.actor("admin"), first, APPROVE, hold=60)
        third = waiting(console, 3)
        await browser.until(lambda: browser.wire.value(Desk, "news") == 1)
        await browser.until(lambda: rows() == [(first, True), (second, False)])
        await browser.send(Desk.let_in)
        await browser.until(lambda: rows() == [(second, False), (third, False)])
        assert browser.wire.value(Desk, "news") == 0
        fourth = waiting(console, 4)
        await browser.until(lambda: browser.wire.value(Desk, "news") == 1)
        await browser.send(Desk.hold(False))
        await browser.until(lambda: [row for row, _ in rows()] == [second, third, fourth])

    at_the_desk(console, "reviewer", BASE, then)


def test_people_of_the_same_rights_share_one_reading_of_the_list(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(console, {"n": 1})
    cookies = [console.sign_in("reviewer", f"reviewer{n}") for n in range(4)]
    read = Counter[str]()
    for name in ("page", "get"):
        monkeypatch.setattr(ReviewService, name, counted(read, getattr(ReviewService, name)))

    async def look() -> None:
        async with Browser("", BASE) as browser:
            for number, cookie in enumerate(cookies):
                browser.cookie, browser.token = cookie, f"tab-{number}"
                await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: browser.wire.count(Desk, "loaded", True) == len(cookies))

    run(look())
    assert 1 <= read["page"] <= 2  # the second where something was heard of meanwhile
    assert read["get"] >= len(cookies)  # what a person may do about a card is their own


def counted(calls: Counter[str], plain: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any) -> Any:
        calls[plain.__name__] += 1
        return plain(*given)

    return call


def test_the_list_does_not_wait_for_the_card(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = waiting(console, {"n": 1}), waiting(console, {"n": 2})
    verdict = replace(APPROVE, payload_digest=stored(console, second).payload_digest)
    go_on = threading.Event()
    plain = ReviewService.get

    def slow(*given: Any) -> Any:
        go_on.wait(10)
        return plain(*given)

    async def then(browser: Browser) -> None:
        monkeypatch.setattr(ReviewService, "get", slow)
        console.services.review.decide(console.actor("admin"), second, verdict)
        await browser.until(lambda: [row.id for row in browser.wire.value(Desk, "rows")] == [first])
        assert not go_on.is_set()
        go_on.set()

    at_the_desk(console, "reviewer", BASE, then)


def opened(browser: Browser) -> str:
    body = browser.wire.value(Desk, "body")
    return body.id if body else ""


def looking(console: Console, checkpoint_id: str) -> list[str]:
    presence = console.services.presence.of(console.actor("viewer"), checkpoint_id)
    return [one.user_name for one in presence.viewers]


def test_who_is_cut_off_leaves_the_cards_of_others(console: Console) -> None:
    point = waiting(console)
    cookie, reviewer = console.sign_in("reviewer"), console.actor("reviewer")

    async def look() -> None:
        async with Browser(cookie, f"{BASE}/{point}") as browser:
            await browser.send(Desk.watch, wait=False)
            await browser.until(lambda: opened(browser) == point)
            console.services.presence.look(reviewer, point)
        assert looking(console, point) == ["Reviewer"]  # it may be back in a moment
        await browser.until(lambda: not looking(console, point), GRACE + 2)

    run(look())


def test_a_page_that_is_back_at_once_has_not_left(console: Console) -> None:
    point = waiting(console)
    reviewer = console.actor("reviewer")

    async def then(browser: Browser) -> None:
        await browser.until(lambda: opened(browser) == point)
        console.services.presence.look(reviewer, point)
        await browser.send(Desk.watch, wait=False)  # ends the loop before it
        console.services.feed.publish()
        with pytest.raises(TimeoutError):
            await browser.until(lambda: not looking(console, point), GRACE + 0.5)

    at_the_desk(console, "reviewer", f"{BASE}/{point}", then)


def test_the_desk_does_not_look_again_for_jobs_that_only_run(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = waiting(console)
    job = stored(console, point).job_id
    plain = live._refresh

    def ran(job_id: str) -> Change:
        return Change(frozenset({job_id}), frozenset({"job.started"}))

    async def then(browser: Browser) -> None:
        looked, feed = asyncio.Event(), console.services.feed

        async def noted(page: live.LiveState, last: live._Round | None) -> live._Round:
            looked.set()
            return await plain(page, last)

        async def looks(within: float) -> bool:
            looked.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(looked.wait(), within)
            return looked.is_set()

        async def settled() -> None:
            while await looks(live.SETTLE + 2 * live.COALESCE):
                continue  # who has just come, or has seen a change, looks once more

        monkeypatch.setattr(live, "_refresh", noted)
        await settled()
        for change in (ran("job_elsewhere"), Change(frozenset(), frozenset({BEAT}))):
            feed.publish(change)
            assert not await looks(2 * live.COALESCE)
        feed.publish(ran(job))  # the open card tells of it
        assert await looks(5.0)
        await settled()
        await browser.send(Desk.let_in)  # which shows something newer than the loop did
        feed.publish(ran("job_elsewhere"))
        assert await looks(live.SETTLE / 2)
        await settled()
        feed.publish(Change(None, frozenset({"policy.saved"})))
        assert await looks(live.SETTLE / 2)

    at_the_desk(console, "reviewer", BASE, then)
