"""What the console finds in a proposal stands on the card, gravest first."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.work import Work, code

pytestmark = pytest.mark.e2e

MARKER = "TO-DO".replace("-", "")


def test_a_marker_and_an_open_door_are_on_the_card(people: People, work: Work) -> None:
    folder = f"found_{uuid.uuid4().hex[:8]}"
    job = work.enqueue(
        "code-generation",
        {
            "description": "Ship it",
            "files": [
                code(f"{folder}/Dockerfile", "FROM scratch\n")["files"][0],
                code(f"{folder}/app.py", f"x = 1\n# {MARKER}: the rest\n")["files"][0],
            ],
        },
    )
    checkpoint = work.open_checkpoint(job)
    page = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    findings = page.get_by_test_id("findings").get_by_role("listitem")
    expect(findings).to_have_count(2)
    expect(findings.nth(0)).to_contain_text("CRITICAL")
    expect(findings.nth(0)).to_contain_text(f"{folder}/app.py:2")
    expect(findings.nth(1)).to_contain_text("HIGH")
    expect(findings.nth(1)).to_contain_text("steers builds, servers or access")
    expect(page.get_by_text("1 critical, 1 high")).to_be_visible()
    work.reject(checkpoint, "Not finished.")
