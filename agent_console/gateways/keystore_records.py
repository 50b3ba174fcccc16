"""Secrets as the stores keep them: versions by name, as JSON text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from agent_console.gateways.keystore import SecretInfo, SecretVersion

KEPT = 2  # the secret, and the one before its rotation

Versions = tuple[SecretVersion, ...]


def renewed(
    before: Versions, value: str, *, keep_previous: bool, now: datetime | None = None
) -> Versions:
    """Return the versions, newest first, after ``value`` became the secret."""
    number = before[0].version + 1 if before else 1
    latest = SecretVersion(version=number, created_at=now or datetime.now(UTC), value=value)
    return (latest, *before)[: KEPT if keep_previous else 1]


def info(name: str, versions: Versions) -> SecretInfo:
    """Return what may be shown of the secret."""
    latest = versions[0]
    return SecretInfo(
        name=name,
        version=latest.version,
        created_at=latest.created_at,
        previous=len(versions) > 1,
    )


def dump(versions: Versions) -> list[dict[str, Any]]:
    """Return the versions as JSON values."""
    return [
        {"version": v.version, "createdAt": v.created_at.isoformat(), "value": v.value}
        for v in versions
    ]


def load(value: list[dict[str, Any]]) -> Versions:
    """Return the versions that ``dump`` made ``value`` of."""
    return tuple(
        SecretVersion(
            version=int(each["version"]),
            created_at=datetime.fromisoformat(each["createdAt"]),
            value=str(each["value"]),
        )
        for each in value
    )


def dumps(versions: Versions) -> str:
    """Return the versions as JSON text."""
    return json.dumps(dump(versions))


def loads(text: str) -> Versions:
    """Return the versions that ``dumps`` made ``text`` of."""
    return load(json.loads(text))
