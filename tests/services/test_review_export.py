from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.anchors import Place
from agent_console.domain.changes import FileChange
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.queries import AuditQuery
from agent_console.domain.review_export import ExportQuery, field_diff
from agent_console.store.reads import review_export
from agent_console.store.runs import suspend
from tests.services.conftest import Desk
from tests.support.runs import checkpoint, claim_one


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "ana")


@pytest.fixture
def olga(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR, "olga")


SECRET = FileChange("a", None, "password=hunter2hunter2\n").to_json()
LINE = Place(path="a", side="after", line=1)


def asked(desk: Desk, asker: Actor, data: Any, changes: Any = (), **facts: Any) -> str:
    desk.job(asker)
    new = replace(checkpoint(0, data, changes=changes), **facts)
    return suspend(desk.db, claim_one(desk.db).key, new, [])


def exported(desk: Desk, actor: Actor, **query: Any) -> list[dict[str, Any]]:
    return [
        json.loads(one) for one in desk.services.review_export.lines(actor, ExportQuery(**query))
    ]


def approve(desk: Desk, actor: Actor, on: str, **said: Any) -> None:
    verdict = Verdict(verb=CheckpointVerb.APPROVE, **said)
    desk.services.review.decide(actor, on, verdict, hold=86_400)


def test_a_line_tells_all_that_was_proposed_said_and_decided(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    data = {"to": "a/b", "n": 12345678901234567890, "apiKey": "sk-1", "keep": [1, 2]}
    edited = {"to": "c", "n": 12345678901234567891, "apiKey": "sk-2", "keep": [1, 3], "new": None}
    on = asked(desk, olga, data, [SECRET], edit_schema='{"type": "object"}', risk="HIGH")
    made = desk.clock.now()
    desk.clock.advance(10)
    desk.services.presence.look(ana, on)
    desk.services.comments.add(ana, on, "@olga password=hunter2hunter2 was in it", LINE)
    desk.clock.advance(20)
    approve(desk, ana, on, edited_data=edited, feedback="shorter")
    (line,) = exported(desk, ana)
    iso = {name: line[name] for name in ("createdAt", "firstSeenAt", "decidedAt")}
    assert list(iso.values()) == [
        (made + timedelta(seconds=s)).isoformat().replace("+00:00", "Z") for s in (0, 10, 30)
    ]
    assert (line["verdict"], line["feedback"], line["risk"]) == ("APPROVED", "shorter", "HIGH")
    assert (line["decidedBy"], line["decidedByName"], line["decidedByKind"]) == (
        ana.id,
        "ana",
        "user",
    )
    assert (line["requestedByName"], line["selfApproval"], line["policy"]) == ("olga", False, None)
    assert line["data"] == {**data, "apiKey": "[redacted]"}
    assert {one["path"]: (one.get("before"), one.get("after")) for one in line["fieldDiff"]} == {
        "/to": ("a/b", "c"),
        "/n": (12345678901234567890, 12345678901234567891),
        "/apiKey": ("[redacted]", "[redacted]"),
        "/keep/1": (2, 3),
        "/new": (None, None),
    }
    (said,) = line["comments"]
    assert (said["authorName"], said["mentions"]) == ("ana", [olga.id])
    assert said["anchor"] == {
        "path": "a",
        "side": "after",
        "line": 1,
        "text": "password=[redacted]",
    }
    assert "hunter2" not in json.dumps(line)
    assert [one["userName"] for one in line["views"]] == ["ana"]
    (end,) = line["history"]
    assert end["action"] == "checkpoint.approved"
    assert (end["facts"]["unseenSeconds"], end["facts"]["decidingSeconds"]) == (10, 20)


def test_what_is_over_is_exported_by_when_it_was_asked_page_by_page(
    desk: Desk, ana: Actor, olga: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_export, "KEYS", 3)
    monkeypatch.setattr(review_export, "WHOLE", 2)
    began = desk.clock.now()
    made = []
    for n in range(8):
        made.append(asked(desk, olga, {"n": n}))
        if n % 2:
            desk.clock.advance(60)  # two of the same instant
    for on in made:
        if on != made[4]:
            approve(desk, ana, on)
    over = [one for one in made if one != made[4]]
    assert [one["id"] for one in exported(desk, ana)] == sorted(over)
    minute = timedelta(minutes=1)
    some = exported(desk, ana, since=began + minute, until=began + 3 * minute)
    assert [one["data"]["n"] for one in some] == [2, 3, 5]
    assert exported(desk, ana, job_type="write") == []
    assert len(exported(desk, ana, job_type="noop")) == 7


def test_undone_and_given_again_is_all_told(desk: Desk, ana: Actor, olga: Actor) -> None:
    on = asked(desk, olga, {"n": 1})
    approve(desk, ana, on)
    desk.services.review.undo(ana, on)
    verdict = Verdict(verb=CheckpointVerb.REJECT, reason="no")
    desk.services.review.decide(ana, on, verdict)
    (line,) = exported(desk, ana)
    assert [one["action"] for one in line["history"]] == [
        "checkpoint.approved",
        "checkpoint.undone",
        "checkpoint.rejected",
    ]
    assert (line["verdict"], line["reason"], line["fieldDiff"]) == ("REJECTED", "no", None)


def test_who_takes_them_is_journaled_and_needs_both_permissions(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    exported(desk, ana, job_type="noop")
    (entry,) = desk.services.audit.page(ana, AuditQuery(action="review.exported")).items
    assert (entry.actor_id, entry.data["jobType"]) == (ana.id, "noop")
    narrow = replace(ana, permissions=frozenset({Permission.AUDIT_READ}))
    for actor in (olga, narrow):
        with pytest.raises(Forbidden):
            desk.services.review_export.lines(actor, ExportQuery())
    now = desk.clock.now()
    for query in (
        ExportQuery(since=now, until=now),
        ExportQuery(since=now.replace(tzinfo=None)),
        ExportQuery(job_type="x" * 201),
    ):
        with pytest.raises(Invalid):
            desk.services.review_export.lines(ana, query)


def test_fields_are_compared_to_the_leaf() -> None:
    assert field_diff({"a": {"b~/c": 1}}, {"a": {"b~/c": 1.0}}) == []
    assert field_diff({"a": {"b~/c": 1}}, {"a": {}}) == [{"path": "/a/b~0~1c", "before": 1}]
    assert field_diff([1, 2], [1]) == [{"path": "", "before": [1, 2], "after": [1]}]
    nested = {"credentials": {"user": "x"}}
    assert field_diff(nested, {"credentials": {"user": "y"}}) == [
        {"path": "/credentials/user", "before": "[redacted]", "after": "[redacted]"}
    ]
