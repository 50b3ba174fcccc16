from __future__ import annotations

from typing import Any

from agent_console.domain.comments import CommentQuery
from agent_console.ui.components.comment_models import ThreadView
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from tests.ui.conftest import Browser, Console
from tests.ui.test_desk_events import at_the_desk, waiting


def said(console: Console, checkpoint_id: str) -> list[str]:
    actor = console.actor("viewer")
    page = console.services.comments.page(actor, checkpoint_id, CommentQuery())
    return [one.body for one in page.items]


def thread(browser: Browser) -> ThreadView:
    found: Any = browser.wire.value(Desk, "thread")
    return found if isinstance(found, ThreadView) else ThreadView()


def test_what_one_says_is_on_the_card_and_what_others_say_comes(console: Console) -> None:
    on = waiting(console)
    operator = console.actor("operator")

    async def then(browser: Browser) -> None:
        await browser.send(Desk.comment({"checkpoint_id": on, "body": " mind \u202ethe date "}))
        await browser.until(lambda: len(thread(browser).comments) == 1)
        (mine,) = thread(browser).comments
        assert (mine.text, mine.own, mine.author) == ("mind ⟨U+202E⟩the date", True, "Reviewer")
        console.services.comments.add(operator, on, "@reviewer done")
        await browser.until(lambda: len(thread(browser).comments) == 2)
        theirs = thread(browser).comments[1]
        assert (theirs.own, theirs.to_me) == (False, True)

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)


def test_ones_own_is_edited_and_deleted(console: Console) -> None:
    on = waiting(console)
    made = console.services.comments.add(console.actor("reviewer"), on, "first thought")

    async def then(browser: Browser) -> None:
        await browser.send(Desk.begin_edit(made.id))
        assert browser.wire.value(Desk, "editing") == made.id
        await browser.send(Desk.edit_comment({"comment_id": made.id, "body": ""}))
        assert browser.wire.value(Desk, "comment_error") == "must not be empty."
        await browser.send(Desk.edit_comment({"comment_id": made.id, "body": "second thought"}))
        assert browser.wire.value(Desk, "editing") == ""
        assert said(console, on) == ["second thought"]
        await browser.send(Desk.delete_comment(made.id))
        assert thread(browser).comments[0].deleted

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)


def test_earlier_comments_are_shown_when_asked_for(console: Console) -> None:
    on = waiting(console)
    for number in range(25):
        console.services.comments.add(console.actor("reviewer"), on, f"c{number}")

    async def then(browser: Browser) -> None:
        assert (len(thread(browser).comments), thread(browser).more) == (20, True)
        await browser.send(Desk.show_all_comments())
        await browser.until(lambda: len(thread(browser).comments) == 25)
        assert not thread(browser).more

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)


def test_who_may_only_look_is_told_why(console: Console) -> None:
    on = waiting(console)

    async def then(browser: Browser) -> None:
        assert "checkpoints:comment" in thread(browser).refusal
        await browser.send(Desk.comment({"checkpoint_id": on, "body": "may I?"}))
        assert said(console, on) == []

    at_the_desk(console, "viewer", f"{BASE}/{on}", then)
