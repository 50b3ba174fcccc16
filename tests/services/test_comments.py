from __future__ import annotations

from dataclasses import replace

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.anchors import Anchor, Place
from agent_console.domain.changes import FileChange
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.comments import MAX_COMMENT, CommentQuery
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited
from agent_console.domain.forks import ForkRequest
from agent_console.domain.queries import AuditQuery
from agent_console.services.comments import COMMENTS, WINDOW
from agent_console.store import comments as store
from agent_console.store.run_records import load_record
from tests.services.conftest import Desk

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    made = desk.actor(Role.REVIEWER, "ana.lima")
    desk.db.write(
        lambda tx: tx.execute("UPDATE users SET name = 'Ana Lima' WHERE id = :id", {"id": made.id})
    )
    return replace(made, name="Ana Lima")


@pytest.fixture
def olga(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR, "Olga")


@pytest.fixture
def waiting(desk: Desk, olga: Actor) -> tuple[str, str]:
    return desk.waiting(olga, {"x": 1})


def bodies(desk: Desk, actor: Actor, checkpoint_id: str) -> list[str]:
    page = desk.services.comments.page(actor, checkpoint_id, CommentQuery())
    return [one.body for one in page.items]


def test_a_thread_is_read_in_its_order_page_by_page_backwards(
    desk: Desk, ana: Actor, olga: Actor, waiting: tuple[str, str]
) -> None:
    _, on = waiting
    for number in range(5):
        desk.services.comments.add((ana, olga)[number % 2], on, f" c{number}\n")
        desk.clock.advance(1)
    assert bodies(desk, desk.actor(Role.VIEWER), on) == ["c0", "c1", "c2", "c3", "c4"]
    latest = desk.services.comments.page(ana, on, CommentQuery(limit=2))
    assert [one.body for one in latest.items] == ["c3", "c4"]
    before = desk.services.comments.page(ana, on, CommentQuery(limit=9, cursor=latest.next_cursor))
    assert ([one.body for one in before.items], before.next_cursor) == (["c0", "c1", "c2"], None)


def test_who_is_named_is_mentioned_and_journaled_for_whoever_tells_them(
    desk: Desk, ana: Actor, olga: Actor, waiting: tuple[str, str]
) -> None:
    job_id, on = waiting
    said = desk.services.comments.add(ana, on, "@OLGA, and @ana lima? mail@olga no")
    assert said.mentions == (olga.id, ana.id)
    other = desk.services.comments.edit(ana, on, said.id, "@olga and @olga@example.com")
    assert other.mentions == (olga.id,)
    more = desk.services.comments.add(olga, on, "@nobody @Olgas")
    assert more.mentions == ()
    auditor = local_operator("root")
    entries = desk.services.audit.page(auditor, AuditQuery(checkpoint_id=on)).items
    told = {
        entry.action: (entry.subject_id, entry.data.get("mentions"))
        for entry in entries
        if "comment" in entry.action and entry.subject_id == said.id
    }
    assert told == {
        "checkpoint.commented": (said.id, [olga.id, ana.id]),
        "checkpoint.comment_edited": (said.id, []),
    }
    assert {entry.job_id for entry in entries} == {job_id}
    assert not any("OLGA" in str(entry.data) for entry in entries)  # words can be taken back


def test_one_changes_ones_own_until_the_checkpoint_is_decided_with_it(
    desk: Desk, ana: Actor, olga: Actor, waiting: tuple[str, str]
) -> None:
    job_id, on = waiting
    comments = desk.services.comments
    kept, gone = (
        comments.add(olga, on, "because of the audit"),
        comments.add(olga, on, "never mind"),
    )
    with pytest.raises(Forbidden, match="Olga wrote this"):
        comments.edit(ana, on, kept.id, "mine now")
    with pytest.raises(Forbidden):
        comments.delete(ana, on, kept.id)
    left = comments.delete(olga, on, gone.id)
    assert (left.body, left.author_name, left.deleted_at) == ("", "Olga", desk.clock.now())
    with pytest.raises(Conflict, match="deleted"):
        comments.edit(olga, on, gone.id, "back")
    assert comments.edit(olga, on, kept.id, "for the audit").edited_at == desk.clock.now()
    desk.clock.advance(1)
    desk.services.review.decide(ana, on, APPROVE)
    desk.clock.advance(1)
    late = comments.add(olga, on, "thank you")
    for verb in (
        lambda: comments.delete(olga, on, kept.id),
        lambda: comments.edit(olga, on, kept.id, "?"),
    ):
        with pytest.raises(Conflict, match="decided with this comment"):
            verb()
    comments.edit(olga, on, late.id, "thanks")
    (row,) = load_record(desk.db, job_id).decisions.values()
    assert [(one.author_name, one.body) for one in row.comments] == [("Olga", "for the audit")]
    assert bodies(desk, ana, on) == ["for the audit", "", "thanks"]


