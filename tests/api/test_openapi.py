"""The description of the door. After a wanted change, write the snapshot again with

UPDATE_OPENAPI=1 python -m pytest tests/api/test_openapi.py
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from agent_console.api.guard import guarded_routes
from tests.api.conftest import Door

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

CHECKPOINT = "/api/projects/{projectId}/work-sessions/{sessionId}/checkpoints/{checkpointId}"
SNAPSHOT = Path(__file__).with_name("openapi.json")


@pytest.fixture
def document(door: Door) -> dict[str, Any]:
    answer = door.client().get("/api/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_document_is_the_one_in_the_snapshot(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_OPENAPI"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


def test_every_operation_says_who_may_use_it_and_how_it_fails(
    door: Door, document: dict[str, Any]
) -> None:
    for route, declaration in guarded_routes(door.api.routes):
        if not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"][route.path][method.lower()]
            assert operation["summary"]
            assert operation["tags"]
            if declaration.is_public:
                assert operation["security"] == []
                continue
            assert operation["security"] == [{"token": []}, {"session": []}]
            assert {"401", "403", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert set(response["content"]) == {"application/problem+json"}


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert "Problem" in used
    assert used <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_contract_route_is_described(document: dict[str, Any]) -> None:
    expected = {
        "/api/agent-jobs": {"get", "post"},
        "/api/agent-jobs/{jobId}": {"get", "patch"},
        "/api/agent-jobs/{jobId}/checkpoints": {"get"},
        "/api/admin/agent-checkpoints": {"get"},
        "/api/admin/agent-checkpoints/{checkpointId}": {"get", "post", "delete"},
        "/api/projects/{projectId}/work-sessions": {"get", "post"},
        "/api/projects/{projectId}/work-sessions/{sessionId}/execute": {"post"},
        "/api/projects/{projectId}/work-sessions/{sessionId}/status": {"get"},
        f"{CHECKPOINT}/approve": {"post"},
        f"{CHECKPOINT}/reject": {"post"},
        "/api/context-documents": {"get", "post"},
        "/api/context-documents/{documentId}": {"get", "patch", "delete"},
        "/api/projects": {"get"},
        "/api/context-documents/{documentId}/versions": {"post"},
        "/api/configuration-templates": {"get", "post"},
        "/api/configuration-templates/{templateId}": {"delete"},
        "/api/admin/agent-worker": {"get", "post", "delete"},
        "/api/job-types": {"get"},
        "/api/job-types/{jobType}": {"get", "patch"},
        "/api/metrics": {"get"},
        "/api/artifacts": {"get"},
        "/api/audit": {"get"},
        "/api/health": {"get"},
    }
    for path, methods in expected.items():
        assert methods <= set(document["paths"][path]), path


def test_names_on_the_wire_are_camel_case(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for member in schema.get("properties", {}):
            assert "_" not in member, (name, member)


def test_the_documentation_page_works_without_a_network(door: Door) -> None:
    anybody = door.client()
    page = anybody.get("/api/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    assert not re.search(r"https?://|//cdn", page.text)
    for address in addresses:
        asset = anybody.get(address)
        assert asset.status_code == 200, address
        assert "max-age" in asset.headers["cache-control"]
    assert anybody.get("/api/docs/redoc.standalone.js").status_code == 404
