"""What a handler writes is seen while it writes, and by nobody afterwards."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from agent_console import AsyncJobContext, JobContext, handler
from agent_console.domain.errors import Unavailable
from agent_console.domain.jobs import JobStatus
from agent_console.runtime import preview
from agent_console.runtime.notebook import FLUSH_AFTER
from agent_console.runtime.preview import LIMIT, Buffered, Preview, tail
from agent_console.runtime.sweeps import forget_previews
from agent_console.store import previews
from agent_console.store.database import Database
from agent_console.testing import enqueue
from tests.runtime.desk import Desk
from tests.runtime.hosts import Changes, hosted
from tests.support.runs import claim_one


def seen(db: Database, job_id: str) -> str | None:
    with db.read() as reader:
        found = previews.of_job(reader, job_id)
    return None if found is None else found.text


def test_it_is_seen_during_a_step_and_gone_with_the_run(desk: Desk) -> None:
    during: list[str | None] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        def write() -> None:
            ctx.preview("The wave st")
            during.append(seen(desk.db, ctx.job.id))

        ctx.step("write", write)
        during.append(seen(desk.db, ctx.job.id))

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert during == ["The wave st", "The wave st"]
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert desk.rows("SELECT * FROM job_previews") == []
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["step"]


def test_an_empty_one_takes_it_away(desk: Desk) -> None:
    left: list[str | None] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.preview("something")
        ctx.preview("")
        left.append(seen(desk.db, ctx.job.id))

    desk.add(work)
    desk.enqueue()
    desk.run()
    assert left == [None]


def test_a_replay_shows_nothing_until_the_record_ends(desk: Desk) -> None:
    shown: list[str | None] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.preview("before")
        shown.append(seen(desk.db, ctx.job.id))
        ctx.approve("Go on?", action="go on")
        ctx.preview("after")
        shown.append(seen(desk.db, ctx.job.id))

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.rows("SELECT * FROM job_previews") == []
    desk.approve(job_id)
    desk.run()
    assert shown == ["before", None, "after"]


@pytest.mark.parametrize("ending", [ValueError("no"), SystemExit(3)])
def test_a_run_that_fails_leaves_nothing(desk: Desk, ending: BaseException) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.preview("half a")
        raise ending

    desk.add(work)
    desk.enqueue()
    desk.run()
    assert desk.rows("SELECT * FROM job_previews") == []


def test_async_handlers_have_it_too(desk: Desk) -> None:
    during: list[str | None] = []

    @handler("test")
    async def work(ctx: AsyncJobContext) -> None:
        ctx.preview("from the loop")
        during.append(seen(desk.db, ctx.job.id))

    desk.add(work)
    desk.enqueue()
    desk.run()
    assert during == ["from the loop"]


def test_a_thousand_words_are_few_writes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(preview, "monotonic", lambda: now[0])
    written: list[str] = []
    show = previews.show
    monkeypatch.setattr(
        previews, "show", lambda db, key, text: (written.append(text), show(db, key, text))
    )

    @handler("test")
    def work(ctx: JobContext) -> None:
        for number in range(1000):
            now[0] += 0.001
            ctx.preview(f"word {number}")

    desk.add(work)
    desk.enqueue()
    desk.run()
    assert len(written) == 1 + int(1 / FLUSH_AFTER) - 1
    assert FLUSH_AFTER >= 0.25


def test_the_last_word_is_written_when_the_worker_comes_round(clocked_db: Database) -> None:
    wanted: list[Buffered] = []
    job_id = enqueue(clocked_db)
    live = Preview(clocked_db, claim_one(clocked_db).key, wanted.append)
    for word in ("a", "ab", "abc"):
        live.show(word)
    assert (len(wanted), seen(clocked_db, job_id)) == (1, None)
    wanted[0].flush()
    assert seen(clocked_db, job_id) == "abc"
    live.show("abcd")
    assert len(wanted) == 2
    live.remove()
    wanted[1].flush()
    assert seen(clocked_db, job_id) is None


def test_an_outage_keeps_the_last_word(
    clocked_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Buffered] = []
    job_id = enqueue(clocked_db)
    live = Preview(clocked_db, claim_one(clocked_db).key, wanted.append)
    live.show("kept")

    def away(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as outage:
        outage.setattr(previews, "show", away)
        with pytest.raises(Unavailable):
            live.flush()
    live.flush()
    assert seen(clocked_db, job_id) == "kept"
    with monkeypatch.context() as outage:
        outage.setattr(previews, "remove", away)
        live.remove()
    assert forget_previews(clocked_db) == 0
    assert seen(clocked_db, job_id) == "kept"


def test_the_end_of_a_long_text_is_what_is_shown() -> None:
    assert tail("short\ntext") == "short\ntext"
    long = tail("word " * 5_000 + "漢字 the end")
    assert long.startswith("…word")
    assert long.endswith("漢字 the end")
    assert len(long.encode()) <= LIMIT
    assert len(tail("漢" * 5_000).encode()) <= LIMIT
    assert tail("a\x00b\ud800") == "a\\x00b\\ud800"
    assert "hunter2secret" not in tail("x " * 3_000 + "password=hunter2secret ")


def test_a_worker_shows_it_while_the_handler_still_writes(db: Database, tmp_path: Path) -> None:
    go_on = threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.preview("being written")
        go_on.wait(10)

    changes = Changes(db)
    with hosted(db, tmp_path, work):
        job_id = enqueue(db)
        assert changes.until(lambda: seen(db, job_id) == "being written")
        go_on.set()
        assert changes.until(lambda: _count(db) == 0)


def _count(db: Database) -> int:
    with db.read() as reader:
        return len(reader.rows("SELECT job_id FROM job_previews"))
