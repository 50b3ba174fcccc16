"""Artifacts are found by type and words, read in their viewer, and taken away; nothing runs."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import PHONE, People
from tests.e2e.work import Work, code

pytestmark = pytest.mark.e2e

NASTY = """# Readiness

**Twelve** of seventeen.

| Risk | Owner |
|---|---|
| Restore | Operations |

<script>document.title = "taken"</script>
<img src=x onerror="document.title='taken'"> ![p](https://evil.example/p.png)
[go](javascript:document.title='taken')
"""


def test_an_artifact_is_found_read_and_downloaded(people: People, work: Work) -> None:
    word = uuid.uuid4().hex
    job = work.enqueue("code-generation", code(f"notes/{word}.md", NASTY), "Write notes")
    work.approve(work.open_checkpoint(job))
    work.finished(job)
    page = people.page("viewer", "/artifacts?type=file")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_role("heading", name="Artifacts", level=1, exact=True)).to_be_visible()
    expect(page.get_by_test_id("me")).not_to_be_empty()
    page.get_by_label("Search artifacts").fill(word)
    page.get_by_label("Search artifacts").press("Enter")
    page.wait_for_url(re.compile(f"q={word}"))
    row = page.get_by_test_id("artifact-row")
    expect(row).to_have_count(1)
    row.get_by_role("link", name=re.compile(word)).first.click()
    expect(page.get_by_role("heading", name="Readiness", level=2)).to_be_visible()
    expect(page.get_by_role("cell", name="Operations")).to_be_visible()
    expect(page.get_by_text("<script>", exact=False)).to_be_visible()
    expect(page.get_by_role("link", name="go")).to_have_count(0)
    assert "taken" not in page.title()
    assert [url for url in asked if "evil.example" in url] == []
    with page.expect_download() as started:
        page.get_by_role("link", name="Download", exact=True).click()
    assert Path(started.value.path()).read_text("utf-8") == NASTY
    page.get_by_role("link", name=job).click()
    expect(page.get_by_role("heading", name="Write notes", level=1)).to_be_visible()


def two_rounds(work: Work) -> tuple[str, list[dict[str, Any]]]:
    """Have a report made in two rounds; return its job and both artifacts, the first first."""
    data = {"topic": "Results of the pilot", "questions": ["When does wave 2 start?"]}
    job = work.enqueue("reporting", data, "Report on the pilot")
    findings = work.open_checkpoint(job)
    work.approve(findings)
    first = work.next_checkpoint(job, findings)
    work.request_changes(first, "How much does training cost per courier?")
    work.approve(work.next_checkpoint(job, first))
    artifacts = work.finished(job)["artifacts"]
    return job, [one for one in artifacts if one["artifactType"] == "report"]


def test_rounds_are_switched_compared_and_taken_away_as_pdf(people: People, work: Work) -> None:
    _, (first, second) = two_rounds(work)
    assert first["name"] == second["name"]
    page = people.page("viewer", f"/artifacts/{second['id']}")
    versions = page.get_by_role("navigation", name="Versions")
    expect(versions.get_by_role("link", name="Round 2")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="What changed since Round 1").click()
    section = page.get_by_role("region", name="Changes since Round 1")
    expect(section.locator("tr.diff-added").filter(has_text="140 euros").first).to_be_visible()
    page.reload()
    expect(section.locator("tr.diff-added").first).to_be_visible()
    page.get_by_role("link", name="Show it whole").click()
    expect(section).to_have_count(0)
    versions.get_by_role("link", name="Round 1").click()
    page.wait_for_url(re.compile(first["id"]))
    expect(versions.get_by_role("link", name="Round 1")).to_have_attribute("aria-current", "page")
    with page.expect_download() as started:
        page.get_by_role("link", name="PDF", exact=True).click()
    assert started.value.suggested_filename.endswith(".pdf")
    assert Path(started.value.path()).read_bytes().startswith(b"%PDF-")
    with page.expect_download() as started:
        page.get_by_role("link", name="Markdown", exact=True).click()
    assert "6 October 2025" in Path(started.value.path()).read_text("utf-8")


def test_a_quotation_of_a_shipped_document_leads_to_its_place(people: People, work: Work) -> None:
    job = work.enqueue("research", {"questions": ["When does wave 2 start?"]}, "Wave 2")
    work.approve(work.open_checkpoint(job))
    work.finished(job)
    page = people.page("viewer", f"/artifacts?job={job}&q=6+October")
    row = page.get_by_test_id("artifact-row")
    row.get_by_role("link", name=re.compile("^Wave")).first.click()  # the second leads to the job
    page.get_by_role("link", name=re.compile("Rollout plan")).click()
    expect(page.get_by_role("heading", name="Rollout plan", level=1)).to_be_visible()
    expect(page.locator("mark")).to_contain_text("6 October 2025")


def test_a_changed_file_shows_what_was_there_before(people: People, work: Work) -> None:
    path = f"notes/{uuid.uuid4().hex}.txt"
    for text in ("one\n", "two\n"):
        job = work.enqueue("code-generation", code(path, text), "Write notes")
        work.approve(work.open_checkpoint(job))
        (made,) = work.finished(job)["artifacts"]
    page = people.page("viewer", f"/artifacts/{made['id']}")
    section = page.get_by_role("region", name="What was approved")
    expect(section.locator("tr.diff-removed")).to_contain_text("one")
    expect(section.locator("tr.diff-added")).to_contain_text("two")


def test_a_report_is_printed_without_the_console_around_it(people: People, work: Work) -> None:
    _, (first, _) = two_rounds(work)
    page = people.page("viewer", f"/artifacts/{first['id']}")
    expect(page.get_by_role("heading", name="Summary", level=3)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Summary", level=3)).to_be_visible()
    for hidden in ("navigation", "complementary"):
        expect(page.get_by_role(hidden)).to_have_count(0)
    expect(page.get_by_role("link", name="PDF", exact=True)).to_be_hidden()


def test_the_list_fits_a_phone_and_an_empty_search_says_so(people: People) -> None:
    page = people.page("viewer", f"/artifacts?q={uuid.uuid4().hex}", viewport=PHONE)
    expect(page.get_by_text("No artifact matches")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url(re.compile(r"/artifacts/?$"))
