"""Artifacts are found by type, job and words, alike on both databases, however many there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.records import ArtifactType
from agent_console.store.runs import save_artifact
from tests.services.conftest import Desk
from tests.support.factories import RAY
from tests.support.runs import artifact, claim_one


def saved(desk: Desk, actor: Actor, *contents: str, **facts: Any) -> tuple[str, list[str]]:
    """Save an artifact per content, a second apart; return the job and the ids in that order."""
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    ids = []
    for position, content in enumerate(contents):
        desk.clock.advance(1)
        ids.append(save_artifact(desk.db, key, replace(artifact(position, content), **facts)))
    return job_id, ids


def found(desk: Desk, search: str, **more: Any) -> list[str]:
    """Return the ids that are found."""
    page = desk.services.artifacts.page(RAY, search=search, **more)
    assert page.total == len(page.items)
    assert {one.content for one in page.items} <= {""}
    return [one.id for one in page.items]


def test_every_word_must_be_there_and_may_be_a_beginning(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, ids = saved(desk, actor, "The tide is 100% high", "the TIDES are low", "a river")
    _, (named,) = saved(desk, actor, "nothing", name="notes/tide-table.md")
    assert found(desk, "tide") == [named, ids[1], ids[0]]
    assert found(desk, "tide high") == [ids[0]]
    assert found(desk, "high, Tide!") == [ids[0]]
    assert found(desk, "table notes nothing") == [named]
    assert found(desk, "100%") == [ids[0]]
    assert found(desk, "tid") == [named, ids[1], ids[0]]
    assert found(desk, "ti") == [], "two letters are a word, not the beginning of one"
    assert found(desk, "ide") == []
    assert found(desk, "tide sun") == []


@pytest.mark.parametrize("search", ["%", "_", "' | 'x", '" OR "', "*", ":*", "( )", "tide' & !'x"])
def test_signs_mean_nothing_to_either_database(desk: Desk, search: str) -> None:
    saved(desk, desk.actor(Role.OPERATOR), "a river")
    assert found(desk, search) == []


def test_accents_case_and_width_do_not_matter_and_scripts_without_spaces_work(desk: Desk) -> None:
    _, ids = saved(desk, desk.actor(Role.OPERATOR), "Müllers Straße", "全文検索の結果", "ＷＩＤＥ")
    assert found(desk, "muller STRASSE") == [ids[0]]
    assert found(desk, "検索") == [ids[1]]
    assert found(desk, "索検書") == []
    assert found(desk, "wide") == [ids[2]]


def test_an_id_finds_its_artifact_and_what_speaks_of_it(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, (one, _) = saved(desk, actor, "a river", "another")
    _, (speaks,) = saved(desk, actor, f"see {one}")
    assert found(desk, one) == [speaks, one]
    assert found(desk, f" {one} ", artifact_type="report") == []


def test_type_and_job_narrow_list_and_search(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    first, reports = saved(desk, actor, "a tide", "b", artifact_type=ArtifactType.REPORT)
    second, files = saved(desk, actor, "c tide")
    page = desk.services.artifacts.page
    assert [a.id for a in page(actor, artifact_type="report").items] == reports[::-1]
    assert [a.id for a in page(actor, job_id=second).items] == files
    assert page(actor, job_id=first, artifact_type="file").total == 0
    assert found(desk, "tide", job_id=first) == [reports[0]]
    assert found(desk, "tide", artifact_type="file") == files
    assert found(desk, "tide", job_id=first, artifact_type="file") == []
    assert found(desk, "tide", job_id='" OR "tide') == []


def test_the_pages_of_a_search_follow_each_other(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, ids = saved(desk, actor, "tide 1", "x", "tide 2", "tide 3")
    page = desk.services.artifacts.page
    first = page(actor, search="tide", limit=2)
    saved(desk, actor, "tide 4")
    rest = page(actor, search="tide", limit=2, cursor=first.next_cursor)
    shown = [one.id for one in [*first.items, *rest.items]]
    assert (shown, rest.next_cursor, first.total) == ([ids[3], ids[2], ids[0]], None, 3)
    with pytest.raises(Invalid, match="cursor"):
        page(actor, limit=2, cursor=first.next_cursor)


def test_the_whole_text_is_searched(desk: Desk) -> None:
    _, (one,) = saved(desk, desk.actor(Role.OPERATOR), "filler " * 40_000 + "needle")
    assert found(desk, "needle") == [one]


def test_what_cannot_be_searched_is_refused(desk: Desk) -> None:
    viewer = desk.actor(Role.VIEWER)
    nobody = replace(viewer, permissions=frozenset())
    with pytest.raises(Invalid, match="search"):
        desk.services.artifacts.page(viewer, search="x" * 201)
    with pytest.raises(Invalid, match="search"):
        desk.services.artifacts.page(viewer, search="a\x00b")
    with pytest.raises(Forbidden):
        desk.services.artifacts.page(nobody, search="x")
