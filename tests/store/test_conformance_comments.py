"""Comments and decisions that meet: one is before the other, for every run of the handler."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from agent_console.domain.access import Actor
from agent_console.domain.anchors import Anchor
from agent_console.domain.comments import Comment
from agent_console.store import comments
from agent_console.store.database import Database
from tests.support.runs import decide_many, waiting_many

WRITERS, EACH = 4, 12


def handed(db: Database, checkpoint_id: str) -> list[str]:
    """Return what the handler of the checkpoint would get now."""
    with db.read() as reader:
        row = reader.row(
            "SELECT job_id FROM agent_checkpoints WHERE id = :id", {"id": checkpoint_id}
        )
        assert row is not None
        return [one.body for one in comments.handed(reader, row[0]).get(checkpoint_id, [])]


def test_what_was_said_before_a_decision_is_settled_by_it(db: Database) -> None:
    for on in waiting_many(db, 3):
        under_way = threading.Barrier(WRITERS + 1)

        def say(writer: int, on: str = on, barrier: threading.Barrier = under_way) -> None:
            actor = Actor(kind="user", id=f"usr_{writer}", name=str(writer))
            for number in range(EACH):
                if number == EACH // 2:
                    barrier.wait()
                body = f"{writer}.{number}"
                db.write(
                    lambda tx, body=body: comments.add(  # type: ignore[misc]
                        tx, on, body, (), who=f"usr_{actor.name}", actor=actor
                    )
                )

        with ThreadPoolExecutor(WRITERS) as pool:
            saying = [pool.submit(say, writer) for writer in range(WRITERS)]
            under_way.wait()
            decide_many(db, [on])
            at_once = handed(db, on)
            for one in saying:
                one.result()
        assert handed(db, on) == at_once
        assert {f"{writer}.{n}" for writer in range(WRITERS) for n in range(EACH // 2)} <= {
            *at_once
        }
        with db.read() as reader:
            assert len(comments.of_many(reader, [on])[on]) == WRITERS * EACH


def test_comments_on_lines_are_found_over_the_rounds_before(db: Database) -> None:
    first, second, other = waiting_many(db, 3)
    chained = "UPDATE agent_checkpoints SET round = 2, previous_id = :first WHERE id = :id"
    db.write(lambda tx: tx.execute(chained, {"first": first, "id": second}))
    omar = Actor(kind="user", id="usr_omar", name="Omar")
    places = {
        "new": Anchor(path="a.py", side="after", line=2, text="a \u2028 b"),
        "old": Anchor(path="a.py", side="before", line=2**31 - 1, text=""),
        "none": None,
    }

    def say(on: str, body: str) -> Comment:
        return db.write(
            lambda tx: comments.add(
                tx, on, body, (), who="usr_omar", actor=omar, anchor=places[body]
            )
        )

    said = {(on, body): say(on, body) for on in (second, first, other) for body in places}
    assert {one.anchor for (_, body), one in said.items() if body == "none"} == {None}
    with db.read() as reader:
        assert comments.on_lines(reader, second) == [
            (said[first, "new"], 1),
            (said[first, "old"], 1),
            (said[second, "new"], 2),
            (said[second, "old"], 2),
        ]
        assert [one.id for one, _ in comments.on_lines(reader, first)] == [
            said[first, "new"].id,
            said[first, "old"].id,
        ]
        assert comments.on_lines(reader, "chk_none") == []
        assert [one.anchor for one in comments.of_many(reader, [first])[first]] == [
            *places.values()
        ]
