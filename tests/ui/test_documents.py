"""The context documents: the list, a new one, the next version, what changed, the archive."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.access import Role
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import NotFound
from agent_console.domain.jobs import NewJob
from agent_console.ui.states import document, documents
from agent_console.ui.states.document import DocumentPage
from agent_console.ui.states.documents import Documents
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run


def keep(console: Console, title: str = "Tides", text: str = "High.\nLow.\n", **more: Any) -> str:
    """Keep a document and return its id."""
    new = NewContextDocument(title=title, content=text, **more)
    return console.services.context.create(console.actor("operator"), new).document.id


def page_of(
    console: Console, state: Any, path: str, *events: Any, role: str = "operator", until: Any = None
) -> Browser:
    """Open ``path``, send ``events``, wait ``until`` something holds; return the browser."""

    async def look() -> Browser:
        async with Browser(console.sign_in(role), path) as browser:
            await browser.send(state.watch, wait=False)
            await browser.until(lambda: browser.wire.value(state, "loaded") is True)
            for event in events:
                await browser.send(event)
            if until is not None:
                await browser.until(lambda: until(browser))
            return browser

    return run(look())


def listed(console: Console, path: str, *events: Any, role: str = "operator") -> Browser:
    return page_of(console, Documents, path, *events, role=role)


def one(console: Console, document_id: str, *events: Any, query: str = "", **more: Any) -> Browser:
    return page_of(console, DocumentPage, f"/context/{document_id}{query}", *events, **more)


def test_the_list_is_searched_and_paged(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PAGE_SIZE", 2)
    kept = [keep(console, f"Tides {n}", project_id="p" if n else None) for n in range(3)]
    keep(console, "Winds\u202e")
    wire = listed(console, "/context?q=tides").wire
    rows = wire.value(Documents, "rows")
    assert [row.id for row in rows] == [kept[2], kept[1]]
    assert (rows[0].scope, rows[0].version, rows[0].format) == ("p", "version 1", "Markdown")
    assert wire.value(Documents, "total") == "3 documents"
    older = wire.value(Documents, "older_href")
    assert older.startswith("/context?q=tides&cursor=")
    (last,) = listed(console, older).wire.value(Documents, "rows")
    assert (last.id, last.scope) == (kept[0], "every project")


def test_a_search_goes_into_the_address(console: Console) -> None:
    wire = listed(console, "/context?shelf=archived", Documents.search({"q": " a b "})).wire
    assert wire.redirects() == ["/context?shelf=archived&q=a+b"]


def test_a_document_is_added_and_shown(console: Console) -> None:
    form = {
        "title": " Winds ", "content": "a\r\nb", "projectId": " p ", "mediaType": "text/plain",
    }  # fmt: skip
    wire = listed(console, "/context", Documents.add(form)).wire
    (address,) = wire.redirects()
    found = console.services.context.get(
        console.actor("operator"), address.removeprefix("/context/")
    )
    assert (found.document.title, found.document.project_id) == ("Winds", "p")
    assert (found.document.media_type.value, found.shown.content) == ("text/plain", "a\nb")


def test_what_cannot_be_kept_is_said_at_its_field(console: Console) -> None:
    browser = listed(console, "/context", Documents.add({"title": "x", "content": "  "}))
    assert set(browser.wire.value(Documents, "errors")) == {"content"}
    assert browser.wire.redirects() == []
    wire = listed(console, "/context", Documents.add({}), role="viewer").wire
    assert "context:write" in wire.value(Documents, "refusal")
    assert wire.value(Session, "notices")[-1].code == "forbidden"


def test_a_next_version_starts_from_the_latest_and_is_compared(console: Console) -> None:
    made = keep(console)
    form = {"title": "Tides", "content": "High.\r\nEbb.\r\n"}
    wire = one(console, made, DocumentPage.edit, DocumentPage.save(form)).wire
    assert wire.count(DocumentPage, "draft", "High.\nLow.\n") == 1
    assert wire.value(DocumentPage, "editing") is False
    assert wire.redirects() == [f"/context/{made}?version=2&against=1"]
    wire = one(console, made, query="?version=2&against=1").wire
    (change,) = wire.value(DocumentPage, "changes")
    assert (change.title, change.added, change.removed) == ("Version 1 → 2", "+1", "−1")
    assert [(line.sign, line.text) for line in change.lines if line.sign] == [
        ("−", "Low."),
        ("+", "Ebb."),
    ]
    labels = [option.label for option in wire.value(DocumentPage, "others")]
    assert labels == ["Changes since version 1"]


def test_a_version_that_somebody_else_kept_meanwhile_is_not_overwritten(console: Console) -> None:
    made = keep(console)

    async def look() -> Browser:
        async with Browser(console.sign_in("operator"), f"/context/{made}") as browser:
            await browser.send(DocumentPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(DocumentPage, "loaded") is True)
            await browser.send(DocumentPage.edit)
            console.services.context.add_version(console.actor("reviewer"), made, "theirs")
            await browser.send(DocumentPage.save({"title": "Tides", "content": "mine"}))
            return browser

    wire = run(look()).wire
    assert wire.value(Session, "notices")[-1].code == "conflict"
    assert wire.value(DocumentPage, "editing") is True
    assert wire.redirects() == []
    shown = console.services.context.get(console.actor("operator"), made).shown
    assert shown.content == "theirs"


def test_a_text_too_long_for_the_form_says_so(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MAX_PASTE", 3)
    wire = one(console, keep(console), DocumentPage.edit).wire
    assert wire.value(DocumentPage, "editing") in (False, None)
    assert "REST" in wire.value(Session, "notices")[-1].text


def test_a_document_is_archived_and_restored(console: Console) -> None:
    made = keep(console)

    def is_away(browser: Browser) -> bool:
        return bool(browser.wire.value(DocumentPage, "document").archived_at)

    wire = one(console, made, DocumentPage.archive(True), until=is_away).wire
    assert "archived" in wire.value(DocumentPage, "edit_refusal")
    assert wire.value(DocumentPage, "document").use_href == ""
    (row,) = listed(console, "/context?shelf=archived").wire.value(Documents, "rows")
    assert row.id == made
    assert listed(console, "/context").wire.value(Documents, "rows") in ([], None)
    one(console, made, DocumentPage.archive(False))
    context = console.services.context
    assert context.get(console.actor("operator"), made).document.archived_at is None


def test_only_a_document_that_no_job_has_is_deleted(console: Console) -> None:
    unused, used = keep(console), keep(console)
    actor = console.actor("operator")
    job = NewJob(job_type="greet", input_data={"name": "Ada"}, context_document_id=used)
    job_id = console.services.jobs.enqueue(actor, job).job.id
    wire = one(console, unused, DocumentPage.delete).wire
    assert wire.redirects() == ["/context"]
    with pytest.raises(NotFound):
        console.services.context.get(actor, unused)
    wire = one(console, used, DocumentPage.delete).wire
    assert job_id in wire.value(DocumentPage, "delete_refusal")
    assert wire.value(Session, "notices")[-1].code == "conflict"
    assert wire.value(DocumentPage, "document").job_href == f"/jobs/{job_id}"


@pytest.mark.parametrize(
    "event",
    [DocumentPage.edit, DocumentPage.save({}), DocumentPage.archive(True), DocumentPage.delete],
    ids=["edit", "save", "archive", "delete"],
)
def test_a_viewer_changes_nothing(console: Console, event: Any) -> None:
    made = keep(console)
    wire = one(console, made, event, role=Role.VIEWER).wire
    assert wire.value(Session, "notices")[-1].code == "forbidden"
    assert "context:write" in wire.value(DocumentPage, "edit_refusal")
    found = console.services.context.get(console.actor("operator"), made).document
    assert (found.version, found.archived_at) == (1, None)
