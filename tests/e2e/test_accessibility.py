"""WCAG 2.2 AA as far as a program can tell, on every page, in both modes, at both widths."""

from __future__ import annotations

import re
import uuid
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESKTOP, PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.scripts import parked
from tests.e2e.work import ROWS, STEPS, Work, code

pytestmark = pytest.mark.e2e

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# What turns for as long as something runs is left out.
STILL = """() => document.getAnimations().every(
    one => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)"""
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}


@pytest.fixture
def places(console: ConsoleProcess, work: Work) -> dict[str, str]:
    """Return every page by its heading, with something real on it."""
    job = work.enqueue("code-generation", code("axe/module.py", "x = 1\n"))
    rows = {"operation": "transform", "data": ROWS, "transform": {"steps": STEPS}}
    plan = work.enqueue("data-processing", rows)
    work.approve(work.open_checkpoint(plan))
    report = work.enqueue("reporting", {"topic": "Results of the pilot"})
    found = work.open_checkpoint(report)
    artifacts = work.job(report)["artifacts"]
    work.enqueue("http-task", {"url": "http://127.0.0.1:9/tasks"})
    writing = {
        name: work.enqueue(name, {"topic": "Results of the pilot"})
        for name in ("content", "reporting")
    }
    for one in writing.values():
        work.approve(work.open_checkpoint(one))
    written = {name: work.open_checkpoint(one) for name, one in writing.items()}
    work.request_changes(written["reporting"], "How much does training cost per courier?")
    written["reporting"] = work.next_checkpoint(writing["reporting"], written["reporting"])
    made = work.job(writing["reporting"])["artifacts"]
    first, second = [one["id"] for one in made if one["artifactType"] == "report"]
    checkpoint, result = work.open_checkpoint(job), work.open_checkpoint(plan)
    chat = work.chat(job, "/why", "What **comes** next?")
    schedule = work.schedule(
        f"Nightly {uuid.uuid4().hex[:8]}",
        "simple-task",
        {"userId": "user-17", "action": "greet"},
        cron="30 6 * * mon",
        timeZone="Asia/Tokyo",
    )
    return {
        "Checkpoints": "/admin/agent-checkpoints",
        "Checkpoints, files": f"/admin/agent-checkpoints/{checkpoint}",
        "Checkpoints, rows": f"/admin/agent-checkpoints/{result}",
        "Checkpoints, findings": f"/admin/agent-checkpoints/{found}",
        "Checkpoints, drafts": f"/admin/agent-checkpoints/{written['content']}",
        "Checkpoints, report": f"/admin/agent-checkpoints/{written['reporting']}",
        "Checkpoints, all": "/admin/agent-checkpoints?status=ALL",
        "Jobs": "/jobs",
        "Jobs, acted on together": "/jobs?q=type:simple-task",
        "Job": f"/jobs/{job}",
        "Job, parked": f"/jobs/{parked(console, work).job}",
        "New job": "/new?type=code-generation",
        "Schedules": "/schedules",
        "New schedule": "/schedules/new?type=simple-task",
        "Edit schedule": f"/schedules/edit?id={schedule}",
        "Notifications": "/notifications",
        "Agents": "/agents?agent=reporting",
        "Sessions": "/sessions",
        "Sessions of a project": "/sessions?project=default",
        "Documents": "/context",
        "Artifacts": f"/artifacts?job={report}",
        **{one["artifactType"]: f"/artifacts/{one['id']}" for one in artifacts},
        "Artifact, difference": f"/artifacts/{second}?compare={first}",
        "Shipped document": "/context/library:rollout-plan?version=1&start=240&end=272",
        "Chat": "/chat",
        "Chat, open": f"/chat/{chat}",
        "Workers": "/workers",
        "Review policies": "/review-policies?type=code-generation",
        "Overview": "/overview",
        "Audit": "/audit",
    }


