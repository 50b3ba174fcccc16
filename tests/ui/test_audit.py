"""The audit page: its address, its rows, and who is let in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent_console.domain.events import JournalEntry
from agent_console.ui.audit_params import AuditParams
from agent_console.ui.audit_views import audit_row
from agent_console.ui.states.audit import Audit
from agent_console.ui.states.session import Session
from tests.ui.conftest import Browser, Console, run
from tests.ui.test_desk_views import NOW


def test_days_are_whole_and_instants_exact() -> None:
    params = AuditParams.parse({"since": "2026-11-20", "until": "2026-11-21"})
    query = params.query("usr_1")
    assert query.since == datetime(2026, 11, 20, tzinfo=UTC)
    assert query.until == datetime(2026, 11, 22, tzinfo=UTC)
    assert (params.first_day, params.last_day) == ("2026-11-20", "2026-11-21")
    exact = AuditParams.parse({"until": "2026-11-21T12:30:00+00:00"})
    assert exact.query(None).until == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert exact.last_day == "2026-11-21"


@pytest.mark.parametrize(
    "strange", ["yesterday", "9999-12-31", "2026-13-01", "0001-01-01", "x" * 50]
)
def test_what_is_no_day_is_left_out(strange: str) -> None:
    assert AuditParams.parse({"since": strange, "until": strange}) == AuditParams()


def test_filters_survive_being_saved() -> None:
    address = {
        "action": "job.failed", "actor": "me", "job": "job_1", "checkpoint": "chk_1",
        "since": "2026-11-20", "until": "2026-11-21",
    }  # fmt: skip
    params = AuditParams.parse(address)
    again = AuditParams.of(params.filters())
    assert again.filters() == params.filters()
    assert again.query("usr_1") == params.query("usr_1")
    assert again.query("usr_1").actor_id == "usr_1"
    assert (again.first_day, again.last_day) == ("2026-11-20", "2026-11-21")
    assert AuditParams.parse({}).filters() == {}


def test_a_row_leads_to_what_it_is_about_and_narrows_the_list() -> None:
    entry = JournalEntry(
        seq=7,
        at=NOW,
        action="checkpoint.rejected",
        actor_kind="user",
        actor_id="usr_1",
        actor_name="Rita\u202e",
        job_id="job_1",
        job_type="greet",
        checkpoint_id="chk_1",
        subject_id=None,
        before="PENDING",
        after="REJECTED",
        verdict=None,
        data={"reason": "no"},
    )
    row = audit_row(entry, AuditParams(job="job_1", cursor="abc"))
    assert row.action_href == "/audit?action=checkpoint.rejected&job=job_1"
    assert row.actor_href == "/audit?actor=usr_1&job=job_1"
    assert (row.job_href, row.checkpoint_href) == (
        "/jobs/job_1",
        "/admin/agent-checkpoints/chk_1",
    )
    assert (row.tone, row.change) == ("red", "PENDING → REJECTED")
    assert "\u202e" not in row.actor
    assert '"reason": "no"' in row.data


def test_the_journal_is_followed_filtered_and_searched(console: Console) -> None:
    cookie = console.sign_in("reviewer")
    first = console.job()
    console.job()

    async def look() -> None:
        async with Browser(cookie, f"/audit?job={first}") as browser:
            await browser.send(Audit.watch, wait=False)
            await browser.until(lambda: browser.wire.value(Audit, "rows"))
            assert [row.action for row in browser.wire.value(Audit, "rows")] == ["job.created"]
            console.services.jobs.control(console.actor("operator"), first, "cancel")
            await browser.until(lambda: len(browser.wire.value(Audit, "rows")) == 2)
            form = {"action": "job.canceled", "job": first, "since": "2026-11-20", "until": "?"}
            await browser.send(Audit.search(form))
            assert browser.wire.redirects() == [
                f"/audit?action=job.canceled&job={first}&since=2026-11-20"
            ]

    run(look())


def test_who_may_not_read_the_journal_sees_nothing_of_it(console: Console) -> None:
    console.job()
    cookie = console.sign_in("operator")

    async def look() -> None:
        async with Browser(cookie, "/audit") as browser:
            await browser.send(Audit.watch)
            assert "audit:read" in browser.wire.value(Audit, "problem")
            assert browser.wire.value(Audit, "problem_code") == "forbidden"
            assert browser.wire.value(Audit, "loaded") is True
            assert not browser.wire.value(Session, "notices")
            assert not browser.wire.value(Audit, "rows")
            assert browser.wire.value(Session, "may")["audit:read"] is False

    run(look())
