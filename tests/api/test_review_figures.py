from __future__ import annotations

from agent_console.domain.access import Role
from tests.api.conftest import Door

ADDRESS = "/api/review-figures"


def test_figures_over_rest(door: Door) -> None:
    olga, ana = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.REVIEWER, "ana")
    _, checkpoint_id = door.waiting(olga)
    door.waiting(olga)
    door.clock.advance(20)
    ana.post(f"/api/agent-checkpoints/{checkpoint_id}/viewers")
    door.clock.advance(40)
    assert ana.post(f"/api/admin/agent-checkpoints/{checkpoint_id}").status_code == 200
    figures = door.as_role(Role.VIEWER).get(ADDRESS).json()["figures"]
    total = figures["total"]
    assert (total["seen"]["count"], total["seen"]["mean"], total["decided"]["mean"]) == (1, 20, 40)
    assert total["decided"]["buckets"][-1] == {"le": None, "count": 1}
    assert [one["count"] for one in total["decided"]["buckets"] if one["le"] in {30.0, 60.0}] == [
        0,
        1,
    ]
    assert (total["outcomes"]["approved"], total["outcomes"]["self"]) == (1, 0)
    assert total["rates"] == {
        "expired": 0.0,
        "edited": 0.0,
        "changes": 0.0,
        "policy": 0.0,
        "self": 0.0,
    }
    assert set(figures["byJobType"]) == {"noop"}
    assert set(figures["byRisk"]) == {"NONE"}
    assert sum(one["count"] for one in figures["pending"]) == 1
    assert sum(point["byPeople"] for point in figures["points"]) == 1
    other = ana.get(ADDRESS, params={"jobType": "write"}).json()["figures"]
    assert (other["jobType"], other["total"]["seen"]["p50"]) == ("write", None)


def test_what_is_asked_wrongly_is_refused(door: Door) -> None:
    viewer = door.as_role(Role.VIEWER)
    for params, field in (
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since"),
        ({"job": "noop"}, "job"),
    ):
        answer = viewer.get(ADDRESS, params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert door.client().get(ADDRESS).status_code == 401
