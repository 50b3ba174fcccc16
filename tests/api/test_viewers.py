from __future__ import annotations

from agent_console.domain.access import Role
from tests.api.conftest import Door


def test_viewers_come_and_go(door: Door) -> None:
    operator, ana = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.REVIEWER, "ana")
    ben = door.as_role(Role.REVIEWER, "ben")
    _, checkpoint_id = door.waiting(operator)
    address = f"/api/agent-checkpoints/{checkpoint_id}/viewers"
    assert ana.get(address).json() == {"success": True, "viewers": [], "firstSeenAt": None}
    told = ana.post(address).json()
    assert [one["userName"] for one in told["viewers"]] == ["ana"]
    desk = f"/api/admin/agent-checkpoints/{checkpoint_id}"
    shown = ben.get(desk).json()["checkpoint"]
    assert [one["userName"] for one in shown["viewers"]] == ["ana"]
    assert shown["firstSeenAt"] == told["firstSeenAt"] == told["viewers"][0]["firstSeen"]
    assert ana.get(desk).json()["checkpoint"]["viewers"] == []
    assert ana.delete(address).json()["viewers"] == []
    assert ana.get(address).json()["firstSeenAt"] == told["firstSeenAt"]
    missing = "/api/agent-checkpoints/chk_none/viewers"
    assert {ana.get(missing).status_code, ana.post(missing).status_code} == {404}


def test_a_page_of_the_console_may_say_it_and_another_site_may_not(door: Door) -> None:
    operator = door.as_role(Role.OPERATOR, "olga")
    _, checkpoint_id = door.waiting(operator)
    address = f"/api/agent-checkpoints/{checkpoint_id}/viewers"
    browser = door.signed_in(Role.REVIEWER)
    assert browser.post(address, headers={"X-Requested-With": "desk"}).status_code == 200
    assert browser.post(address).status_code == 403
    evil = {"Origin": "http://evil.example", "X-Requested-With": "desk"}
    assert browser.post(address, headers=evil).status_code == 403
    assert browser.delete(address, headers={"X-Requested-With": "desk"}).json()["viewers"] == []
