"""The page of a context document marks the quoted place, in the version that was quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent_console.domain.clock import SystemClock
from agent_console.domain.context import NewContextDocument, shipped_document
from agent_console.services.context import ContextService
from agent_console.ui import bridge
from agent_console.ui.states import document
from agent_console.ui.states.document import DocumentPage, DocumentView
from tests.ui.conftest import Browser, Console, run


def kept(console: Console) -> str:
    """Keep a document in two versions and return its id."""
    actor, context = console.actor("operator"), console.services.context
    new = NewContextDocument(title="Tides", content="The tide is high today.")
    made = context.create(actor, new).document
    context.add_version(actor, made.id, "Low\u202e.")
    return made.id


def opened(console: Console, path: str) -> Browser:
    """Open ``path`` as a viewer and return the browser once it is there."""

    async def look() -> Browser:
        async with Browser(console.sign_in("viewer"), path) as browser:
            await browser.send(DocumentPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(DocumentPage, "loaded") is True)
            return browser

    return run(look())


def view(console: Console, path: str) -> DocumentView:
    found = opened(console, path).wire.value(DocumentPage, "document")
    assert isinstance(found, DocumentView)
    return found


def test_the_place_is_marked_in_its_version(console: Console) -> None:
    document_id = kept(console)
    shown = view(console, f"/context/{document_id}?version=1&start=4&end=8")
    assert (shown.before, shown.quote, shown.after) == ("The ", "tide", " is high today.")
    assert (shown.title, shown.version) == ("Tides", "1 of 2")


@pytest.mark.parametrize("place", ["", "&start=9&end=9", "&start=1&end=999", "&start=-1&end=x"])
def test_a_place_that_is_not_there_marks_nothing(console: Console, place: str) -> None:
    shown = view(console, f"/context/{kept(console)}?version=2{place}")
    assert (shown.before, shown.quote, shown.after) == ("", "", "Low⟨U+202E⟩.")


def test_versions_are_links_and_strange_ones_are_not_found(console: Console) -> None:
    document_id = kept(console)
    wire = opened(console, f"/context/{document_id}").wire
    tabs = wire.value(DocumentPage, "versions")
    assert [(one.label, one.current) for one in tabs] == [("Version 2", True), ("Version 1", False)]
    assert tabs[1].href == f"/context/{document_id}?version=1"
    lost = opened(console, f"/context/{document_id}?version=7").wire
    assert lost.value(DocumentPage, "problem_code") == "not_found"


def test_a_long_text_is_shown_around_the_place(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MAX_SHOWN", 10)
    shown = view(console, f"/context/{kept(console)}?version=1&start=4&end=8")
    assert (shown.before, shown.quote, shown.after) == ("The ", "tide", " i")
    shown = view(console, f"/context/{kept(console)}?version=1&start=17&end=22")
    assert (shown.before, shown.quote, shown.after) == ("high ", "today", "")
    assert "of 23" in shown.note


def test_a_document_that_comes_with_the_console_is_only_read(console: Console) -> None:
    known = shipped_document(
        "library:tides", "Tides", "The tide is high.", version=1, at=SystemClock().now()
    )
    services = replace(
        console.services, context=ContextService(console.db, {"library:tides": known})
    )
    bridge.bind(services, bridge.settings())

    async def look() -> Browser:
        path = "/context/library:tides?version=1&start=4&end=8"
        async with Browser(console.sign_in("operator"), path) as browser:
            await browser.send(DocumentPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(DocumentPage, "loaded") is True)
            return browser

    wire = run(look()).wire
    shown = wire.value(DocumentPage, "document")
    assert (shown.quote, shown.use_href) == ("tide", "")
    for reason in ("refusal", "edit_refusal", "delete_refusal"):
        assert wire.value(DocumentPage, reason) == document.FIXED
