"""Every failure that the documentation lists names a proof, and every proof exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/reliability.md").read_text("utf-8")
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_named_test_exists() -> None:
    named = PROOF.findall(TEXT)
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in functions_of(ROOT / path)
    ]
    assert missing == []


def test_every_failure_has_a_proof() -> None:
    section = TEXT.split("## What goes wrong", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not PROOF.search(row)] == []


def test_every_campaign_is_in_the_tables() -> None:
    named = {path for path, _ in PROOF.findall(TEXT)}
    campaigns = {f"tests/chaos/{path.name}" for path in (ROOT / "tests/chaos").glob("test_*.py")}
    assert campaigns | {"tests/crash/test_kills.py"} <= named
