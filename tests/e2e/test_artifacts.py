"""Artifacts are found by type and words, read in their viewer, and taken away; nothing runs."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

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


def test_the_list_fits_a_phone_and_an_empty_search_says_so(people: People) -> None:
    page = people.page("viewer", f"/artifacts?q={uuid.uuid4().hex}", viewport=PHONE)
    expect(page.get_by_text("No artifact matches")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url(re.compile(r"/artifacts/?$"))
