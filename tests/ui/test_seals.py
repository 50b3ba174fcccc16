"""The proof of the journal on the audit page: its words, and its button."""

from __future__ import annotations

from datetime import UTC, datetime

from agent_console.domain.jobs import JobStatus
from agent_console.domain.retention import Due, Keep, LastRun, RetentionPolicy, RetentionReport
from agent_console.domain.verification import Integrity, LastVerification
from agent_console.services.seal_keys import seal_keys
from agent_console.ui.seal_views import integrity_view, retention_view
from agent_console.ui.states.seals import Seals
from agent_console.ui.states.session import Session
from tests.support.journals import seal
from tests.ui.conftest import Browser, Console, run

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def integrity(**more: object) -> Integrity:
    known = {
        "sealed_seq": 1_200, "seals": 3, "sealed_at": NOW, "newest_seq": 1_207, "last": None,
        "running_rows": None,
    }  # fmt: skip
    return Integrity(**{**known, **more})  # type: ignore[arg-type]


def last(**more: object) -> LastVerification:
    known = {
        "at": NOW, "by": "Rita", "verdict": "intact", "rows": 1_200, "sealed_seq": 1_200,
        "first_bad_seq": None, "reason": "",
    }  # fmt: skip
    return LastVerification(**{**known, **more})  # type: ignore[arg-type]


def test_the_bar_says_how_far_the_journal_is_sealed_and_verified() -> None:
    fresh = integrity_view(integrity(sealed_seq=0, seals=0, sealed_at=None, newest_seq=0))
    assert (fresh.sealed, fresh.sealed_at, fresh.verified) == (
        "Nothing is sealed yet", "", "Never verified",
    )  # fmt: skip
    view = integrity_view(integrity(last=last(), running_rows=4_000))
    assert view.sealed == "Sealed up to row 1,200, 7 newer to come"
    assert (view.verified, view.tone) == ("Verified up to row 1,200", "green")
    assert view.running == "Verifying… 4,000 rows so far"
    bad = last(verdict="broken", first_bad_seq=17, reason="row was changed\u202e")
    view = integrity_view(integrity(last=bad, newest_seq=1_200))
    assert (view.sealed, view.verified, view.tone) == (
        "Sealed up to row 1,200", "Broken from row 17 on", "red",
    )  # fmt: skip
    assert "\u202e" not in view.reason
    unsure = integrity_view(integrity(last=last(verdict="unsigned")))
    assert (unsure.verified, unsure.tone) == (
        "Verified up to row 1,200, signatures not checked", "amber",
    )  # fmt: skip


def test_the_section_says_what_is_kept_and_what_went() -> None:
    policy = RetentionPolicy(
        jobs={JobStatus.COMPLETED: Keep(seconds=86_400, count=500), JobStatus.FAILED: Keep()},
        journal=Keep(seconds=400 * 86_400),
    )
    due = Due(jobs={JobStatus.COMPLETED: 3, JobStatus.FAILED: 0}, journal_rows=0, more=False)
    view = retention_view(RetentionReport(policy=policy, due=due, last=None))
    assert [(row.name, row.kept, row.due) for row in view.rows] == [
        ("COMPLETED jobs", "kept 1 day, the newest 500", "3 due now"),
        ("FAILED jobs", "kept for ever", ""),
        ("Journal", "kept 400 days", ""),
    ]
    assert view.last == "No job was deleted yet."
    gone = LastRun(at=NOW, by="system", jobs={"COMPLETED": 2, "FAILED": 1})
    view = retention_view(RetentionReport(policy=policy, due=due, last=gone))
    assert (view.last, view.last_at) == ("Last batch: 3 jobs,", "2026-11-20T00:00:00Z")


def test_the_button_verifies_and_the_page_says_what_was_found(console: Console) -> None:
    from agent_console.settings import load_settings

    cookie = console.sign_in("reviewer")
    console.job()
    seal(console.db, seal_keys(load_settings()))

    async def look() -> None:
        async with Browser(cookie, "/audit") as browser:
            await browser.send(Seals.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Seals, "loaded"))
            assert browser.wire.value(Seals, "integrity").verified == "Never verified"
            assert len(browser.wire.value(Seals, "retention").rows) == 4
            await browser.send(Seals.verify, wait=False)
            await browser.until(
                lambda: browser.wire.value(Seals, "integrity").verified.startswith("Verified up")
            )
            await browser.until(lambda: browser.wire.value(Seals, "integrity").running == "")

    run(look())


def test_who_may_not_read_the_journal_cannot_have_it_verified(console: Console) -> None:
    cookie = console.sign_in("operator")

    async def look() -> None:
        async with Browser(cookie, "/audit") as browser:
            await browser.send(Seals.verify)
            assert ["audit:read" in n.text for n in browser.wire.value(Session, "notices")] == [
                True
            ]

    run(look())
    assert console.services.audit.integrity(console.actor("reviewer")).last is None
