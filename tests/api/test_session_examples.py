"""What the guide and the API's description show works with the agents of the console."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.bootstrap import build
from agent_console.domain.access import Role
from agent_console.settings import load_settings
from tests.api.conftest import Door

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

GUIDE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
URL = "/api/projects/rollout/work-sessions"


@pytest.fixture
def client(make_door: Callable[..., Door]) -> TestClient:
    """A client of a console with all its own job types."""
    return make_door(catalog=build(load_settings()).registry).as_role(Role.ADMIN)


def bodies(route: str) -> list[dict[str, Any]]:
    """Return the bodies of the guide's calls to ``route``."""
    calls = re.findall(rf"localhost:3000{re.escape(route)} .*?-d '(.+?)'", GUIDE, re.DOTALL)
    return [json.loads(re.sub(r"\n\s+", " ", body)) for body in calls]


def test_the_guides_session_can_be_made(client: TestClient) -> None:
    (document,) = bodies("/api/context-documents")
    kept = client.post("/api/context-documents", json=document)
    assert kept.status_code == 201, kept.text
    (session,) = bodies(URL)
    session["contextDocumentId"] = kept.json()["document"]["id"]
    made = client.post(URL, json=session)
    assert made.status_code == 201, made.text
    assert made.json()["session"]["status"] == "initialized"


@pytest.mark.parametrize(
    ("schema", "url"),
    [("NewSessionIn", URL), ("NewTemplateIn", "/api/configuration-templates")],
)
def test_an_example_of_the_description_is_accepted(
    client: TestClient, schema: str, url: str
) -> None:
    described = client.get("/api/openapi.json").json()["components"]["schemas"][schema]
    for example in described["examples"]:
        answer = client.post(url, json=example)
        assert answer.status_code == 201, answer.text


def test_every_agent_does_its_examples(client: TestClient) -> None:
    agents = [t for t in client.get("/api/job-types").json()["jobTypes"] if t["agent"]]
    assert {"research", "content", "reporting"} <= {agent["jobType"] for agent in agents}
    for agent in agents:
        assert agent["examples"]
        for example in agent["examples"]:
            body = {"agentType": agent["jobType"], "taskConfiguration": example}
            answer = client.post(URL, json=body)
            assert answer.status_code == 201, answer.text
