"""The context of a job: pinned once, the same in every run, refused when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console import AsyncJobContext, ContextText, JobContext, handler
from agent_console.domain.access import SYSTEM
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.jobs import JobStatus
from agent_console.domain.payload import digest
from agent_console.runtime.library import PASSAGE, ContextLibrary
from agent_console.store import context_writes
from agent_console.store.database import Database
from tests.runtime.desk import Desk

ROLLOUT = "# Rollout\n\nThe rollout begins in March.\n"


def document(db: Database, document_id: str, content: str = ROLLOUT, title: str = "Plan") -> str:
    new = NewContextDocument(title=title, content=content)
    db.write(lambda tx: context_writes.create(tx, document_id, new, SYSTEM, None))
    return document_id


def new_version(db: Database, document_id: str, content: str) -> None:
    db.write(
        lambda tx: context_writes.add_version(
            tx, document_id, content, title=None, base_version=None, actor=SYSTEM, key=None
        )
    )


@handler("test")
def read(ctx: JobContext) -> list[dict[str, Any]]:
    library = ctx.context
    ctx.approve("Go on?")
    return [
        {"id": one.id, "version": one.version, "title": one.title, "content": one.content}
        for one in library.documents
    ]


def test_a_job_works_with_the_version_it_began_with(desk: Desk) -> None:
    document(desk.db, "doc_1")
    desk.add(read)
    job_id = desk.enqueue(context_document_id="doc_1")
    desk.run()
    new_version(desk.db, "doc_1", "# Rollout\n\nThere is none.\n")
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == [
        {"id": "doc_1", "version": 1, "title": "Plan", "content": ROLLOUT}
    ]
    assert desk.steps(job_id)[0] == (0, "step", "context")


def test_the_envelope_is_recorded_with_digests_and_without_texts(desk: Desk) -> None:
    document(desk.db, "doc_1")
    desk.add(read)
    job_id = desk.enqueue(context_document_id="doc_1")
    desk.run()
    (row,) = desk.rows(
        "SELECT result FROM job_steps WHERE job_id = :id AND position = 0", id=job_id
    )
    assert digest(ROLLOUT) in row["result"]
    assert "March" not in row["result"]


def test_several_documents_come_in_the_order_of_the_job(desk: Desk) -> None:
    for name in ("doc_1", "doc_2", "doc_3"):
        document(desk.db, name)
    desk.add(read)
    listed = ["doc_2", "doc_3", "doc_1", "doc_3"]
    job_id = desk.enqueue(context_document_id="doc_2", metadata={"contextDocumentIds": listed})
    desk.run()
    desk.approve(job_id)
    desk.run()
    output = desk.job(job_id).output_data
    assert isinstance(output, list)
    assert [one["id"] for one in output if isinstance(one, dict)] == ["doc_2", "doc_3", "doc_1"]


def test_a_job_without_documents_has_an_empty_library(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> list[object]:
        return [len(ctx.context.documents), len(ctx.context.search("anything"))]

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).output_data == [0, 0]


def test_a_document_that_does_not_exist_fails_the_job(desk: Desk) -> None:
    desk.add(read)
    job_id = desk.enqueue(context_document_id="doc_gone")
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert "there is no context document doc_gone" in job.error.message


def test_a_text_that_was_changed_in_place_parks_the_job(desk: Desk) -> None:
    document(desk.db, "doc_1")
    desk.add(read)
    job_id = desk.enqueue(context_document_id="doc_1")
    desk.run()
    desk.approve(job_id)
    desk.db.write(lambda tx: tx.execute("UPDATE context_document_versions SET content = 'forged'"))
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.PARKED
    assert "is not the one this job began with" in (job.park_reason or "")


def test_async_handlers_await_their_context_and_usage(desk: Desk) -> None:
    @handler("test")
    async def work(ctx: AsyncJobContext) -> list[object]:
        library = await ctx.context
        await ctx.usage("model", 10, 5, 0.01)
        again = await ctx.context
        return [library.search("when does the rollout begin")[0].text, again is library]

    document(desk.db, "doc_1")
    desk.add(work)
    job_id = desk.enqueue(context_document_id="doc_1")
    desk.run()
    assert desk.job(job_id).output_data == [ROLLOUT.strip(), True]
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["step", "usage"]


def library(*texts: str) -> ContextLibrary:
    documents = [
        ContextText(
            id=f"doc_{n}",
            version=1,
            title=f"Document {n}",
            media_type="text/markdown",
            digest=digest(text),
            content=text,
        )
        for n, text in enumerate(texts)
    ]
    return ContextLibrary(documents, "digest")


LONG = "\n\n".join(f"Paragraph {n} " + "about tablets and shops. " * 10 for n in range(20))


def test_passages_cover_the_documents_and_say_where_they_stand() -> None:
    passages = library(LONG, "Short.").passages()
    assert len(passages) > 2
    for passage in passages:
        source = LONG if passage.document_id == "doc_0" else "Short."
        assert source[passage.start : passage.end] == passage.text
    assert all(len(p.text) >= PASSAGE for p in passages[:-2])
    assert sum(p.text.count("Paragraph") for p in passages) == 20


def test_a_heading_stays_with_its_text() -> None:
    (passage,) = library("# Title\n\nText.\n").passages()
    assert passage.text == "# Title\n\nText."


def test_a_search_finds_what_fits_best_first_and_leaves_out_the_rest() -> None:
    shelf = library(
        "The warehouse in Lyon ships tablets.",
        "Training takes two days. Training happens in each shop.",
        "Costs rise.",
    )
    found = shelf.search("How long does the training take?")
    assert [passage.document_id for passage in found] == ["doc_1"]
    assert found[0].score > 0
    assert shelf.search("tablets training", limit=1)[0].document_id in {"doc_0", "doc_1"}
    assert shelf.search("zebra") == []
    assert shelf.search("") == []
    assert shelf.search("training") == shelf.search("training")


def test_a_search_needs_a_sensible_limit() -> None:
    with pytest.raises(Invalid):
        library("text").search("text", limit=0)


def test_only_documents_of_the_job_are_given() -> None:
    shelf = library("one", "two")
    assert shelf.get("doc_1").content == "two"
    with pytest.raises(NotFound):
        shelf.get("doc_2")


def test_an_empty_document_is_no_obstacle() -> None:
    shelf = library("", "   \n\n", "the and of")
    assert [passage.document_id for passage in shelf.passages()] == ["doc_2"]
    assert library("").search("words") == []
