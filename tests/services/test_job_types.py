from __future__ import annotations

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.limits import Caps
from agent_console.services.job_types import JobTypeService
from agent_console.store.database import Database
from tests.services.conftest import Desk
from tests.support.factories import ADA, enqueue, enqueue_many
from tests.support.limits import declare, service, taken
from tests.support.runs import claim_one

VIEWER = Actor(kind="user", id="usr_vic", name="Vic", permissions=ROLE_PERMISSIONS[Role.VIEWER])


@pytest.fixture
def types(db: Database) -> JobTypeService:
    return service(db)


def test_a_pause_says_by_whom_when_and_why_and_is_journaled(
    db: Database, types: JobTypeService
) -> None:
    state = types.pause(ADA, "noop", "supplier down")
    assert state.pause is not None
    assert (state.pause.by, state.pause.reason) == ("Ada", "supplier down")
    with pytest.raises(Conflict, match="paused already, by Ada"):
        types.pause(ADA, "noop")
    assert [name for name, _ in types.paused(VIEWER)] == ["noop"]
    assert types.resume(ADA, "noop", "it is back").pause is None
    with pytest.raises(Conflict, match="not paused"):
        types.resume(ADA, "noop")
    types.limit(ADA, "noop", Caps(running=2))
    with db.read() as reader:
        rows = reader.rows(
            "SELECT action, actor_id, job_type, data FROM audit_logs"
            " WHERE action LIKE 'job_type.%' ORDER BY seq"
        )
    assert rows == [
        ("job_type.paused", "usr_ada", "noop", '{"reason":"supplier down"}'),
        ("job_type.resumed", "usr_ada", "noop", '{"reason":"it is back"}'),
        ("job_type.limited", "usr_ada", "noop", '{"running":2}'),
    ]


def test_a_type_shows_what_is_declared_what_applies_and_how_it_stands(
    db: Database, types: JobTypeService
) -> None:
    declare(db, "noop", Caps(running=1, starts=10, per=60.0))
    enqueue_many(db, 3)
    taken(db)
    state = types.limit(ADA, "noop", Caps(running=2))
    assert state.declared == Caps(running=1, starts=10, per=60.0)
    assert state.limits == Caps(running=2, starts=10, per=60.0)
    assert (state.running, state.queued, state.held) == (1, 2, 2)
    assert (state.starts_left, state.capped) == (9, False)
    assert types.page(VIEWER) == [types.get(VIEWER, "noop")]


def test_what_cannot_be_meant_is_refused(db: Database, types: JobTypeService) -> None:
    with pytest.raises(Invalid, match="declares no key"):
        types.limit(ADA, "noop", Caps(per_key=1))
    with pytest.raises(Invalid, match="either action or limits"):
        types.apply(ADA, "noop")
    with pytest.raises(Invalid, match="unknown value"):
        types.apply(ADA, "noop", action="stop")
    with pytest.raises(Invalid, match="reason"):
        types.pause(ADA, "noop", "x" * 501)
    with db.read() as reader:
        assert reader.rows("SELECT job_type FROM job_types WHERE gated = 1") == []


def test_an_unknown_type_is_not_found(desk: Desk) -> None:
    types = desk.services.job_types
    for call in (types.pause, types.resume, types.get):
        with pytest.raises(NotFound, match="no job type nonsense"):
            call(ADA, "nonsense")


def test_a_held_job_says_why(desk: Desk) -> None:
    service(desk.db).limit(ADA, "noop", Caps(running=1))
    first, second = enqueue(desk.db), enqueue(desk.db)
    jobs = desk.services.jobs
    assert jobs.get(ADA, second).held == ""  # the next claim takes it
    assert claim_one(desk.db).key.job_id == first
    assert taken(desk.db) == []
    assert jobs.get(ADA, first).held == ""
    assert jobs.get(ADA, second).held == "1 of 1 running"
    service(desk.db).pause(ADA, "noop", "supplier down")
    assert jobs.get(ADA, second).held == "type paused by Ada: supplier down"
