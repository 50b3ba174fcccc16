from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.context import MAX_CONTENT, ContextDocument, NewContextDocument
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from agent_console.domain.jobs import NewJob
from agent_console.domain.payload import digest
from agent_console.domain.queries import AuditQuery, ContextQuery
from tests.services.conftest import Desk

PLAN = NewContextDocument(title="Plan", content="# Plan\n\nZwei Häuser 🏠", project_id="p1")


@pytest.fixture
def writer(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR)


def keep(desk: Desk, actor: Actor, **changes: Any) -> ContextDocument:
    return desk.services.context.create(actor, replace(PLAN, **changes)).document


def test_a_document_is_kept_to_the_letter(desk: Desk, writer: Actor) -> None:
    made = keep(desk, writer, content=" \r\n# Plan\tü🏠\n")
    assert made.id.startswith("doc_")
    assert (made.title, made.project_id, made.media_type) == ("Plan", "p1", "text/markdown")
    assert (made.version, made.created_by, made.created_by_name) == (1, writer.id, "operator")
    assert made.created_at == made.updated_at == desk.clock.now()
    found = desk.services.context.get(writer, made.id)
    assert found.document == made
    assert found.shown.content == " \r\n# Plan\tü🏠\n"
    assert found.shown.digest == made.digest == digest(found.shown.content)
    assert made.size == len(found.shown.content.encode())


def test_versions_before_the_latest_stay_readable(desk: Desk, writer: Actor) -> None:
    context = desk.services.context
    first = keep(desk, writer)
    desk.clock.advance(5)
    second = context.add_version(desk.actor(Role.REVIEWER), first.id, "two").document
    third = context.add_version(writer, first.id, "three", title="Plan B").document
    assert [second.version, third.version] == [2, 3]
    assert (second.title, third.title) == ("Plan", "Plan B")
    assert third.created_at == first.created_at < third.updated_at
    latest = context.get(writer, first.id)
    assert latest.shown.content == "three"
    assert [one.version for one in latest.versions] == [3, 2, 1]
    assert {one.content for one in latest.versions} == {""}
    old = context.get(writer, first.id, version=1)
    assert old.shown.content == PLAN.content
    assert old.document.version == 3
    assert [one.created_by for one in latest.versions] != [writer.id] * 3


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**70])
def test_a_version_that_never_was_is_not_found(desk: Desk, writer: Actor, version: int) -> None:
    made = keep(desk, writer)
    with pytest.raises(NotFound, match=f"no version {version}"):
        desk.services.context.get(writer, made.id, version=version)


def test_what_is_not_there_is_not_found(desk: Desk, writer: Actor) -> None:
    with pytest.raises(NotFound, match="doc_x"):
        desk.services.context.get(writer, "doc_x")
    with pytest.raises(NotFound, match="doc_x"):
        desk.services.context.add_version(writer, "doc_x", "text")


def test_a_change_from_an_old_version_is_refused_by_name(desk: Desk, writer: Actor) -> None:
    context = desk.services.context
    made = keep(desk, writer)
    context.add_version(writer, made.id, "two", base_version=1)
    with pytest.raises(Conflict, match="at version 2") as refused:
        context.add_version(writer, made.id, "also two", base_version=1)
    assert refused.value.context["currentVersion"] == 2
    assert context.get(writer, made.id).shown.content == "two"


def test_of_many_that_change_the_same_version_one_wins(desk: Desk, writer: Actor) -> None:
    made = keep(desk, writer)
    gate = threading.Barrier(6)

    def change(number: int) -> int:
        gate.wait()
        try:
            saved = desk.services.context.add_version(
                writer, made.id, f"by {number}", base_version=1
            )
        except Conflict:
            return 0
        return saved.document.version

    with ThreadPoolExecutor(6) as pool:
        results = sorted(pool.map(change, range(6)))
    assert results == [0, 0, 0, 0, 0, 2]


def test_versions_added_at_once_are_numbered_without_gaps(desk: Desk, writer: Actor) -> None:
    made = keep(desk, writer)
    with ThreadPoolExecutor(6) as pool:
        saved = list(
            pool.map(
                lambda n: desk.services.context.add_version(writer, made.id, f"by {n}"), range(12)
            )
        )
    assert sorted(one.document.version for one in saved) == list(range(2, 14))


