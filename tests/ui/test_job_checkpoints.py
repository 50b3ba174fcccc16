"""What was asked, unfolded on the job's page: for who may read, as it was asked."""

from __future__ import annotations

from agent_console.ui.states.job_checkpoints import JobCheckpoints
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run
from tests.ui.test_desk_events import waiting
from tests.ui.test_evidence_views import ANSWER, FINDING


def test_a_row_unfolds_its_evidence_and_folds_again(console: Console) -> None:
    point = waiting(console, {"findings": [FINDING], "answers": [ANSWER]})
    cookie = console.sign_in("viewer")

    async def look() -> None:
        async with Browser(cookie) as browser:
            await browser.send(JobCheckpoints.unfold(point))
            body = browser.wire.value(JobCheckpoints, "body")
            assert browser.wire.value(JobCheckpoints, "opened") == body.id == point
            assert body.evidence.answers[0].findings[0].body.claim == FINDING["claim"]
            await browser.send(JobCheckpoints.unfold(point))
            assert browser.wire.value(JobCheckpoints, "opened") == ""
            assert browser.wire.value(JobCheckpoints, "body").evidence.kind == ""

    run(look())


def test_a_checkpoint_that_is_not_there_is_told_and_opens_nothing(console: Console) -> None:
    cookie = console.sign_in("viewer")

    async def look() -> None:
        async with Browser(cookie) as browser:
            await browser.send(JobCheckpoints.unfold("chk_nothing"))
            (notice,) = browser.wire.value(Session, "notices")
            assert "chk_nothing" in notice.text
            assert not browser.wire.value(JobCheckpoints, "opened")

    run(look())


def test_nobody_reads_what_was_asked_without_a_session(console: Console) -> None:
    point = waiting(console, {"findings": [FINDING]})

    async def look() -> None:
        async with Browser() as browser:
            await browser.send(JobCheckpoints.unfold(point))
            assert not browser.wire.value(JobCheckpoints, "opened")

    run(look())
