from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door
from tests.support.agents import agents

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CASES_PER_OPERATION = 20

bounded = settings(
    max_examples=CASES_PER_OPERATION,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def made(client: TestClient) -> dict[str, str]:
    """Make one of each thing an address can name; return their ids by parameter."""
    session = client.post(
        "/api/projects/rollout/work-sessions", json={"agentType": "reporting"}
    ).json()["session"]
    document = client.post(
        "/api/context-documents", json={"title": "Plan", "content": "text"}
    ).json()["document"]
    return {"projectId": "rollout", "sessionId": session["id"], "documentId": document["id"]}


@pytest.mark.slow
@pytest.mark.timeout(300)  # every route: a minute, on a busy machine more
def test_generated_requests_get_described_answers(make_door: Callable[..., Door]) -> None:
    """A few hundred requests made from the OpenAPI document, to things that are and are not."""
    door = make_door(catalog=agents())
    client = door.as_role(Role.ADMIN)
    job_id, checkpoint_id = door.waiting(client, {"n": 1})
    known = {"jobId": job_id, "checkpointId": checkpoint_id, **made(client)}
    headers = {"Authorization": client.headers["authorization"]}
    statuses: Counter[int] = Counter()

    def attack(case: Any) -> None:
        if sum(statuses.values()) % 2:
            case.path_parameters.update(
                {name: known[name] for name in case.path_parameters if name in known}
            )
            if isinstance(case.body, dict) and "jobType" in case.body:
                case.body["jobType"] = "noop"
            if isinstance(case.body, dict) and "agentType" in case.body:
                case.body["agentType"] = "reporting"
        answer = case.call(headers=headers)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    schema = schemathesis.openapi.from_asgi("/api/openapi.json", door.app)
    for found in schema.get_all_operations():
        bounded(given(case=found.ok().as_strategy())(attack))()

    assert sum(statuses.values()) > 200
    assert {200, 201, 303, 404, 409} <= set(statuses), statuses
    assert not [status for status in statuses if status >= 500]
