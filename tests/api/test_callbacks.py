"""The address where external workers answer: the token of the call is all they have."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.services.callbacks import digest_of
from agent_console.store import waits
from agent_console.store.engine_values import RunKey
from tests.api.conftest import Door, enqueue
from tests.support.runs import claim_one, row, step

TOKEN = "the-token-of-the-call"


@pytest.fixture
def asleep(door: Door, admin: TestClient) -> str:
    """Return a job that handed out ``TOKEN`` and sleeps an hour for the answer."""
    job_id = enqueue(admin)
    key = claim_one(door.db).key
    waits.admit(door.db, key, 0, digest_of(TOKEN))
    _sleep(door, key)
    return job_id


def _sleep(door: Door, key: RunKey) -> None:
    waits.sleep(door.db, key, step(1, kind="wait"), 3600, job_type="noop", callback=0)


def _post(door: Door, job_id: str, body: Any, token: str | None = TOKEN) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return door.client(**headers).post(f"/api/agent-jobs/{job_id}/callback", json=body)


def test_the_answer_is_kept_and_the_job_is_due_at_once(door: Door, asleep: str) -> None:
    due = row(door.db, asleep)["run_at"]
    answer = _post(door, asleep, {"exitCode": 0, "stdout": "done"})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "replayed": False})
    assert row(door.db, asleep)["run_at"] == due - 3_600_000_000
    assert _post(door, asleep, {"exitCode": 0, "stdout": "done"}).json()["replayed"] is True
    other = _post(door, asleep, {"exitCode": 1})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("token", [None, "", "wrong", "ac_a_b"])
def test_nobody_answers_without_the_token(door: Door, asleep: str, token: str | None) -> None:
    refused = _post(door, asleep, {"exitCode": 0}, token)
    assert refused.status_code == 401
    assert refused.json()["code"] == "unauthenticated"
    with door.db.read() as reader:
        assert reader.row("SELECT 1 FROM job_callbacks WHERE received_at IS NOT NULL") is None


def test_an_account_is_no_token_of_a_call_and_the_token_is_no_account(
    door: Door, asleep: str, admin: TestClient
) -> None:
    assert admin.post(f"/api/agent-jobs/{asleep}/callback", json={}).status_code == 401
    caller = door.client(Authorization=f"Bearer {TOKEN}")
    assert caller.get(f"/api/agent-jobs/{asleep}").status_code == 401
    assert caller.post("/api/agent-jobs/job_other/callback", json={}).status_code == 401


def test_a_body_is_a_json_object(door: Door, asleep: str) -> None:
    for body in ([1], "text", None, 1):
        assert _post(door, asleep, body).status_code == 422
    deep: Any = {}
    for _ in range(100):
        deep = {"deeper": deep}
    assert _post(door, asleep, deep).status_code == 422
    assert _post(door, asleep, {"large": "x" * 1_100_000}).status_code == 413


def test_a_job_that_has_ended_takes_no_answer(door: Door, asleep: str, admin: TestClient) -> None:
    admin.patch(f"/api/agent-jobs/{asleep}", json={"action": "cancel"})
    late = _post(door, asleep, {"exitCode": 0})
    assert (late.status_code, late.json()["currentStatus"]) == (409, "CANCELED")


def test_the_journal_says_who_answered(door: Door, asleep: str) -> None:
    _post(door, asleep, {"exitCode": 0})
    entries = door.as_role(Role.ADMIN).get("/api/audit?action=job.called_back").json()["entries"]
    (entry,) = entries
    assert (entry["jobId"], entry["actorName"]) == (asleep, "external worker")
