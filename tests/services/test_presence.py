from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.errors import NotFound
from agent_console.domain.presence import BEAT, PRESENT
from tests.services.conftest import Desk


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def ben(desk: Desk) -> Actor:
    return desk.actor(Role.VIEWER, "Ben")


@pytest.fixture
def asked(desk: Desk) -> str:
    return desk.waiting(desk.actor(Role.OPERATOR), {"x": 1})[1]


def stamps(desk: Desk, checkpoint_id: str) -> dict[str, tuple[int, int, int]]:
    """Return first seen, last seen and present until of each person."""
    sql = (
        "SELECT user_name, first_seen, last_seen, present_until FROM checkpoint_views"
        " WHERE checkpoint_id = :id"
    )
    with desk.db.read() as reader:
        return {name: (a, b, c) for name, a, b, c in reader.rows(sql, {"id": checkpoint_id})}


@contextmanager
def wakes(desk: Desk, times: int) -> Iterator[None]:
    """Assert that screens are told so many times."""
    told: list[object] = []
    desk.db.watch(told.append)
    before = len(told)
    yield
    assert len(told) - before == times


def test_who_looks_is_on_the_card_of_others_until_the_beat_is_over(
    desk: Desk, ana: Actor, ben: Actor, asked: str
) -> None:
    came = desk.clock.now()
    desk.services.presence.look(ana, asked)
    mine, theirs = (desk.services.review.get(one, asked) for one in (ana, ben))
    assert mine.others == []
    assert [one.user_name for one in theirs.others] == ["Ana"]
    assert theirs.first_seen_at == came
    desk.clock.advance(PRESENT.total_seconds())
    assert desk.services.review.get(ben, asked).others == []
    desk.services.presence.look(ana, asked)
    (again,) = desk.services.presence.of(ben, asked).viewers
    assert (again.first_seen, again.last_seen) == (came, came + PRESENT)


def test_a_beat_is_one_write_in_half_a_minute_however_often_it_is_told(
    desk: Desk, ana: Actor, asked: str
) -> None:
    desk.services.presence.look(ana, asked)
    first = stamps(desk, asked)
    for _ in range(4):
        desk.clock.advance(5)
        desk.services.presence.look(ana, asked)
    assert stamps(desk, asked) == first
    desk.clock.advance(BEAT.total_seconds() - 20)
    desk.services.presence.look(ana, asked)
    moved = stamps(desk, asked)["Ana"]
    assert moved[0] == first["Ana"][0]
    assert moved[1] - first["Ana"][1] == BEAT / timedelta(microseconds=1)


def test_screens_are_told_only_when_people_meet_or_part(
    desk: Desk, ana: Actor, ben: Actor, asked: str
) -> None:
    presence = desk.services.presence
    with wakes(desk, 0):
        presence.look(ana, asked)  # nobody else would show it
    with wakes(desk, 1):
        presence.look(ben, asked)
    desk.clock.advance(BEAT.total_seconds())
    with wakes(desk, 0):
        presence.look(ana, asked)
        presence.look(ben, asked)
    with wakes(desk, 1):
        presence.leave(ben, asked)
    assert [one.user_name for one in presence.of(ben, asked).viewers] == ["Ana"]
    with wakes(desk, 0):
        presence.leave(ben, asked)
        presence.leave(ana, asked)


def test_what_is_not_there_is_not_seen(desk: Desk, ana: Actor) -> None:
    for ask in (desk.services.presence.look, desk.services.presence.of):
        with pytest.raises(NotFound):
            ask(ana, "chk_none")
    desk.services.presence.leave(ana, "chk_none")


def test_views_go_with_their_job(desk: Desk, ana: Actor, asked: str) -> None:
    from agent_console.domain.access import local_operator
    from agent_console.domain.jobs import JobStatus
    from agent_console.domain.retention import Keep
    from agent_console.store.job_deletion import delete_batch

    desk.services.presence.look(ana, asked)
    job_id = desk.services.review.get(ana, asked).job.id
    desk.services.jobs.control(desk.actor(Role.ADMIN), job_id, "cancel")
    desk.clock.advance(10)
    assert delete_batch(desk.db, {JobStatus.CANCELED: Keep(seconds=1)}, local_operator("root"))
    assert stamps(desk, asked) == {}