def test_a_repeated_request_keeps_one_document(desk: Desk, writer: Actor) -> None:
    context = desk.services.context
    first = context.create(writer, PLAN, idempotency_key="k1")
    again = context.create(writer, PLAN, idempotency_key="k1")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.document == again.document
    with pytest.raises(Conflict, match="different request"):
        context.create(writer, replace(PLAN, title="Other"), idempotency_key="k1")
    two = context.add_version(writer, first.document.id, "two", idempotency_key="k1")
    assert not two.replayed
    assert context.add_version(writer, first.document.id, "two", idempotency_key="k1").replayed
    assert context.get(writer, first.document.id).document.version == 2
    assert context.page(writer, ContextQuery()).total == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " \n"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "nul \x00"}, "title"),
        ({"content": ""}, "content"),
        ({"content": " \t\n"}, "content"),
        ({"content": "half \ud800"}, "content"),
        ({"content": "nul \x00"}, "content"),
        ({"media_type": "text/html"}, "mediaType"),
        ({"project_id": "x" * 201}, "projectId"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    desk: Desk, writer: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        keep(desk, writer, **changes)
    assert refused.value.fields[0].field == field
    assert desk.services.context.page(writer, ContextQuery()).total == 0


def test_a_text_has_a_greatest_size(desk: Desk, writer: Actor) -> None:
    most = keep(desk, writer, content="x" * (MAX_CONTENT - 2))
    assert most.size == MAX_CONTENT - 2
    with pytest.raises(TooLarge):
        desk.services.context.add_version(writer, most.id, "ü" * MAX_CONTENT)


def test_documents_come_newest_first_by_project_and_title(desk: Desk, writer: Actor) -> None:
    plan = keep(desk, writer)
    risks = keep(desk, writer, title="Risks of 100% rollout", project_id=None)
    other = keep(desk, writer, title="The plan of others", project_id="p2")

    def found(**query: Any) -> list[str]:
        page = desk.services.context.page(writer, ContextQuery(**query))
        assert page.total == len(page.items)
        return [one.id for one in page.items]

    assert found() == [other.id, risks.id, plan.id]
    assert found(project_id="p1") == [plan.id]
    assert found(search="PLAN") == [other.id, plan.id]
    assert found(search="plan", project_id="p1") == [plan.id]
    assert found(search="100%") == [risks.id]
    assert found(search="_") == []


def test_pages_stay_put_while_documents_arrive(desk: Desk, writer: Actor) -> None:
    ids = [keep(desk, writer).id for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = desk.services.context.page(writer, ContextQuery(limit=2, cursor=cursor))
        seen += [one.id for one in page.items]
        keep(desk, writer)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(ids, reverse=True)
    with pytest.raises(Invalid, match="cursor"):
        desk.services.context.page(writer, ContextQuery(cursor="nonsense!"))


def test_every_version_is_journaled_without_its_text(desk: Desk, writer: Actor) -> None:
    made = keep(desk, writer)
    desk.services.context.add_version(writer, made.id, "two")
    entries = desk.services.audit.page(desk.actor(Role.ADMIN), AuditQuery()).items
    told = [e for e in entries if e.subject_id == made.id]
    assert [e.action for e in told] == ["context.versioned", "context.created"]
    assert {e.actor_id for e in told} == {writer.id}
    assert [e.data["version"] for e in told] == [2, 1]
    assert told[1].data == {"title": "Plan", "version": 1, "digest": made.digest}


def test_a_job_cannot_work_from_what_its_requester_may_not_read(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = keep(desk, admin)
    token = desk.services.access.create_token(
        admin, "admin@example.com", name="narrow", scopes=["jobs:create"]
    ).token
    narrow = desk.services.access.actor_for_token(token)
    assert narrow is not None
    job = NewJob(job_type="noop", context_document_id=made.id)
    with pytest.raises(Forbidden) as refused:
        desk.services.jobs.enqueue(narrow, job)
    assert refused.value.context["requiredPermission"] == "context:read"
    assert desk.services.jobs.enqueue(admin, job).job.context_document_id == made.id
    with pytest.raises(Invalid) as missing:
        desk.services.jobs.enqueue(admin, replace(job, context_document_id="doc_x"))
    assert missing.value.fields[0].field == "contextDocumentId"
    hidden = {"contextDocumentIds": [made.id, "doc_y"]}
    with pytest.raises(Invalid, match="doc_y"):
        desk.services.jobs.enqueue(admin, replace(job, metadata=hidden))


def listed(desk: Desk, actor: Actor, **query: Any) -> list[str]:
    return [one.id for one in desk.services.context.page(actor, ContextQuery(**query)).items]


def test_an_archived_document_is_offered_to_no_new_job_and_read_by_the_old(
    desk: Desk, writer: Actor
) -> None:
    context = desk.services.context
    kept, away = keep(desk, writer), keep(desk, writer)
    job = NewJob(job_type="noop", context_document_id=away.id)
    first = desk.services.jobs.enqueue(writer, job, idempotency_key="once").job
    desk.clock.advance(5)
    archived = context.archive(writer, away.id)
    assert archived.archived_at == desk.clock.now()
    assert archived.first_job_id == first.id
    assert context.archive(writer, away.id) == archived
    assert listed(desk, writer) == [kept.id]
    assert listed(desk, writer, archived=True) == [away.id]
    assert listed(desk, writer, archived=None) == [away.id, kept.id]
    assert listed(desk, writer, search=away.id) == []
    assert context.get(writer, away.id).shown.content == PLAN.content
    with pytest.raises(Invalid, match="is archived"):
        desk.services.jobs.enqueue(writer, job)
    assert desk.services.jobs.enqueue(writer, job, idempotency_key="once").replayed
    with pytest.raises(Conflict, match="restore it") as refused:
        context.add_version(writer, away.id, "two")
    assert refused.value.context["currentStatus"] == "archived"
    restored = context.archive(writer, away.id, archived=False)
    assert restored.archived_at is None
    assert desk.services.jobs.enqueue(writer, job).job.context_document_id == away.id
    assert context.some(writer, [away.id])[0].first_job_id == first.id
    told = desk.services.audit.page(desk.actor(Role.ADMIN), AuditQuery()).items
    assert [e.action for e in told if e.subject_id == away.id] == [
        "context.restored",
        "context.archived",
        "context.created",
    ]


def test_only_what_no_job_was_given_is_deleted(desk: Desk, writer: Actor) -> None:
    context = desk.services.context
    unused, used, also_used = (keep(desk, writer) for _ in range(3))
    context.add_version(writer, unused.id, "two")
    more = {"contextDocumentIds": [used.id, also_used.id]}
    job = NewJob(job_type="noop", context_document_id=used.id, metadata=more)
    job_id = desk.services.jobs.enqueue(writer, job).job.id
    context.delete(writer, unused.id)
    with pytest.raises(NotFound):
        context.get(writer, unused.id)
    with pytest.raises(NotFound):
        context.delete(writer, unused.id)
    for one in (used, also_used):
        with pytest.raises(Conflict, match="Archive it instead") as refused:
            context.delete(writer, one.id)
        assert refused.value.context["jobId"] == job_id
    with desk.db.read() as reader:
        kept = reader.rows("SELECT DISTINCT document_id FROM context_document_versions")
    assert {row[0] for row in kept} == {used.id, also_used.id}
    told = desk.services.audit.page(desk.actor(Role.ADMIN), AuditQuery()).items
    assert next(e.action for e in told if e.subject_id == unused.id) == "context.deleted"


def test_a_job_and_a_deletion_at_once_agree(desk: Desk, writer: Actor) -> None:
    """Whoever is first wins: no job is left with a document that has gone."""
    for _ in range(8):
        made = keep(desk, writer)
        gate = threading.Barrier(2)

        def enqueue(document: str = made.id, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            try:
                job = NewJob(job_type="noop", context_document_id=document)
                desk.services.jobs.enqueue(writer, job)
            except Invalid:
                return False
            return True

        def delete(document: str = made.id, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            try:
                desk.services.context.delete(writer, document)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            took, gone = pool.submit(enqueue), pool.submit(delete)
            assert took.result() is not gone.result()


def test_some_documents_come_in_the_order_asked_for(desk: Desk, writer: Actor) -> None:
    one, two = keep(desk, writer), keep(desk, writer)
    found = desk.services.context.some(writer, [two.id, "doc_x", one.id, two.id])
    assert found == [two, one]
    with pytest.raises(Invalid, match="at most 50"):
        desk.services.context.some(writer, ["doc_x"] * 51)
