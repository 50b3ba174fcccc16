"""What the product is for: work is asked for, looked at, decided, and done exactly so."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import ROWS, STEPS, Work, code

pytestmark = pytest.mark.e2e

BEFORE = "def greet(name):\n    print('Hello ' + name)\n"
AFTER = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n'


def card(page: Page, text: str) -> Locator:
    """Return the review card whose accessible name holds ``text``."""
    return page.get_by_role("article", name=re.compile(text))


def fill_code_generation(page: Page, description: str, files: dict[str, str]) -> None:
    """Fill in the New job form as a person does."""
    page.get_by_role("link", name="New job").first.click()
    expect(page.get_by_role("heading", name="New job", level=1)).to_be_visible()
    page.get_by_role("link", name=re.compile("code-generation")).click()
    form = page.get_by_role("form", name="New job")
    form.get_by_label("Description").first.fill(description)
    for number, (path, content) in enumerate(files.items()):
        if form.get_by_label("Path").count() <= number:
            form.get_by_role("button", name="Add to Files").click()
        form.get_by_label("Path").nth(number).fill(path)
        form.get_by_label("Content").nth(number).fill(content)
    form.get_by_role("button", name="Create job").click()
    page.wait_for_url(re.compile("/jobs/job_"))


def test_approved_files_are_written(people: People, console: ConsoleProcess, work: Work) -> None:
    folder = f"walk_{uuid.uuid4().hex[:8]}"
    (console.workspace / folder).mkdir()
    (console.workspace / folder / "greeting.py").write_text(BEFORE, encoding="utf-8")
    desk = people.page("reviewer", "/admin/agent-checkpoints")
    expect(desk.get_by_text("Nothing waits for you")).to_be_visible()

    asking = people.page("operator", "/jobs")
    files = {f"{folder}/greeting.py": AFTER, f"{folder}/notes.md": "# Notes\n"}
    fill_code_generation(asking, "Type the greeting", files)
    expect(asking.get_by_text("WAITING", exact=True).first).to_be_visible()

    shown = card(desk, "code-generation")
    expect(shown).to_be_visible()  # without a reload
    diff = shown.get_by_role("table", name=re.compile("greeting.py"))
    removed = diff.get_by_role("row").filter(has_text="print('Hello ' + name)")
    added = diff.get_by_role("row").filter(has_text='return f"Hello, {name}!"')
    expect(removed.get_by_role("cell").nth(2)).to_have_text("−removed")
    expect(added.get_by_role("cell").nth(2)).to_have_text("+added")
    expect(shown.get_by_text("new file")).to_be_attached()
    expect(shown.get_by_text("Omar Operator", exact=True)).to_be_attached()
    expect(shown.get_by_role("link", name=re.compile("job_"))).to_be_attached()
    logs = shown.get_by_role("log", name="Logs of the job")
    expect(logs.get_by_text("Compared 2 files with the workspace: 2 to write")).to_be_attached()

    shown.get_by_role("textbox", name="Feedback").fill("Good, thank you.")
    shown.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.get_by_text("Nothing waits for you")).to_be_visible()
    expect(asking.get_by_text("COMPLETED", exact=True).first).to_be_visible()  # live, too

    for path, content in files.items():
        assert (console.workspace / path).read_text(encoding="utf-8") == content
    job = work.job(asking.url.rstrip("/").rsplit("/", 1)[-1])
    assert {one["name"] for one in job["artifacts"]} >= set(files)
    assert job["checkpoints"][0]["feedback"] == "Good, thank you."
    expect(asking.get_by_role("link", name=re.compile("notes.md")).first).to_be_visible()
    expect(asking.get_by_text("Rita Reviewer").first).to_be_visible()  # the journal says who


def test_rejected_files_are_not_written(
    people: People, console: ConsoleProcess, work: Work
) -> None:
    path = f"rejected_{uuid.uuid4().hex[:8]}.py"
    job = work.enqueue("code-generation", code(path, "x = 1\n"))
    checkpoint = work.open_checkpoint(job)
    desk = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    card(desk, "code-generation").get_by_role("button", name="Reject", exact=True).click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject checkpoint").click()
    expect(dialog.get_by_text("Say why")).to_be_visible()
    dialog.get_by_role("textbox", name="Reason").fill("Not during the month end.")
    dialog.get_by_role("button", name="Reject checkpoint").click()
    expect(dialog).to_have_count(0)

    assert work.finished(job)["status"] == "FAILED"
    assert not (console.workspace / path).exists()
    shown = people.page("operator", f"/jobs/{job}")
    expect(shown.get_by_text("FAILED", exact=True).first).to_be_visible()
    expect(shown.get_by_text("Not during the month end.").first).to_be_visible()


def test_data_processing_stops_twice(people: People, work: Work) -> None:
    data = {"operation": "transform", "data": ROWS, "transform": {"steps": STEPS}}
    desk = people.page("reviewer", "/admin/agent-checkpoints")
    job = work.enqueue("data-processing", data)
    plan = card(desk, "data-processing")
    expect(plan).to_be_visible()
    first = plan.get_attribute("data-checkpoint")
    plan.get_by_role("button", name="Approve", exact=True).click()

    result = desk.locator(f"article:not([data-checkpoint='{first}'])")
    table = result.get_by_role("table", name=re.compile("Rows before and after"))
    expect(table.get_by_role("cell", name="Ada Lovelace", exact=True)).to_be_visible()
    before = table.get_by_role("row").filter(has=desk.get_by_text("before", exact=True))
    expect(before).to_have_count(len(ROWS))
    expect(table.locator("td.rowdiff-changed").first).to_be_visible()
    result.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.get_by_text("Nothing waits for you")).to_be_visible()
    assert work.finished(job)["status"] == "COMPLETED"


def test_simple_task_leaves_a_note_and_does_not_stop(people: People, work: Work) -> None:
    job = work.enqueue("simple-task", {"userId": "user-7", "action": "send-welcome-email"})
    assert work.finished(job)["status"] == "COMPLETED"
    shown = people.page("operator", f"/jobs/{job}")
    expect(shown.get_by_text("COMPLETED", exact=True).first).to_be_visible()
    expect(shown.get_by_text("INFO", exact=True).first).to_be_visible()
    desk = people.page("reviewer", "/admin/agent-checkpoints")
    expect(desk.get_by_text("Nothing waits for you")).to_be_visible()
    desk.get_by_role("link", name="All", exact=True).click()
    desk.get_by_role("link", name=re.compile("simple-task.*user-7")).first.click()
    expect(card(desk, "simple-task.*user-7")).to_be_visible()
    expect(desk.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
