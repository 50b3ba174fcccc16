"""Rounds of one artifact: a switch between them, and what differs; files with what was there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent_console.domain.access import Permission
from agent_console.domain.changes import FileChange
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.payload import canonical, digest
from agent_console.domain.records import ArtifactType
from agent_console.store.engine_values import NewArtifact
from agent_console.store.runs import save_artifact, suspend
from agent_console.ui.states.artifacts import ArtifactPage, Artifacts
from agent_console.ui.version_views import VersionsView, versions_view
from tests.support.runs import checkpoint, claim_one, decide, step
from tests.ui.conftest import Browser, Console, run


def report(position: int, content: str, name: str = "Tides", **metadata: Any) -> NewArtifact:
    return NewArtifact(
        step=step(position, kind="artifact", name=name),
        name=name,
        artifact_type=ArtifactType.REPORT,
        media_type="text/markdown",
        content=content,
        digest=digest(content),
        metadata=canonical(metadata),
    )


def saved(console: Console, *artifacts: NewArtifact) -> list[str]:
    console.job()
    key = claim_one(console.db).key
    return [save_artifact(console.db, key, one) for one in artifacts]


def view(console: Console, wanted: str, against: str | None = None) -> VersionsView:
    actor = console.actor("viewer")
    return versions_view(console.services.artifacts.detail(actor, wanted, against=against))


def test_rounds_of_one_name_are_versions_of_one_thing(console: Console) -> None:
    first, other, second, edited = saved(
        console,
        report(0, "# High\n\nsame", round=1),
        report(1, "x", name="Winds", round=1),
        report(2, "# Low\n\nsame", round=2),
        report(3, "# Lower\n\nsame", round=2, editedBy="Ray"),
    )
    assert view(console, other).tabs == []
    shown = view(console, second)
    assert [(one.label, one.href, one.current) for one in shown.tabs] == [
        ("Round 1", f"/artifacts/{first}", False),
        ("Round 2", f"/artifacts/{second}", True),
        ("Round 2, as edited", f"/artifacts/{edited}", False),
    ]
    assert (shown.heading, shown.changes) == ("", [])
    assert shown.compare_href == f"/artifacts/{second}?compare={first}"
    assert shown.compare_word == "What changed since Round 1"
    assert view(console, first).compare_href == ""


def test_two_versions_are_compared_line_by_line(console: Console) -> None:
    first, second, third = saved(
        console,
        report(0, "# High\n\nsame\n"),
        report(1, "# Low\n\nsame\n"),
        report(2, "# Low\n\nsame\n"),
    )
    shown = view(console, second, first)
    assert (shown.heading, shown.whole_href) == ("Changes since Version 1", f"/artifacts/{second}")
    lines = [(one.sign, one.text) for one in shown.changes[0].lines]
    assert lines[1:3] == [("\N{MINUS SIGN}", "# High"), ("+", "# Low")]
    alike = view(console, third, second)
    assert (alike.same, alike.changes) == (True, [])


def test_a_file_shows_what_was_there_before(console: Console) -> None:
    console.job()
    claimed = claim_one(console.db)
    change = FileChange("src/a.py", "x = 1\n", "x = 2\n").to_json()
    payload = canonical({"action": "write", "data": None, "changes": [change]})
    asked = replace(checkpoint(0), payload=payload, payload_digest=digest(payload))
    decide(console.db, suspend(console.db, claimed.key, asked), CheckpointVerb.APPROVE)
    key = claim_one(console.db).key

    def file(position: int, name: str, content: str) -> str:
        made = replace(
            report(position, content, name),
            artifact_type=ArtifactType.FILE,
            media_type="text/plain",
        )
        return save_artifact(console.db, key, made)

    shown = view(console, file(1, "src/a.py", "x = 2\n"))
    assert shown.heading == "What was approved"
    assert [(one.sign, one.text) for one in shown.changes[0].lines][1:] == [
        ("\N{MINUS SIGN}", "x = 1"), ("+", "x = 2"),
    ]  # fmt: skip
    assert view(console, file(2, "src/b.py", "x = 2\n")).heading == ""
    assert view(console, file(3, "src/a.py", "x = 3\n")).heading == "", "that was not approved"
    blind = replace(console.actor("viewer"), permissions=frozenset({Permission.ARTIFACTS_READ}))
    again = file(4, "src/a.py", "x = 2\n")
    assert console.services.artifacts.detail(blind, again).change is None


def test_the_page_compares_what_the_address_names(console: Console) -> None:
    first, second, other = saved(
        console, report(0, "one", round=1), report(1, "two", round=2), report(2, "x", name="Winds")
    )

    async def look(path: str) -> Any:
        async with Browser(console.sign_in("viewer"), path) as browser:
            await browser.send(ArtifactPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(ArtifactPage, "loaded") is True)
            return browser.wire

    wire = run(look(f"/artifacts/{second}?compare={first}"))
    assert wire.value(ArtifactPage, "versions").heading == "Changes since Round 1"
    assert wire.value(ArtifactPage, "facts").pdf.endswith("/download?format=pdf")
    lost = run(look(f"/artifacts/{second}?compare={other}"))
    assert lost.value(ArtifactPage, "problem_code") == "not_found"


def test_the_list_names_later_rounds(console: Console) -> None:
    saved(console, report(0, "one", round=1), report(1, "two", round=2))

    async def look() -> list[str]:
        async with Browser(console.sign_in("viewer"), "/artifacts") as browser:
            await browser.send(Artifacts.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Artifacts, "loaded") is True)
            return [row.round for row in browser.wire.value(Artifacts, "rows")]

    assert run(look()) == ["Round 2", ""]