def test_a_fork_takes_along_what_was_said_before_its_decisions(
    desk: Desk, ana: Actor, olga: Actor, waiting: tuple[str, str]
) -> None:
    job_id, on = waiting
    desk.services.comments.add(ana, on, "mind the date")
    desk.clock.advance(1)
    desk.services.review.decide(ana, on, APPROVE)
    desk.services.jobs.control(olga, job_id, "pause")
    made = desk.services.forks.fork(olga, job_id, ForkRequest(from_position=1)).job
    assert made is not None
    (row,) = load_record(desk.db, made.id).decisions.values()
    assert row.checkpoint_id != on
    assert [one.body for one in row.comments] == ["mind the date"]


def test_what_cannot_be_said(
    desk: Desk, ana: Actor, waiting: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, on = waiting
    comments = desk.services.comments
    for body in ("", "  \n", "x" * (MAX_COMMENT + 1), "nul \x00"):
        with pytest.raises(Invalid) as wrong:
            comments.add(ana, on, body)
        assert wrong.value.fields[0].field == "body"
    with pytest.raises(NotFound):
        comments.add(ana, "chk_none", "hello")
    with pytest.raises(NotFound):
        comments.page(ana, "chk_none", CommentQuery())
    made = comments.add(ana, on, "hello")
    other = desk.waiting(desk.actor(Role.ADMIN))[1]
    with pytest.raises(NotFound):
        comments.edit(ana, other, made.id, "elsewhere")
    monkeypatch.setattr(store, "MAX_THREAD", 1)
    with pytest.raises(Conflict, match="no more fit"):
        comments.add(ana, on, "again")


def test_a_person_says_so_much_in_a_while(desk: Desk, ana: Actor, waiting: tuple[str, str]) -> None:
    _, on = waiting
    for _ in range(COMMENTS):
        desk.services.comments.add(ana, on, "again")
    with pytest.raises(RateLimited):
        desk.services.comments.add(ana, on, "and again")
    desk.clock.advance(WINDOW)
    desk.services.comments.add(ana, on, "later")


OLD, NEW = "one\ntwo\n", "one\n\u202etwo, better\nthree\n"
FILES = [FileChange("src/a.py", OLD, NEW).to_json()]
LINE = Place(path="src/a.py", side="after", line=2)


def test_a_line_is_spoken_of_and_the_journal_says_which(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    _, on = desk.waiting(olga, changes=FILES)
    made = desk.services.comments.add(ana, on, "better how?", LINE)
    assert made.anchor == Anchor(path="src/a.py", side="after", line=2, text="\u202etwo, better")
    plain = desk.services.comments.add(ana, on, "all in all fine")
    assert plain.anchor is None
    page = desk.services.comments.page(olga, on, CommentQuery())
    assert [one.anchor for one in page.items] == [made.anchor, None]
    edited = desk.services.comments.edit(ana, on, made.id, "in what way better?")
    assert edited.anchor == made.anchor
    entries = desk.services.audit.page(local_operator("root"), AuditQuery(checkpoint_id=on)).items
    said = [one.data for one in entries if one.action == "checkpoint.commented"]
    assert [one["anchor"] for one in said if "anchor" in one] == [
        {"path": "src/a.py", "side": "after", "line": 2}
    ]
    assert len(said) == 2
    (line,) = desk.services.comments.on_lines(olga, on)
    assert (line.comment.id, line.round, line.line) == (made.id, 1, 2)
    desk.services.comments.delete(ana, on, made.id)
    assert desk.services.comments.on_lines(olga, on) == []


def test_a_line_that_is_not_there_is_refused_and_costs_nothing(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    _, on = desk.waiting(olga, changes=FILES)
    for place, field in (
        (replace(LINE, path="src/b.py"), "anchor.path"),
        (replace(LINE, line=4), "anchor.line"),
    ):
        for _ in range(COMMENTS):
            with pytest.raises(Invalid) as refused:
                desk.services.comments.add(ana, on, "hm", place)
            assert [one.field for one in refused.value.fields] == [field]
    with pytest.raises(NotFound):
        desk.services.comments.add(ana, "chk_none", "hm", LINE)
    with pytest.raises(NotFound):
        desk.services.comments.on_lines(ana, "chk_none")
    with pytest.raises(Forbidden):
        desk.services.comments.add(desk.actor(Role.VIEWER), on, "hm", LINE)
    desk.services.comments.add(ana, on, "hm", LINE)
