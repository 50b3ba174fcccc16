from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Role
from agent_console.domain.checkpoints import CheckpointType, CheckpointVerb, Verdict
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.jobs import NewJob
from agent_console.domain.queries import AuditQuery, CheckpointQuery, JobQuery
from agent_console.domain.records import Page
from agent_console.store.reads import paging
from agent_console.store.runs import append_logs, record_note, record_step, save_artifact, suspend
from tests.services.conftest import Desk
from tests.support.factories import enqueue_many
from tests.support.runs import artifact, checkpoint, claim_one, line, step


def walk(read: Callable[[str | None], Page[Any]]) -> list[Page[Any]]:
    """Follow the cursors to the end."""
    pages = [read(None)]
    while pages[-1].next_cursor is not None:
        pages.append(read(pages[-1].next_cursor))
    return pages


def test_jobs_come_newest_first_and_stay_put_while_others_arrive(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    ids = enqueue_many(desk.db, 7)

    def read(cursor: str | None) -> Page[Any]:
        page = desk.services.jobs.page(actor, JobQuery(limit=3, cursor=cursor))
        desk.job(actor)  # arrives between two pages
        return page

    pages = walk(read)
    assert [job.id for page in pages for job in page.items] == sorted(ids, reverse=True)
    assert [len(page.items) for page in pages] == [3, 3, 1]
    assert [page.total for page in pages] == [7, 8, 9]


def test_jobs_are_filtered_and_counted(desk: Desk) -> None:
    ann, bob = desk.actor(Role.OPERATOR, "ann"), desk.actor(Role.OPERATOR, "bob")
    mine = desk.job(ann)
    gone = desk.job(bob)
    desk.services.jobs.control(bob, gone, "cancel")

    def found(**query: Any) -> tuple[list[str], int | None]:
        page = desk.services.jobs.page(ann, JobQuery(**query))
        return [job.id for job in page.items], page.total

    assert found(status="PENDING") == ([mine], 1)
    assert found(status="CANCELED") == ([gone], 1)
    assert found(status="COMPLETED") == ([], 0)
    assert found(user_id=bob.id) == ([gone], 1)
    assert found(job_type="noop", status="PENDING") == ([mine], 1)
    assert found(job_type="other") == ([], 0)
    assert found(limit=1, offset=1) == ([mine], 2)


def test_search_looks_in_description_and_id_without_wildcards(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    wanted = desk.job(actor, task_description="Migrate 100% of the Tables")
    other = desk.job(actor, task_description="something else")

    def found(text: str) -> list[str]:
        page = desk.services.jobs.page(actor, JobQuery(search=text))
        assert page.total == len(page.items)
        return [job.id for job in page.items]

    assert found("the tables") == [wanted]
    assert found("100%") == [wanted]
    assert found("%") == [wanted]
    assert found("job_") == [other, wanted]
    assert found(other) == [other]


def test_a_count_above_the_cap_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNT_CAP", 4)
    actor = desk.actor(Role.OPERATOR)
    enqueue_many(desk.db, 5)
    page = desk.services.jobs.page(actor, JobQuery(job_type="noop"))
    assert (page.total, page.total_capped) == (4, True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (JobQuery(limit=0), "limit"),
        (JobQuery(limit=201), "limit"),
        (JobQuery(offset=-1), "offset"),
        (JobQuery(offset=10_001), "offset"),
        (JobQuery(offset=1, cursor="WyJqb2JfeCJd"), "offset"),
        (JobQuery(cursor="nonsense!"), "cursor"),
        (JobQuery(cursor="WzFd"), "cursor"),
        (JobQuery(cursor="W" * 9999), "cursor"),
        (JobQuery(status="DONE"), "status"),
        (JobQuery(search="x" * 201), "search"),
        (JobQuery(job_type="\x00"), "jobType"),
        (JobQuery(user_id="\ud800"), "userId"),
    ],
)
def test_a_query_out_of_bounds_names_its_field(desk: Desk, query: JobQuery, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.services.jobs.page(desk.actor(Role.VIEWER), query)
    assert refused.value.fields[0].field == field


def test_pending_checkpoints_come_by_deadline_and_decided_ones_newest_first(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    asked = {}
    for hours in (3, 1, 2):
        _, asked[hours] = desk.waiting(asker, expires_in=timedelta(hours=hours))
        desk.clock.advance(1)
    review = desk.services.review

    def pending(cursor: str | None) -> Page[Any]:
        return review.page(ray, CheckpointQuery(limit=2, cursor=cursor))

    pages = walk(pending)
    assert [c.id for page in pages for c in page.items] == [asked[1], asked[2], asked[3]]
    assert pages[0].total == review.pending_count(ray) == 3
    assert pages[0].items[0].action == "write"
    for checkpoint_id in asked.values():
        review.decide(ray, checkpoint_id, Verdict(verb=CheckpointVerb.APPROVE))

    def approved(cursor: str | None) -> Page[Any]:
        return review.page(ray, CheckpointQuery(status="APPROVED", limit=2, cursor=cursor))

    found = [c.id for page in walk(approved) for c in page.items]
    assert found == [asked[2], asked[1], asked[3]]
    assert review.page(ray, CheckpointQuery()).items == []


def test_checkpoints_are_filtered(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    note = record_note(desk.db, key, checkpoint(0, kind=CheckpointType.INFO))
    asked = suspend(desk.db, key, checkpoint(1), [])

    def found(**query: Any) -> list[str]:
        page = desk.services.review.page(actor, CheckpointQuery(**query))
        assert page.total == len(page.items)
        return [c.id for c in page.items]

    assert found() == [asked]
    assert set(found(status=None)) == {note, asked}
    assert found(status=None, checkpoint_type="INFO") == [note]
    assert found(job_id=job_id) == [asked]
    assert found(job_type="other") == []
    with pytest.raises(Invalid, match="status"):
        found(status="OPEN")
    with pytest.raises(Invalid, match="checkpointType"):
        found(checkpoint_type="WARNING")


def test_checkpoints_are_found_by_id_and_by_words_of_their_message(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    asked = []
    for hours, message in enumerate(("Pay invoice 70% to ACME", "pay INVOICE 17", "Delete it"), 1):
        desk.job(actor)
        asks = replace(checkpoint(expires_in=timedelta(hours=hours)), message=message)
        asked.append(suspend(desk.db, claim_one(desk.db).key, asks, []))
        desk.clock.advance(1)
    first, second, third = asked

    def found(search: str, **query: Any) -> list[str]:
        page = desk.services.review.page(actor, CheckpointQuery(search=search, **query))
        assert page.total == len(page.items)
        return [c.id for c in page.items]

    assert found("invoice") == [second, first]  # newest first, though it has more time
    assert found("70%") == [first]
    assert found("chk_") == [third, second, first]
    assert found(third) == found(third, job_type="noop") == [third]
    assert found(third, status="APPROVED") == found(third, job_type="other") == []
    assert found("invoice", status=None, job_type="noop") == [second, first]
    assert found("invoice", job_type="other") == found("nothing of the kind") == []

    def page(cursor: str | None) -> Page[Any]:
        asked = CheckpointQuery(search="invoice", limit=1, cursor=cursor, counted=False)
        return desk.services.review.page(actor, asked)

    pages = walk(page)
    assert [c.id for one in pages for c in one.items] == [second, first]
    assert {one.total for one in pages} == {None}
    with pytest.raises(Invalid, match="search"):
        found("x" * 201)


def test_the_job_page_has_everything_of_one_moment(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    record_step(desk.db, key, step(0, {"rows": 3}))
    save_artifact(desk.db, key, artifact(1, "short"))
    save_artifact(desk.db, key, artifact(2, "x" * 65_537))
    append_logs(desk.db, [line(key, f"line {n}") for n in range(250)])
    asked = suspend(desk.db, key, checkpoint(3, {"n": 2**70}), [])
    shown = desk.services.jobs.get(actor, job_id)
    assert [c.id for c in shown.checkpoints] == [asked]
    assert shown.checkpoints[0].data == {"n": 2**70}
    assert [s.kind for s in shown.steps] == ["step", "artifact", "artifact", "approve"]
    assert [entry.message for entry in shown.logs] == [f"line {n}" for n in range(50, 250)]
    assert [(a.size, a.content) for a in shown.artifacts] == [(5, "short"), (65_537, "")]
    actions = [entry.action for entry in shown.timeline]
    assert actions[:2] == ["job.created", "job.started"]
    assert set(actions[-2:]) == {"job.waiting", "checkpoint.created"}
    card = desk.services.review.get(actor, asked)
    assert card.job.id == job_id
    assert len(card.logs) == 100
    assert [a.name for a in card.artifacts] == ["a.txt", "a.txt"]
    with pytest.raises(NotFound):
        desk.services.jobs.get(actor, "job_x")


def test_log_lines_are_read_on_from_the_last_one(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    append_logs(desk.db, [line(key, f"line {n}") for n in range(5)])
    first = desk.services.jobs.logs(actor, job_id, limit=3)
    rest = desk.services.jobs.logs(actor, job_id, after=first[-1].id)
    assert [entry.message for entry in [*first, *rest]] == [f"line {n}" for n in range(5)]
    assert desk.services.jobs.logs(actor, job_id, level="ERROR") == []
    for bad in ({"limit": 0}, {"limit": 201}, {"after": -1}, {"after": 2**63}, {"level": "LOUD"}):
        with pytest.raises(Invalid):
            desk.services.jobs.logs(actor, job_id, **bad)


def test_artifacts_are_listed_without_and_read_with_their_content(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    ids = []
    for n in range(3):
        desk.clock.advance(1)
        ids.append(save_artifact(desk.db, key, artifact(n, f"content {n}")))
    artifacts = desk.services.artifacts

    def read(cursor: str | None) -> Page[Any]:
        return artifacts.page(actor, job_id=job_id, artifact_type="file", limit=2, cursor=cursor)

    pages = walk(read)
    assert [a.id for page in pages for a in page.items] == ids[::-1]
    assert pages[0].items[0].content == ""
    assert artifacts.page(actor, limit=1).total == 3
    assert artifacts.get(actor, ids[0]).content == "content 0"
    assert artifacts.page(actor, job_id="job_x").items == []
    with pytest.raises(Invalid, match="artifactType"):
        artifacts.page(actor, artifact_type="song")
    with pytest.raises(NotFound):
        artifacts.get(actor, "art_x")


def test_the_journal_is_read_newest_first_with_filters(desk: Desk) -> None:
    auditor, operator = desk.actor(Role.ADMIN), desk.actor(Role.OPERATOR)
    start = desk.clock.now()
    ids = []
    for _ in range(3):
        desk.clock.advance(60)
        ids.append(desk.job(operator))
    audit = desk.services.audit

    def read(cursor: str | None) -> Page[Any]:
        return audit.page(auditor, AuditQuery(action="job.created", limit=2, cursor=cursor))

    assert [e.job_id for page in walk(read) for e in page.items] == ids[::-1]
    first = AuditQuery(since=start + timedelta(seconds=60), until=start + timedelta(seconds=61))
    assert [e.job_id for e in audit.page(auditor, first).items] == [ids[0]]
    mine = audit.page(auditor, AuditQuery(actor_id=operator.id))
    assert {e.actor_name for e in mine.items} == {"operator"}
    assert audit.page(auditor, AuditQuery(job_id=ids[1])).items[0].after == "PENDING"
    _, asked = desk.waiting(operator)
    about = audit.page(auditor, AuditQuery(checkpoint_id=asked))
    assert [e.action for e in about.items] == ["checkpoint.created"]
    with pytest.raises(Invalid, match="time zone"):
        audit.page(auditor, AuditQuery(since=start.replace(tzinfo=None)))


def test_jobs_are_called_by_their_description_or_else_by_their_type(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    (plain,) = enqueue_many(desk.db, 1)
    told = desk.services.jobs.enqueue(
        actor, NewJob(job_type="noop", input_data={}, task_description="Count the boats")
    ).job.id
    names = desk.services.jobs.names(actor, [plain, told, "job_none"])
    assert names == {plain: "noop", told: "Count the boats"}
    assert desk.services.jobs.names(actor, []) == {}
