"""Verifying, exporting heads and reporting on retention, as services do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent_console.domain.access import SYSTEM, Role
from agent_console.domain.errors import Invalid, Misconfigured, NotFound, RateLimited
from agent_console.domain.jobs import JobStatus
from agent_console.domain.queries import AuditQuery
from agent_console.domain.retention import age_words, parse_age
from agent_console.domain.seals import head_document, parse_head
from agent_console.domain.verification import Verdict
from agent_console.services.audit import AuditService
from agent_console.services.seal_keys import seal_keys
from agent_console.services.verification import Verifier
from agent_console.settings import Settings, load_settings
from tests.services.conftest import Desk
from tests.support.finished import make
from tests.support.journals import seal, tamper

MakeDesk = Callable[..., Desk]


def test_what_was_verified_is_in_the_journal_with_who_and_what_came_of_it(desk: Desk) -> None:
    auditor = desk.actor(Role.REVIEWER)
    before = desk.services.audit.integrity(auditor)
    assert (before.sealed_seq, before.seals, before.last) == (0, 0, None)
    desk.job(desk.actor(Role.OPERATOR))
    seal(desk.db, seal_keys(Settings()))
    found = desk.services.audit.verify(auditor)
    assert (found.verdict, found.rows, found.unsealed) == (Verdict.INTACT, 3, 0)
    after = desk.services.audit.integrity(auditor)
    assert (after.sealed_seq, after.newest_seq, after.running_rows) == (3, 4, None)
    assert after.last is not None
    assert (after.last.by, after.last.verdict, after.last.rows) == ("reviewer", "intact", 3)
    tamper(desk.db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 2")
    assert desk.services.audit.verify(auditor).first_bad_seq == 2
    last = desk.services.audit.integrity(auditor).last
    assert last is not None
    assert (last.verdict, last.first_bad_seq, last.reason) == ("broken", 2, "row was changed")


def test_a_verification_in_the_background_tells_how_far_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    auditor = desk.actor(Role.REVIEWER)
    seal(desk.db, seal_keys(Settings()))
    go, seen = threading.Event(), threading.Event()
    verify = Verifier.verify

    def slow(self: Verifier, **more: object) -> object:
        more["progress"](1)  # type: ignore[operator]
        seen.set()
        assert go.wait(20)
        return verify(self, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Verifier, "verify", slow)
    done = threading.Event()
    desk.db.subscribe(lambda events: done.set() if events[0].action == "audit.verified" else None)
    assert desk.services.audit.start_verification(auditor).running_rows is not None
    assert seen.wait(20)
    assert desk.services.audit.integrity(auditor).running_rows == 1
    with pytest.raises(RateLimited):
        desk.services.audit.start_verification(auditor)
    go.set()
    assert done.wait(20)
    after = desk.services.audit.integrity(auditor)
    assert after.running_rows is None
    assert after.last is not None


def test_a_head_is_exported_read_back_and_compared(desk: Desk) -> None:
    auditor = desk.actor(Role.REVIEWER)
    with pytest.raises(NotFound):
        desk.services.audit.head(auditor)
    seal(desk.db, seal_keys(Settings()))
    head = desk.services.audit.head(auditor)
    import json

    for text in (json.dumps(head_document(head)), json.dumps({"head": head_document(head)})):
        assert parse_head(text) == head
    assert desk.services.audit.verify(auditor, head=head).verdict is Verdict.INTACT
    tamper(desk.db, "DELETE FROM audit_logs WHERE seq > 0", "DELETE FROM audit_seals")
    found = desk.services.audit.verify(auditor, head=head)
    assert (found.verdict, found.first_bad_seq) == (Verdict.BROKEN, 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1}', "null", "[" * 100_000])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no exported head"):
        parse_head(text)


def test_a_rotated_key_signs_from_then_on(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    keys = seal_keys(load_settings())
    audit = AuditService(desk.db, keys)
    seal(desk.db, keys)
    first = audit.head(admin)
    made = audit.rotate_key(admin)
    seal(desk.db, keys)
    assert first.key_id.startswith("1-")
    assert audit.head(admin).key_id == made
    assert made.startswith("2-")
    assert audit.verify(admin, head=first).verdict is Verdict.INTACT
    page = desk.services.audit.page(admin, AuditQuery(action="audit.key_rotated"))
    assert [entry.data["before"] for entry in page.items] == [first.key_id]


def test_where_secrets_are_variables_the_key_is_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = seal_keys(Settings(keystore="environment"))
    with pytest.raises(Misconfigured, match="variables of the environment"):
        AuditService(desk.db, keys).rotate_key(desk.actor(Role.ADMIN))
    monkeypatch.setenv("AUDIT_SEAL_1", "a long random text")
    assert seal(desk.db, keys) > 0
    assert Verifier(desk.db, keys).verify().verdict is Verdict.INTACT


def test_a_report_says_what_is_kept_and_what_would_go_and_deletes_nothing(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(
        retention_completed="30d",
        retention_keep_failed=1,
        retention_failed="off",
        retention_canceled="0",
        retention_journal="2d",
    )
    completed, failed, canceled = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED
    jobs = [(completed, 40, 0), (completed, 3, 0), (failed, 9, 0), (failed, 8, 0)]
    make(desk.db, desk.clock, [*jobs, (canceled, 900, 0)])
    auditor = desk.actor(Role.REVIEWER)
    desk.clock.advance(3 * 86_400)
    seal(desk.db, seal_keys(Settings()))
    report = desk.services.retention.report(auditor)
    assert report.due.jobs == {completed: 1, failed: 1, canceled: 0}
    assert (report.due.journal_rows, report.due.more, report.last) == (6, False, None)
    assert report.policy.jobs[failed].seconds is None
    assert desk.services.retention.report(auditor) == report

    assert desk.services.retention.run(desk.actor(Role.ADMIN)) == (2, 6)
    after = desk.services.retention.report(auditor)
    assert after.due.jobs == {completed: 0, failed: 0, canceled: 0}
    assert after.last is not None
    assert (after.last.by, after.last.jobs) == ("admin", {"COMPLETED": 1, "FAILED": 1})


def test_a_run_goes_on_until_nothing_is_due(make_desk: MakeDesk) -> None:
    desk = make_desk(retention_journal="1d", data_dir=load_settings().data_dir)
    make(desk.db, desk.clock, [(JobStatus.CANCELED, 200, 2) for _ in range(150)])
    seal(desk.db, seal_keys(load_settings()))
    desk.clock.advance(2 * 86_400)
    seen: list[object] = []
    assert desk.services.retention.run(SYSTEM, seen.append) == (150, 150)
    assert len(seen) >= 3
    assert desk.services.audit.verify(SYSTEM).verdict is Verdict.INTACT


def test_a_job_whose_journal_was_pruned_is_shown_without_one(make_desk: MakeDesk) -> None:
    desk = make_desk(retention_journal="1d", retention_canceled="off")
    operator = desk.actor(Role.OPERATOR)
    job_id = desk.job(operator)
    desk.services.jobs.control(operator, job_id, "cancel")
    seal(desk.db, seal_keys(load_settings()))
    desk.clock.advance(2 * 86_400)
    assert desk.services.retention.run(SYSTEM)[1] == 3
    detail = desk.services.jobs.get(operator, job_id)
    assert (detail.job.status, detail.timeline) == (JobStatus.CANCELED, [])


def test_a_deleted_job_is_not_found_and_cannot_be_replayed(make_desk: MakeDesk) -> None:
    desk = make_desk(retention_canceled="1d")
    operator = desk.actor(Role.OPERATOR)
    job_id = desk.job(operator)
    desk.services.jobs.control(operator, job_id, "cancel")
    desk.clock.advance(2 * 86_400)
    assert desk.services.retention.run(SYSTEM)[0] == 1
    with pytest.raises(NotFound):
        desk.services.jobs.get(operator, job_id)
    told = desk.services.audit.page(SYSTEM, AuditQuery(job_id=job_id)).items
    assert [entry.action for entry in told] == ["job.canceled", "job.created"]


AGES = {"30d": 2_592_000, "12h": 43_200, "90m": 5_400, "4w": 2_419_200, "60s": 60, " 1D ": 86_400}


def test_ages_are_written_as_people_write_them() -> None:
    assert {text: parse_age(text) for text in AGES} == AGES
    assert [parse_age(text) for text in ("off", "0", "OFF")] == [None] * 3
    assert [age_words(n) for n in (None, 86_400, 7_200, 5_400, 61)] == [
        "for ever", "1 day", "2 hours", "90 minutes", "61 seconds",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["30", "d", "-1d", "1.5d", "30 d", "59s", "1y", "999999999d", "٣d"]
)
def test_what_is_no_age_stops_the_start_with_the_name_of_the_variable(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_RETENTION_FAILED", text)
    with pytest.raises(Misconfigured, match="AGENT_CONSOLE_RETENTION_FAILED="):
        load_settings()
