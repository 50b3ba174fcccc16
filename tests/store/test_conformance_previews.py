"""The live text of a run is fenced by its claim, and shown only while that run goes on."""

from __future__ import annotations

import pytest

from agent_console.domain.errors import LostClaim
from agent_console.domain.events import TOUCHED, Event
from agent_console.domain.jobs import JobVerb
from agent_console.store import job_writes, previews
from agent_console.store.claims import give_back
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.runs import suspend
from tests.support.factories import ADA, enqueue
from tests.support.runs import checkpoint, claim_one, end


def seen(db: Database, job_id: str) -> str | None:
    with db.read() as reader:
        found = previews.of_job(reader, job_id)
    return None if found is None else found.text


def rows(db: Database) -> int:
    with db.read() as reader:
        return len(reader.rows("SELECT job_id FROM job_previews"))


def test_the_last_word_replaces_the_one_before(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    assert seen(db, job_id) is None
    previews.show(db, key, "Wave 2")
    previews.show(db, key, "Wave 2 starts ✓ 'quoted' %s :name {now}")
    assert seen(db, job_id) == "Wave 2 starts ✓ 'quoted' %s :name {now}"
    assert rows(db) == 1
    previews.remove(db, key)
    assert seen(db, job_id) is None
    previews.remove(db, key)
    assert rows(db) == 0


def test_screens_are_told_and_the_journal_is_not(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    told: list[tuple[str, str | None]] = []
    journaled: list[Event] = []
    db.watch(lambda events: told.extend((event.action, event.job_id) for event in events))
    db.subscribe(journaled.extend)
    previews.show(db, key, "a")
    previews.remove(db, key)
    previews.remove(db, key)
    assert told == [(TOUCHED, job_id)] * 2
    assert not journaled


@pytest.mark.parametrize("ended", ["finished", "suspended", "released", "canceled"])
def test_a_run_that_has_ended_shows_nothing_and_can_show_nothing(db: Database, ended: str) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    previews.show(db, key, "half a sent")
    match ended:
        case "finished":
            finish(db, [end(key)])
        case "suspended":
            suspend(db, key, checkpoint(0))
        case "released":
            give_back(db, [key])
        case "canceled":
            db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, ADA))
    assert seen(db, job_id) is None
    with pytest.raises(LostClaim):
        previews.show(db, key, "half a sentence")
    assert rows(db) == 1
    previews.remove(db, key)
    assert rows(db) == 0


def test_a_later_run_shows_its_own_text_and_keeps_it(db: Database) -> None:
    job_id = enqueue(db)
    first = claim_one(db).key
    previews.show(db, first, "first")
    give_back(db, [first])
    second = claim_one(db, "w2").key
    assert seen(db, job_id) is None
    previews.show(db, second, "second")
    previews.remove(db, first)
    assert seen(db, job_id) == "second"


def test_the_sweep_takes_what_dead_runs_left_and_nothing_else(db: Database) -> None:
    gone, going = enqueue(db), enqueue(db)
    for _ in (gone, going):
        key = claim_one(db).key
        previews.show(db, key, key.job_id)
    assert previews.sweep(db) == 0
    db.write(lambda tx: job_writes.control(tx, gone, JobVerb.CANCEL, ADA))
    assert previews.sweep(db) == 1
    assert rows(db) == 1
    assert seen(db, going) == going
