from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_console.api.guard import guarded_routes
from agent_console.domain import errors
from agent_console.domain.errors import ConsoleError
from tests.api.conftest import Door

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

GUIDE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")
# Raised inside the engine or before anything listens; no route answers with them.
NEVER_ANSWERED = {"lost_claim", "handlers_not_loaded", "misconfigured"}


def _codes() -> dict[str, int]:
    from agent_console.api import problems

    known: dict[str, int] = {}
    for module in (errors, problems):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, ConsoleError):
                known[value.code] = value.status
    return known


def test_every_route_stands_in_the_guide_with_its_permission(door: Door) -> None:
    for route, declaration in guarded_routes(door.api.routes):
        if not route.include_in_schema:
            continue
        for method in route.methods or ():
            (row,) = [
                line
                for line in GUIDE.splitlines()
                if f"`{method} {route.path}`" in line and line.startswith("|")
            ]
            if declaration.permission is not None:
                assert f"| `{declaration.permission.value}` |" in row, row


def test_every_error_code_stands_in_the_guide(door: Door) -> None:
    assert door.settings.max_body == 1_048_576  # the guide says 1 MiB
    table = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", GUIDE, re.MULTILINE))
    expected = {code: str(s) for code, s in _codes().items() if code not in NEVER_ANSWERED}
    assert table == expected
