from __future__ import annotations

import json

from agent_console.domain.access import Role
from tests.api.conftest import Door

ADDRESS = "/api/agent-checkpoints/export"


def test_lines_of_json_are_streamed(door: Door) -> None:
    olga, ana = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.REVIEWER, "ana")
    _, checkpoint_id = door.waiting(olga, {"n": 1})
    assert ana.get(ADDRESS).text == ""
    assert ana.post(f"/api/admin/agent-checkpoints/{checkpoint_id}").status_code == 200
    answer = ana.get(ADDRESS, params={"since": "2020-01-01T00:00:00Z", "jobType": "noop"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert "reviews.jsonl" in answer.headers["content-disposition"]
    (line,) = [json.loads(one) for one in answer.text.splitlines()]
    assert (line["id"], line["verdict"], line["data"]) == (checkpoint_id, "APPROVED", {"n": 1})


def test_it_is_for_auditors_and_asked_rightly(door: Door) -> None:
    assert door.as_role(Role.OPERATOR, "olga").get(ADDRESS).status_code == 403
    narrow = door.client(
        Authorization=f"Bearer {door.token(Role.REVIEWER, 'nora', scopes=['audit:read'])}"
    )
    assert narrow.get(ADDRESS).status_code == 403
    ana = door.as_role(Role.REVIEWER, "ana")
    for params in ({"format": "csv"}, {"since": "yesterday"}, {"type": "noop"}):
        assert ana.get(ADDRESS, params=params).status_code == 422
