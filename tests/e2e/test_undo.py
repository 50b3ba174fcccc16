"""A decision can be taken back for some seconds; then the job goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

DESK = "/admin/agent-checkpoints"
HOLD = 15  # seconds: long enough for a slow machine to press the button


@pytest.fixture
def patient(console: ConsoleProcess, tmp_path: Path) -> Iterator[ConsoleProcess]:
    """Run a console that holds decisions, in place of the others' at the same address."""
    console.stop()
    made = ConsoleProcess(tmp_path, AGENT_CONSOLE_UNDO_SECONDS=str(HOLD))
    try:
        made.start()
        yield made
    finally:
        made.stop()
        console.start()


def test_an_approval_is_undone_and_given_again(everybody: People, patient: ConsoleProcess) -> None:
    people = everybody.of(patient)
    with patient.api("operator") as operator, patient.api("reviewer") as reviewer:
        work = Work(operator, reviewer)
        job, checkpoint = work.waiting("Think twice")
        page = people.page("reviewer", f"{DESK}/{checkpoint}")
        page.get_by_role("button", name="Approve", exact=True).click()
        undo = page.get_by_role("button", name="Undo", exact=True)
        expect(page.get_by_test_id("undo")).to_contain_text("Approved: code-generation")
        assert work.job(job)["status"] == "QUEUED"
        undo.click()
        expect(undo).to_have_count(0)
        assert work.job(job)["status"] == "WAITING"
        card = page.get_by_role("article")
        expect(card).to_have_attribute("data-checkpoint", checkpoint)  # open again
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(undo).to_be_visible()
        expect(undo).to_be_hidden(timeout=2 * HOLD * 1000)  # by itself
        done = work.finished(job)
        assert done["status"] == "COMPLETED"
    people.close()
