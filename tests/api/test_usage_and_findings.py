"""What a job used of models, and what spoke against its proposals, on the wire."""

from __future__ import annotations

from dataclasses import replace

from starlette.testclient import TestClient

from agent_console.domain.payload import canonical, digest
from agent_console.domain.risk import Finding, Severity
from agent_console.domain.usage import Usage
from agent_console.store.policy_approvals import put_up
from agent_console.store.run_usage import record_usage
from tests.api.conftest import Door, enqueue
from tests.support.runs import checkpoint, claim_one, step

LOW = Finding(Severity.LOW, "style", "A long sentence.", "data.text")


def test_a_job_tells_tokens_and_cost_in_all_and_by_model(door: Door, admin: TestClient) -> None:
    job_id = enqueue(admin)
    assert admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["usage"] == {
        "calls": 0,
        "inputTokens": 0,
        "outputTokens": 0,
        "costUsd": 0,
        "models": [],
    }
    key = claim_one(door.db).key
    for position in (0, 1):
        call = step(position, kind="usage", name="large")
        record_usage(door.db, key, call, Usage(100, 10, 1_250_000), "noop")
    figures = {"calls": 2, "inputTokens": 200, "outputTokens": 20, "costUsd": 2.5}
    assert admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["usage"] == {
        **figures,
        "models": [{"model": "large", **figures}],
    }


def test_an_approval_by_policy_is_shown_with_its_findings(door: Door, admin: TestClient) -> None:
    job_id = enqueue(admin, approvalStrategy="auto_approve_low_risk")
    payload = canonical({"action": "go", "data": 1, "changes": [], "findings": [LOW.to_json()]})
    asked = replace(checkpoint(0), payload=payload, payload_digest=digest(payload))
    key = claim_one(door.db).key
    checkpoint_id = put_up(door.db, key, asked, "auto_approve_low_risk").id
    (shown,) = admin.get(f"/api/agent-jobs/{job_id}/checkpoints").json()["checkpoints"]
    assert (shown["id"], shown["status"]) == (checkpoint_id, "APPROVED")
    assert (shown["approvedBy"], shown["decidedByName"]) == ("policy", "policy")
    assert shown["findings"] == [LOW.to_json()]
    detail = admin.get(f"/api/admin/agent-checkpoints/{checkpoint_id}").json()["checkpoint"]
    assert detail["mayDecide"] is False
    late = admin.request(
        "DELETE", f"/api/admin/agent-checkpoints/{checkpoint_id}", json={"reason": "No"}
    )
    assert late.status_code == 409
    assert late.json()["decidedBy"] == "policy"


def test_a_configuration_with_an_impossible_budget_is_refused(admin: TestClient) -> None:
    body = {"jobType": "noop", "taskConfiguration": {"budgetUsd": -1}}
    answer = admin.post("/api/agent-jobs", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "taskConfiguration.budgetUsd"
