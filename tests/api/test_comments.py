from __future__ import annotations

from agent_console.domain.access import Role
from agent_console.domain.changes import FileChange
from tests.api.conftest import Door


def test_a_thread_over_rest(door: Door) -> None:
    olga, ana = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.REVIEWER, "ana")
    viewer = door.as_role(Role.VIEWER, "vic")
    _, checkpoint_id = door.waiting(olga)
    thread = f"/api/agent-checkpoints/{checkpoint_id}/comments"
    made = olga.post(thread, json={"body": "@ana please <b>look</b>"})
    assert made.status_code == 201
    comment = made.json()["comment"]
    assert comment["body"] == "@ana please <b>look</b>"
    assert (comment["authorName"], len(comment["mentions"])) == ("olga", 1)
    one = f"{thread}/{comment['id']}"
    changed = olga.patch(one, json={"body": "@ana please look"}).json()["comment"]
    assert (changed["body"], changed["editedAt"] is not None) == ("@ana please look", True)
    assert ana.patch(one, json={"body": "no"}).status_code == 403
    assert ana.delete(one).status_code == 403
    assert viewer.post(thread, json={"body": "may I?"}).status_code == 403
    page = viewer.get(thread).json()
    assert [each["id"] for each in page["comments"]] == [comment["id"]]
    assert page["pagination"]["hasMore"] is False
    left = olga.delete(one).json()["comment"]
    assert (left["body"], left["mentions"], left["deletedAt"] is not None) == ("", [], True)
    assert olga.delete(one).status_code == 409


def test_what_is_refused_names_the_field(door: Door) -> None:
    olga = door.as_role(Role.OPERATOR, "olga")
    _, checkpoint_id = door.waiting(olga)
    thread = f"/api/agent-checkpoints/{checkpoint_id}/comments"
    for body in ({}, {"body": " "}, {"body": "x" * 4001}, {"body": 1}, {"body": "a", "to": "b"}):
        assert olga.post(thread, json=body).status_code == 422
    assert olga.post(thread, json={"body": ""}).json()["errors"][0]["field"] == "body"
    assert olga.get(thread, params={"limit": 0}).status_code == 422
    assert olga.get("/api/agent-checkpoints/chk_none/comments").status_code == 404
    assert olga.patch(f"{thread}/cmt_none", json={"body": "a"}).status_code == 404


def test_a_line_is_spoken_of_over_rest(door: Door) -> None:
    olga, viewer = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.VIEWER, "vic")
    changes = [FileChange("src/a.py", "one\n", "one\ntwo\n").to_json()]
    _, checkpoint_id = door.waiting(olga, changes=changes)
    thread = f"/api/agent-checkpoints/{checkpoint_id}/comments"
    line = {"path": "src/a.py", "side": "after", "line": 2}
    made = olga.post(thread, json={"body": "why two?", "anchor": line}).json()["comment"]
    assert made["anchor"] == {**line, "text": "two"}
    assert (
        olga.post(thread, json={"body": "hm", "anchor": None}).json()["comment"]["anchor"] is None
    )
    assert viewer.get(thread).json()["comments"][0] == made
    (on_line,) = viewer.get(f"{thread}/lines").json()["comments"]
    assert on_line == {**made, "round": 1, "currentLine": 2}
    edit = f"{thread}/{made['id']}"
    assert olga.patch(edit, json={"body": "hm"}).json()["comment"]["anchor"] == made["anchor"]
    assert olga.patch(edit, json={"body": "hm", "anchor": line}).status_code == 422
    assert viewer.get("/api/agent-checkpoints/chk_none/comments/lines").status_code == 404
    for wrong, field in (
        ({**line, "path": "src/b.py"}, "anchor.path"),
        ({**line, "line": 3}, "anchor.line"),
        ({**line, "line": 0}, "anchor.line"),
        ({**line, "line": "2"}, "anchor.line"),
        ({**line, "side": "left"}, "anchor.side"),
        ({**line, "text": "two"}, "anchor.text"),
    ):
        refused = olga.post(thread, json={"body": "hm", "anchor": wrong})
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == [field]
