"""The console compares quotations with their documents itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent_console.agents.documents import shipped
from agent_console.agents.findings import research
from agent_console.domain.access import Permission
from agent_console.domain.context import NewContextDocument
from agent_console.ui.evidence_views import evidence_of
from agent_console.ui.quote_checks import DIFFERS, MAX_TEXTS, STANDS, UNKNOWN, checks, compare
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from agent_console.ui.states.job_checkpoints import JobCheckpoints
from tests.ui.conftest import Browser, Console, run
from tests.ui.test_desk_events import at_the_desk, stored, waiting
from tests.ui.test_evidence_views import ANSWER, FINDING

TEXT = "# Ünïted\n\nThe pilot begins on Monday.\n"
QUOTE = "The pilot begins on Monday."
START = TEXT.index(QUOTE)


def quoting(document: str, **change: Any) -> dict[str, Any]:
    """Return a finding that quotes the text rightly, but for ``change`` of its source."""
    place = {"documentId": document, "version": 1, "start": START, "end": START + len(QUOTE)}
    return {**FINDING, "claim": QUOTE, "quote": QUOTE, "source": {**place, **change}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, STANDS),
        ({"start": START + 1}, DIFFERS),
        ({"end": 2**40}, DIFFERS),
        ({"version": 2}, UNKNOWN),
        ({"documentId": "doc_else"}, UNKNOWN),
        ({"documentId": 5}, UNKNOWN),
        ({"start": -1}, UNKNOWN),
        ({"end": True}, UNKNOWN),
        ({"version": "1"}, UNKNOWN),
    ],
)
def test_only_the_very_words_at_the_very_place_stand(change: Any, expected: str) -> None:
    def read(document: str, version: int) -> str | None:
        return TEXT if (document, version) == ("doc_1", 1) else None

    assert compare([quoting("doc_1", **change)], read) == (expected,)


def test_what_names_no_place_or_no_words_is_unknown() -> None:
    finding = quoting("doc_1")
    bare = [{**finding, "source": "doc_1"}, {**finding, "quote": ""}, {"claim": "x"}]
    assert compare(bare, lambda _, __: TEXT) == (UNKNOWN,) * 3


def test_a_document_is_read_once_and_not_without_end() -> None:
    asked: list[str] = []

    def read(document: str, version: int) -> str:  # noqa: ARG001
        asked.append(document)
        return TEXT

    many = [quoting(f"doc_{number}") for number in range(MAX_TEXTS + 5)]
    found = compare([quoting("doc_0"), *many], read)
    assert len(asked) == MAX_TEXTS
    assert found.count(UNKNOWN) == 5


def test_every_finding_of_the_shipped_agent_stands() -> None:
    made = research("Results of the pilot", ["When does wave 2 start?"], shipped())
    data = made.model_dump(mode="json", by_alias=True)
    texts = {(one.id, one.version): one.text for one in shipped()}
    found = compare(data["findings"], lambda *place: texts.get(place))
    assert found == (STANDS,) * len(made.findings)
    assert evidence_of(data, found).alarm == ""


def test_only_findings_are_checked_and_only_for_who_may_read_documents(console: Console) -> None:
    context, viewer = console.services.context, console.actor("viewer")
    report = stored(console, waiting(console, {"markdown": "# a"}))
    assert checks(context, viewer, report) == ()
    found = stored(console, waiting(console, {"findings": [quoting("doc_1")]}))
    assert checks(context, viewer, found) == (UNKNOWN,)
    stranger = replace(viewer, permissions=frozenset({Permission.CHECKPOINTS_READ}))
    assert checks(context, stranger, found) == ()


def test_a_quotation_that_is_not_there_raises_an_alarm_on_card_and_jobs_page(
    console: Console,
) -> None:
    kept = console.services.context.create(
        console.actor("operator"), NewContextDocument(title="Minutes", content=TEXT)
    )
    document = kept.document.id
    data = {"findings": [quoting(document), quoting(document, start=0)], "answers": [ANSWER]}
    point = waiting(console, data)

    def seen(body: Any) -> list[str]:
        return [one.check for answer in body.evidence.answers for one in answer.findings]

    async def then(browser: Browser) -> None:
        body = browser.wire.value(Desk, "body")
        assert seen(body) == [STANDS, DIFFERS]
        assert body.evidence.alarm == "1 quotation not found at the place named."

    at_the_desk(console, "reviewer", BASE, then)
    cookie = console.sign_in("viewer")

    async def unfold() -> None:
        async with Browser(cookie) as browser:
            await browser.send(JobCheckpoints.unfold(point))
            assert seen(browser.wire.value(JobCheckpoints, "body")) == [STANDS, DIFFERS]

    run(unfold())
