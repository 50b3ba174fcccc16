from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Permission, Role
from agent_console.store.database import Database
from tests.api.conftest import METRICS, Door

ADDRESSES = ("/api/metrics", "/metrics")


def _local(door: Door, **headers: str) -> TestClient:
    made = TestClient(
        door.app, base_url="http://127.0.0.1:3000", client=("127.0.0.1", 5000), headers=headers
    )
    door.clients.append(made)
    return made


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_token_this_machine_and_accounts_may_scrape(door: Door, address: str) -> None:
    answer = _local(door).get(address)
    assert answer.status_code == 200
    assert answer.content == METRICS
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert door.client().get(address).status_code == 401
    assert _local(door, **{"X-Forwarded-For": "127.0.0.1"}).get(address).status_code == 401
    assert _local(door, Host="rebound.example:3000").get(address).status_code == 401
    assert door.as_role(Role.VIEWER).get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_with_a_token_the_token_is_needed(make_door: Callable[..., Door], address: str) -> None:
    door = make_door(metrics_token="s3cret-Ü")
    assert _local(door).get(address).status_code == 401
    assert _local(door, Authorization="Bearer wrong").get(address).status_code == 401
    scraper = door.client()
    header = [(b"Authorization", "Bearer s3cret-Ü".encode())]
    assert scraper.get(address, headers=header).status_code == 200
    assert door.as_role(Role.VIEWER).get(address).status_code == 200


def test_a_token_needs_the_scope(door: Door) -> None:
    token = door.token(Role.VIEWER, scopes=[Permission.JOBS_READ.value])
    answer = door.client(Authorization=f"Bearer {token}").get("/metrics")
    assert answer.status_code == 403
    assert answer.json()["requiredPermission"] == "metrics:read"


@pytest.mark.parametrize("address", ["/api/health", "/health"])
def test_health_is_open_and_names_its_components(door: Door, address: str) -> None:
    answer = door.client().get(address)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "degraded"  # no worker lives
    assert body["timestamp"].endswith("Z")
    assert set(body["components"]) == {
        "orchestrator",
        "database",
        "workers",
        "schema",
        "queue",
        "disk",
    }
    assert body["components"]["database"]["status"] == "ok"


def test_probes(door: Door) -> None:
    anybody = door.client()
    assert anybody.get("/health/live").json() == {"status": "ok"}
    assert anybody.get("/health/ready").json() == {"status": "ready"}


@pytest.mark.rows_by_hand
def test_probes_when_the_database_is_gone(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent_console.domain.errors import Unavailable

    def refuse(_self: Database) -> None:
        raise Unavailable

    monkeypatch.setattr(Database, "read", refuse)
    anybody = door.client()
    assert anybody.get("/health/live").status_code == 200
    ready = anybody.get("/health/ready")
    assert ready.status_code == 503
    health = anybody.get("/api/health")
    assert health.status_code == 200
    assert health.json()["components"]["database"]["status"] == "down"
