from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.anchors import Place
from agent_console.domain.changes import FileChange, RowsChange
from agent_console.domain.comments import CommentQuery
from agent_console.ui.components.comment_models import PlaceView, ThreadView
from agent_console.ui.components.review_changes import change_views
from agent_console.ui.states import comments
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


OLD, NEW = "one\ntwo\n", "one\n\u202etwo, better\nthree\n"
PATH = "src/\u202ea.py"
FILES = [
    RowsChange("Sample", [1], [2]).to_json(),
    FileChange(PATH, OLD, NEW).to_json(),
    FileChange("far.py", "x\n" * 50 + "end\n", "x\n" * 50 + "the end\n").to_json(),
]
LINE = {"place": "line-1-after-2"}


def test_a_line_is_chosen_spoken_of_and_let_go(console: Console) -> None:
    on = waiting(console, changes=FILES)

    async def then(browser: Browser) -> None:
        def saying() -> PlaceView:
            found: Any = browser.wire.value(Desk, "saying")
            return found if isinstance(found, PlaceView) else PlaceView()

        await browser.send(Desk.speak_of(LINE))
        assert saying().words == "src/⟨U+202E⟩a.py, line 2, new"
        await browser.send(Desk.speak_of({}))
        assert saying() == PlaceView()
        await browser.send(Desk.speak_of(LINE))
        await browser.send(Desk.comment({"checkpoint_id": on, "body": "why?", **LINE}))
        assert saying() == PlaceView()
        await browser.until(lambda: len(thread(browser).comments) == 1)
        (one,) = thread(browser).comments
        assert (one.place, one.href) == ("src/⟨U+202E⟩a.py, line 2, new", "#line-1-after-2")
        assert (one.line, one.outdated, one.round) == ("⟨U+202E⟩two, better", False, "")
        assert thread(browser).said == {"line-1-after-2": 1}
        ((below,),) = thread(browser).below.values()
        assert (below.text, below.author, below.href) == ("why?", "Reviewer", f"#said-{one.id}")
        # A line out of the difference's sight can be spoken of elsewhere; there is no way to it.
        far = Place(path="far.py", side="after", line=1)
        console.services.comments.add(console.actor("operator"), on, "and here", far)
        await browser.until(lambda: len(thread(browser).comments) == 2)
        assert thread(browser).comments[1].href == ""
        assert list(thread(browser).below) == ["line-1-after-2"]
        await browser.send(Desk.delete_comment(one.id))
        assert thread(browser).below == {}
        assert (thread(browser).comments[0].place, len(thread(browser).said)) == ("", 1)

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)


def test_below_their_lines_are_the_latest_and_long_ones_cut(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "BELOW", 3)
    monkeypatch.setattr(comments, "SHOWN", 1)
    on = waiting(console, changes=FILES)
    service, line = console.services.comments, Place(path=PATH, side="after", line=1)
    for number in range(4):
        service.add(console.actor("operator"), on, f"{number} \u202e" + "x" * 2_000, line)
    point = console.services.review.get(console.actor("viewer"), on).checkpoint
    views, _ = change_views(point.changes)
    shown = comments.read(console.actor("viewer"), point, 1, views)
    assert shown.said == {"line-1-after-1": 4}
    below = shown.below["line-1-after-1"]
    assert [one.text[:10] for one in below] == [f"{number} ⟨U+202E⟩"[:10] for number in (1, 2, 3)]
    assert all(one.text.endswith("…") and len(one.text) < 1_100 for one in below)
    assert [one.href for one in below] == ["", "", f"#said-{shown.comments[0].id}"]


def test_what_is_no_line_is_refused_and_what_was_typed_stays(console: Console) -> None:
    on = waiting(console, changes=FILES)

    async def then(browser: Browser) -> None:
        for place, told in (
            ("line-0-after-1", "This line cannot be spoken of by itself."),
            ("line-9-after-1", "This line cannot be spoken of by itself."),
            ("<b>", "This line cannot be spoken of by itself."),
            ("line-1-after-4", "must be from 1 to 3."),
        ):
            await browser.send(Desk.comment({"checkpoint_id": on, "body": "hm", "place": place}))
            assert browser.wire.value(Desk, "comment_error") == told
        assert said(console, on) == []

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)


def test_who_may_not_comment_chooses_no_line(console: Console) -> None:
    on = waiting(console, changes=FILES)

    async def then(browser: Browser) -> None:
        await browser.send(Desk.speak_of(LINE))
        assert browser.wire.value(Desk, "saying") in (None, PlaceView())

    at_the_desk(console, "viewer", f"{BASE}/{on}", then)


def test_what_was_said_to_lines_in_the_round_before_is_led_to_or_outdated(
    console: Console,
) -> None:
    first = waiting(console, changes=FILES)
    for line in (1, 2, 3):
        place = Place(path=PATH, side="after", line=line)
        console.services.comments.add(console.actor("operator"), first, f"c{line}", place)
    again = FileChange(PATH, OLD, "new\none\ntwo, best\nthree\n").to_json()
    second = waiting(console, changes=[again])
    chained = "UPDATE agent_checkpoints SET round = 2, previous_id = :first WHERE id = :id"
    console.db.write(lambda tx: tx.execute(chained, {"first": first, "id": second}))

    async def then(browser: Browser) -> None:
        await browser.until(lambda: len(thread(browser).earlier) == 3)
        assert [(one.href, one.outdated) for one in thread(browser).earlier] == [
            ("#line-0-after-2", False),
            ("", True),
            ("#line-0-after-4", False),
        ]
        assert {one.round for one in thread(browser).earlier} == {"round 1"}
        assert thread(browser).earlier[1].line == "⟨U+202E⟩two, better"
        assert not any(one.own for one in thread(browser).earlier)
        assert (thread(browser).comments, len(thread(browser).said)) == ([], 2)

    at_the_desk(console, "reviewer", f"{BASE}/{second}", then)
