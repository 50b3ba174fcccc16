"""The artifacts page and the viewers' states, with real services."""

from __future__ import annotations

import json

from agent_console.domain.payload import digest
from agent_console.domain.records import ArtifactType
from agent_console.store.engine_values import NewArtifact
from agent_console.store.runs import save_artifact
from agent_console.ui.params import ArtifactsParams
from agent_console.ui.states.artifacts import ArtifactPage, Artifacts
from agent_console.ui.states.job import JobPage
from tests.support.runs import claim_one, step
from tests.ui.conftest import Browser, Console, run

FINDING = json.dumps({"claim": "The tide turns.", "quote": "", "confidence": 0.9})


def saved(console: Console) -> tuple[str, str, str]:
    """Make a job with a finding and a report; return job, finding and report."""
    job_id = console.job(task_description="Look")
    key = claim_one(console.db).key
    ids = []
    for position, (kind, media_type, content) in enumerate(
        [
            (ArtifactType.RESEARCH_FINDING, "application/json", FINDING),
            (ArtifactType.REPORT, "text/markdown", "# Harbor\n\nhigh water"),
        ]
    ):
        new = NewArtifact(
            step=step(position, kind="artifact", name=kind.value),
            name=f"{kind.value} {position}",
            artifact_type=kind,
            media_type=media_type,
            content=content,
            digest=digest(content),
        )
        ids.append(save_artifact(console.db, key, new))
    return job_id, ids[0], ids[1]


def listed(console: Console, path: str, role: str = "viewer") -> Browser:
    """Open the list at ``path`` and return the browser once it is there."""

    async def look() -> Browser:
        async with Browser(console.sign_in(role), path) as browser:
            await browser.send(Artifacts.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Artifacts, "loaded") is True)
            return browser

    return run(look())


def names(browser: Browser) -> list[str]:
    return [row.word for row in browser.wire.value(Artifacts, "rows") or []]


def test_the_address_says_what_is_listed(console: Console) -> None:
    job_id, finding, _ = saved(console)
    assert names(listed(console, "/artifacts")) == ["Report", "Finding"]
    assert names(listed(console, "/artifacts?type=research_finding")) == ["Finding"]
    assert names(listed(console, "/artifacts?q=HIGH+water")) == ["Report"]
    assert names(listed(console, f"/artifacts?job={job_id}&type=file")) == []
    browser = listed(console, f"/artifacts?q={finding}")
    (row,) = browser.wire.value(Artifacts, "rows")
    assert (row.href, row.job_href) == (f"/artifacts/{finding}", f"/jobs/{job_id}")
    assert row.job_name == "Look"
    assert browser.wire.value(Artifacts, "total") == "1 artifact"


def test_a_search_goes_into_the_address(console: Console) -> None:
    async def look() -> list[str]:
        path = "/artifacts?type=report&cursor=x"
        async with Browser(console.sign_in("viewer"), path) as browser:
            await browser.send(Artifacts.search({"q": "  high water "}))
            return browser.wire.redirects()

    assert run(look()) == ["/artifacts?type=report&q=high+water"]


def test_a_new_artifact_appears_without_a_reload(console: Console) -> None:
    async def look() -> list[str]:
        async with Browser(console.sign_in("viewer"), "/artifacts") as browser:
            await browser.send(Artifacts.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Artifacts, "loaded") is True)
            saved(console)
            console.services.feed.publish()
            await browser.until(lambda: len(browser.wire.value(Artifacts, "rows") or []) == 2)
            return names(browser)

    assert run(look()) == ["Report", "Finding"]


def test_one_artifact_is_shown_in_the_viewer_of_its_type(console: Console) -> None:
    job_id, finding, _ = saved(console)

    async def look(wanted: str) -> Browser:
        async with Browser(console.sign_in("viewer"), f"/artifacts/{wanted}") as browser:
            await browser.send(ArtifactPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(ArtifactPage, "loaded") is True)
            return browser

    wire = run(look(finding)).wire
    assert wire.value(ArtifactPage, "body").claim == "The tide turns."
    assert wire.value(ArtifactPage, "facts").job_href == f"/jobs/{job_id}"
    lost = run(look("art_none")).wire
    assert lost.value(ArtifactPage, "problem_code") == "not_found"


def test_the_job_page_opens_artifacts_in_the_same_viewers(console: Console) -> None:
    job_id, _, report = saved(console)

    async def look() -> Browser:
        async with Browser(console.sign_in("viewer"), f"/jobs/{job_id}") as browser:
            await browser.send(JobPage.open_artifact(report))
            return browser

    wire = run(look()).wire
    assert wire.value(JobPage, "opened") == report
    assert wire.value(JobPage, "opened_body").blocks[0].kind == "h2"


def test_parameters_read_back_and_fall_back() -> None:
    params = ArtifactsParams(kind="report", job="job_1", q="a&b", cursor="c=")
    assert ArtifactsParams.parse({"type": "song", "q": "x" * 999}).q == "x" * 200
    assert ArtifactsParams.parse({"type": "REPORT"}).kind == "report"
    assert params.url(cursor="") == "/artifacts?type=report&job=job_1&q=a%26b"