@pytest.mark.timeout(600)  # two modes of thirty pages, on a busy machine
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "375"])
def test_no_page_has_a_violation(
    people: People, places: dict[str, str], size: dict[str, int]
) -> None:
    page = people.page("admin", viewport=size)
    found = {name: violations(page, path) for name, path in places.items()}
    nobody = people.page(path="/login", viewport=size)
    expect(nobody.get_by_role("button", name="Sign in")).to_be_visible()
    found["Sign in"] = in_both_modes(nobody)
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_open_dialog_has_a_violation(
    console: ConsoleProcess, people: People, work: Work, scheme: str
) -> None:
    script = parked(console, work)
    name = f"Hourly {uuid.uuid4().hex[:8]}"
    work.schedule(name, "scripted", {}, intervalSeconds=3600)
    step = "From step 2, Approval: Pay"
    ways = {
        f"/jobs/{script.job}": (
            ("Resume on this version",),
            ("Fail job",),
            (step, "Retry from here"),
            (step, "Fork from here"),
        ),
        "/jobs?q=type:scripted&status=PARKED": (
            ("Cancel all that match",),
            ("Saved views",),
        ),
        "/schedules": ((f"Delete: {name}",),),
        "/review-policies": (
            ("New policy of an action",),
            ("Set policy of simple-task",),
            ("Let somebody stand in",),
        ),
        "/workers": (("Pause simple-task",), ("Limits of simple-task",)),
    }
    page = people.page("admin", viewport=PHONE, color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for path, dialogs in ways.items():
        page.goto(path)
        for first, *then in dialogs:
            page.get_by_role("button", name=first, exact=True).click()
            for entry in then:
                page.get_by_role("menuitem", name=entry).click()
            dialog = page.locator("[role=dialog], [role=alertdialog]")
            expect(dialog).to_be_visible()
            expect(page.get_by_text("Looking…")).to_have_count(0)
            dialog.get_by_role("button").last.hover()  # pointed at, a button has other colours
            found[f"{path} {first} {then}"] = axe(page, "[role=dialog], [role=alertdialog]")
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
    assert {which: what for which, what in found.items() if what} == {}


def test_the_reject_dialog_has_no_violation(people: People, work: Work) -> None:
    _, checkpoint = work.waiting()
    page = people.page("reviewer", f"/admin/agent-checkpoints/{checkpoint}")
    page.get_by_role("button", name="Reject", exact=True).click()
    reason = page.get_by_role("textbox", name="Reason")
    expect(reason).to_be_focused()
    assert axe(page) == []
    reason.fill("See line 3.")
    page.get_by_role("button", name="Too risky.").click()
    expect(reason).to_have_value("See line 3.\nToo risky.")
    expect(reason).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Reject", exact=True)).to_be_focused()


def violations(page: Page, path: str) -> list[str]:
    """Open ``path`` and return what axe has against it, in either mode."""
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    expect(page.locator(".ac-bone")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        f"{path} is wider than the screen"
    )
    return in_both_modes(page)


def in_both_modes(page: Page) -> list[str]:
    """Return what axe has against the open page; it follows the system's mode while it is open."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_class(re.compile(rf"\b{scheme}\b"))
        page.wait_for_function(STILL)  # a colour on its way to another is no colour of the page
        found += [f"{scheme}: {violation}" for violation in axe(page)]
    return found


# Half faded in, a text has the contrast of nothing; what turns for ever is not waited for.
SETTLED = """() => Promise.allSettled(document.getAnimations()
  .filter(one => one.playState === "running" && one.effect?.getComputedTiming().endTime < 10_000)
  .map(one => one.finished))"""


def axe(page: Page, within: str | None = None) -> list[str]:
    page.evaluate(SETTLED)
    answer: dict[str, Any] = Axe().run(page, context=within, options=OPTIONS).response
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(node["html"][:200] for node in one["nodes"][:3])
        for one in answer["violations"]
    ]
