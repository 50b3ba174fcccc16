"""Artifacts are found by type, job and words, among the newest, whatever they weigh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.records import ArtifactType
from agent_console.store.reads import records
from agent_console.store.runs import save_artifact
from tests.services.conftest import Desk
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


def test_a_search_finds_names_and_contents_without_wildcards(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, ids = saved(desk, actor, "The tide is 100% high", "the TIDE is low", "a river")
    _, (named,) = saved(desk, actor, "nothing", name="tide-table.md")
    find = desk.services.artifacts.page

    def found(search: str, **more: Any) -> list[str]:
        page = find(actor, search=search, **more)
        assert page.total == len(page.items)
        assert {one.content for one in page.items} <= {""}
        return [one.id for one in page.items]

    assert found("tide") == [named, ids[1], ids[0]]
    assert found("100%") == [ids[0]]
    assert found("%") == [ids[0]]
    assert found("_") == []
    assert found(ids[2]) == [ids[2]]
    assert found("river", artifact_type="report") == []
    assert found("river", artifact_type="file") == [ids[2]]


def test_type_and_job_narrow_the_list(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    first, reports = saved(desk, actor, "a", "b", artifact_type=ArtifactType.REPORT)
    second, files = saved(desk, actor, "c")
    page = desk.services.artifacts.page
    assert [a.id for a in page(actor, artifact_type="report").items] == reports[::-1]
    assert [a.id for a in page(actor, job_id=second).items] == files
    assert page(actor, job_id=first, artifact_type="file").total == 0


def test_the_pages_of_a_search_follow_each_other(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, ids = saved(desk, actor, "tide 1", "x", "tide 2", "tide 3")
    first = desk.services.artifacts.page(actor, search="tide", limit=2)
    rest = desk.services.artifacts.page(actor, search="tide", limit=2, cursor=first.next_cursor)
    shown = [one.id for one in [*first.items, *rest.items]]
    assert (shown, rest.next_cursor, first.total) == ([ids[3], ids[2], ids[0]], None, 3)


def test_a_search_looks_at_the_newest_and_at_beginnings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = desk.actor(Role.OPERATOR)
    _, ids = saved(desk, actor, "tide old", "tide new", "....tide")
    monkeypatch.setattr(records, "CONTENT_SEARCH_WINDOW", 2)
    monkeypatch.setattr(records, "CONTENT_SEARCH_DEPTH", 6)
    page = desk.services.artifacts.page(actor, search="tide")
    assert [one.id for one in page.items] == [ids[1]]


def test_what_cannot_be_searched_is_refused(desk: Desk) -> None:
    viewer = desk.actor(Role.VIEWER)
    nobody = replace(viewer, permissions=frozenset())
    with pytest.raises(Invalid, match="search"):
        desk.services.artifacts.page(viewer, search="x" * 201)
    with pytest.raises(Invalid, match="search"):
        desk.services.artifacts.page(viewer, search="a\x00b")
    with pytest.raises(Forbidden):
        desk.services.artifacts.page(nobody, search="x")
