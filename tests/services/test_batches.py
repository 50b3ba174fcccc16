"""Batches: all jobs or none, and every refused field by the number of its job."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, Permission, Role
from agent_console.domain.errors import Conflict, Forbidden, Invalid, TooLarge
from agent_console.domain.jobs import NewJob
from agent_console.domain.uniqueness import OnConflict, Unique
from agent_console.services.batches import MAX_BATCH, Batch
from agent_console.store.database import Database
from tests.services.conftest import Desk
from tests.support.runs import journal

NOOP = NewJob(job_type="noop")


def total(db: Database) -> int:
    with db.read() as reader:
        (row,) = reader.rows("SELECT count(*) FROM ai_jobs")
    return int(row[0])


def test_a_batch_makes_what_single_requests_make(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    tricky = 'a "quoted" \\ line\nand {braces}, NULL, 100 %, :name'
    new = NewJob(
        job_type="write",
        input_data={"path": tricky, "big": 2**80},
        task_description=tricky,
        priority=9,
        metadata={"k": [1, 2.5, None]},
        project_id="p1",
        auto_execute=False,
    )
    jobs = desk.services.jobs
    batch = jobs.enqueue_many(actor, [new, NOOP, NOOP])
    single = [jobs.enqueue(actor, one).job for one in (new, NOOP)]
    made = [jobs.find(actor, one.id) for one in batch.jobs]
    for one, other in zip(made, [single[0], single[1], single[1]], strict=True):
        assert replace(one, id=other.id) == other
    assert [one.status for one in batch.jobs] == [job.status for job in made]
    assert journal(desk.db, made[1].id) == [("job.created", None, "PENDING")]
    assert len({one.id for one in made}) == 3
    assert jobs.counts(actor)["PENDING"] == 3  # type: ignore[index]


def test_one_bad_job_and_nothing_is_made(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    bad = [NOOP, NewJob(job_type="write"), NOOP, NewJob(job_type="noop", priority=-1)]
    with pytest.raises(Invalid) as refused:
        desk.services.jobs.enqueue_many(actor, bad)
    fields = [one.field for one in refused.value.fields]
    assert fields == ["jobs.1.inputData.path", "jobs.3.priority"]
    huge = NewJob(job_type="noop", input_data={"a": "x" * 1_048_577})
    with pytest.raises(TooLarge, match=r"jobs\.1"):
        desk.services.jobs.enqueue_many(actor, [NOOP, huge])
    with pytest.raises(Invalid, match=r"jobs\.1\.contextDocumentId"):
        desk.services.jobs.enqueue_many(actor, [NOOP, replace(NOOP, context_document_id="doc_x")])
    assert total(desk.db) == 0


def test_a_batch_has_one_to_a_thousand_jobs(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    assert len(desk.services.jobs.enqueue_many(actor, [NOOP] * MAX_BATCH).jobs) == MAX_BATCH
    for wrong in ([], [NOOP] * (MAX_BATCH + 1)):
        with pytest.raises(Invalid, match="1 to 1,000"):
            desk.services.jobs.enqueue_many(actor, wrong)
    assert total(desk.db) == MAX_BATCH


def test_a_repeated_batch_is_answered_as_the_first_time(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    jobs = desk.services.jobs
    first = jobs.enqueue_many(actor, [NOOP, NOOP], idempotency_key="b")
    jobs.control(actor, first.jobs[0].id, "cancel")
    again = jobs.enqueue_many(actor, [NOOP, NOOP], idempotency_key="b")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.jobs == first.jobs
    with pytest.raises(Conflict, match="different request"):
        jobs.enqueue_many(actor, [NOOP], idempotency_key="b")
    assert total(desk.db) == 2


def test_jobs_of_a_batch_have_keys_of_their_own(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    jobs = desk.services.jobs
    single = jobs.enqueue(actor, NOOP, idempotency_key="a").job
    batch = jobs.enqueue_many(actor, [NOOP, NOOP, NOOP], keys=["x", "a", None]).jobs
    assert [one.replayed for one in batch] == [False, True, False]
    assert batch[1].id == single.id
    assert jobs.enqueue(actor, NOOP, idempotency_key="x").job.id == batch[0].id
    with pytest.raises(Conflict, match=r"jobs\.1: .*different request") as other:
        jobs.enqueue_many(actor, [NOOP, replace(NOOP, priority=1)], keys=[None, "x"])
    assert other.value.context["item"] == 1
    with pytest.raises(Invalid, match=r"jobs\.1\.idempotencyKey: is that of jobs\.0"):
        jobs.enqueue_many(actor, [NOOP, NOOP], keys=["k", "k"])
    assert total(desk.db) == 3


def test_unique_jobs_of_a_batch_meet_each_other_and_those_before(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    jobs = desk.services.jobs

    def keyed(policy: str) -> NewJob:
        return replace(NOOP, unique=Unique(key="k", on_conflict=OnConflict(policy)))

    with pytest.raises(Conflict, match=r"jobs\.2: Job job_.* has the unique key 'k'") as refused:
        jobs.enqueue_many(actor, [keyed("reject"), NOOP, keyed("reject")])
    assert refused.value.context["item"] == 2
    assert total(desk.db) == 0
    batch = jobs.enqueue_many(actor, [keyed("reject"), keyed("existing"), keyed("replace")]).jobs
    assert [one.existing for one in batch] == [False, True, False]
    assert batch[0].id == batch[1].id
    assert desk.status(actor, batch[0].id) == "CANCELED"
    assert desk.status(actor, batch[2].id) == "PENDING"


def test_batches_with_the_same_keys_in_another_order_take_turns(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    keyed = [
        replace(NOOP, unique=Unique(key=f"k{n}", on_conflict=OnConflict.EXISTING))
        for n in range(20)
    ]
    barrier = threading.Barrier(8)

    def one(number: int) -> Batch:
        barrier.wait()
        mine = keyed if number % 2 else keyed[::-1]
        return desk.services.jobs.enqueue_many(actor, mine)

    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(one, range(8)))
    assert total(desk.db) == 20
    assert len({one.id for batch in batches for one in batch.jobs}) == 20


def test_what_a_policy_does_must_be_allowed(desk: Desk) -> None:
    operator = desk.actor(Role.OPERATOR)
    allowed = ROLE_PERMISSIONS[Role.OPERATOR]
    for policy, missing in (
        ("replace", Permission.JOBS_CONTROL),
        ("existing", Permission.JOBS_READ),
    ):
        token = replace(operator, kind="token", permissions=allowed - {missing})
        new = replace(NOOP, unique=Unique(key="k", on_conflict=OnConflict(policy)))
        with pytest.raises(Forbidden, match=missing.value):
            desk.services.jobs.enqueue(token, new)
        with pytest.raises(Forbidden, match=missing.value):
            desk.services.jobs.enqueue_many(token, [new])
    assert total(desk.db) == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"key": ""}, "unique.key"),
        ({"key": "x" * 501}, "unique.key"),
        ({"key": "k", "while_in": ()}, "unique.whileIn"),
        ({"key": "k", "while_in": ("RUNNING", "LOST")}, "unique.whileIn"),
        ({"key": "k", "on_conflict": "ignore"}, "unique.onConflict"),
        ({"key": "k", "while_in": ("COMPLETED",), "on_conflict": "replace"}, "unique.whileIn"),
    ],
)
def test_a_strange_key_policy_or_status_is_named(values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Unique(**values)  # type: ignore[arg-type]
    assert [one.field for one in refused.value.fields] == [field]


def test_a_key_must_be_text_that_can_be_stored(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    for unique in (Unique(key=str), Unique(key="a\x00"), Unique(key="\ud800")):
        with pytest.raises(Invalid, match=r"unique\.key"):
            desk.services.jobs.enqueue(actor, replace(NOOP, unique=unique))
