"""Many jobs canceled or retried by one: as its asker, in recorded batches, never itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission, Role, local_operator
from agent_console.domain.bulk import BulkAction, JobFilter
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.jobs import JobStatus, JobVerb, NewJob
from agent_console.runtime.bulk import bulk_handler
from agent_console.runtime.registry import Registry
from agent_console.services.bulk import BATCH, BulkService
from agent_console.services.jobs import JobService
from agent_console.store import enqueues
from agent_console.store.enqueues import Item
from agent_console.store.ids import new_id
from agent_console.store.job_writes import control
from tests.runtime.desk import Desk
from tests.support.factories import employ

ANN = Actor(
    kind="user",
    id="usr_ann",
    name="Ann",
    role=Role.OPERATOR,
    permissions=ROLE_PERMISSIONS[Role.OPERATOR],
)


@pytest.fixture
def bulk(desk: Desk) -> BulkService:
    """Return the service, and let the desk run what it starts."""
    registry = desk.registry = Registry()
    jobs = JobService(desk.db, registry)
    registry.add(bulk_handler(desk.db, jobs))
    employ(desk.db, ANN)
    return BulkService(desk.db, jobs)


def fill(desk: Desk, count: int, job_type: str = "later", **new: Any) -> list[str]:
    """Make jobs that nothing runs."""
    wanted = NewJob(job_type=job_type, auto_execute=False, **new)
    items = [Item(number=n, job_id=new_id("job"), new=wanted, max_attempts=3) for n in range(count)]
    desk.db.write(lambda tx: enqueues.enqueue_many(tx, items, ANN))
    return [item.job_id for item in items]


def run(desk: Desk, bulk: BulkService, action: BulkAction, wanted: JobFilter) -> Any:
    job = bulk.start(ANN, action, wanted).job
    desk.run()
    return desk.job(job.id)


def statuses(desk: Desk, job_type: str = "later") -> dict[str, int]:
    rows = desk.rows(
        "SELECT status, count(*) AS n FROM ai_jobs WHERE job_type = :t GROUP BY status", t=job_type
    )
    return {row["status"]: row["n"] for row in rows}


def test_two_thousand_jobs_are_canceled_and_retried_in_seconds(
    desk: Desk, bulk: BulkService
) -> None:
    for _ in range(2):
        fill(desk, 1_000)
    fill(desk, 5, "other")
    began = time.monotonic()
    job = run(desk, bulk, "cancel", JobFilter(job_type="later"))
    took = time.monotonic() - began
    assert job.status is JobStatus.COMPLETED
    assert job.output_data == {"action": "cancel", "done": 2_000, "refused": 0, "refusals": []}
    assert statuses(desk) == {"CANCELED": 2_000}
    assert statuses(desk, "other") == {"INITIALIZED": 5}
    assert took < 60
    found = desk.rows(
        "SELECT DISTINCT actor_id, data FROM audit_logs WHERE action = 'job.canceled'"
    )
    assert found == [{"actor_id": "usr_ann", "data": f'{{"bulkJob":"{job.id}"}}'}]
    assert len(desk.steps(job.id)) == 1 + 2_000 // BATCH + 1


def test_what_is_retried_goes_back_into_the_queue(desk: Desk, bulk: BulkService) -> None:
    ids = fill(desk, 3)
    for one in ids[:2]:
        desk.db.write(lambda tx, i=one: control(tx, i, JobVerb.CANCEL, ANN))
    job = bulk.start(ANN, "retry", JobFilter(user_id="usr_ann", job_type="later")).job
    desk.run()
    assert desk.job(job.id).output_data["done"] == 2  # type: ignore[index, call-overload]
    assert statuses(desk) == {"PARKED": 2, "INITIALIZED": 1}  # tried: nobody knows the type


def test_refusals_are_told_one_by_one_and_the_rest_is_done(desk: Desk, bulk: BulkService) -> None:
    ids = fill(desk, 3)
    desk.db.write(lambda tx: control(tx, ids[1], JobVerb.CANCEL, ANN))
    job = run(desk, bulk, "cancel", JobFilter(ids=(*ids, "job_x", ids[0])))
    assert (job.output_data["done"], job.output_data["refused"]) == (2, 2)
    told = {one["jobId"]: one["message"] for one in job.output_data["refusals"]}
    assert told.keys() == {ids[1], "job_x"}
    assert "is CANCELED" in told[ids[1]]
    assert told["job_x"] == "There is no job job_x."


def test_it_leaves_itself_and_what_came_later_alone(desk: Desk, bulk: BulkService) -> None:
    (before,) = fill(desk, 1)
    job = bulk.start(ANN, "cancel", JobFilter(user_id="usr_ann")).job
    (later,) = fill(desk, 1)
    desk.run()
    assert desk.job(job.id).status is JobStatus.COMPLETED
    assert desk.job(before).status is JobStatus.CANCELED
    assert desk.job(later).status is JobStatus.INITIALIZED


def test_it_can_be_canceled_itself(desk: Desk, bulk: BulkService) -> None:
    fill(desk, 2)
    job = bulk.start(ANN, "cancel", JobFilter(job_type="later")).job
    desk.db.write(lambda tx: control(tx, job.id, JobVerb.CANCEL, ANN))
    desk.run()
    assert desk.job(job.id).status is JobStatus.CANCELED
    assert statuses(desk) == {"INITIALIZED": 2}


@pytest.mark.parametrize("lost", ["role", "account"])
def test_who_lost_the_permission_meanwhile_is_stopped(
    desk: Desk, bulk: BulkService, lost: str
) -> None:
    fill(desk, 2)
    job = bulk.start(ANN, "cancel", JobFilter(job_type="later")).job
    change = {"role": "viewer"} if lost == "role" else {"disabled": 1}
    (name, value) = next(iter(change.items()))
    desk.db.write(
        lambda tx: tx.execute(f"UPDATE users SET {name} = :v WHERE id = 'usr_ann'", {"v": value})
    )
    desk.run()
    ended = desk.job(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.error is not None
    assert ended.error.message.startswith("Stopped: ")
    assert statuses(desk) == {"INITIALIZED": 2}


def test_a_command_on_the_server_acts_as_its_operator(desk: Desk, bulk: BulkService) -> None:
    fill(desk, 1)
    job = bulk.start(local_operator("root"), "cancel", JobFilter(job_type="later")).job
    desk.run()
    assert desk.job(job.id).output_data == {
        "action": "cancel",
        "done": 1,
        "refused": 0,
        "refusals": [],
    }


def test_a_dry_run_counts_and_does_nothing(desk: Desk, bulk: BulkService) -> None:
    fill(desk, 7)
    found = bulk.count(ANN, "cancel", JobFilter(job_type="later"))
    assert (found.count, found.capped) == (7, False)
    assert bulk.count(ANN, "retry", JobFilter(job_type="later")).count == 0
    assert statuses(desk) == {"INITIALIZED": 7}


@pytest.mark.parametrize(
    ("action", "wanted", "field"),
    [
        ("cancel", JobFilter(), "filter"),
        ("pause", JobFilter(status="PENDING"), "action"),
        ("cancel", JobFilter(status="COMPLETED"), "filter.status"),
        ("retry", JobFilter(status="RUNNING"), "filter.status"),
        ("cancel", JobFilter(status="LOST"), "filter.status"),
        ("cancel", JobFilter(ids=("job_1",), job_type="a"), "filter.ids"),
        ("cancel", JobFilter(ids=("job_1",) * 1_001), "filter.ids"),
        ("cancel", JobFilter(job_type="\x00"), "filter.jobType"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    desk: Desk, bulk: BulkService, action: Any, wanted: JobFilter, field: str
) -> None:
    for call in (bulk.start, bulk.count):
        with pytest.raises(Invalid) as refused:
            call(ANN, action, wanted)
        assert [one.field for one in refused.value.fields] == [field]
    assert desk.rows("SELECT id FROM ai_jobs") == []


def test_no_other_door_lets_somebody_in_without_the_permission(
    desk: Desk, bulk: BulkService
) -> None:
    few = Actor(
        kind="token", id="usr_ann", name="Ann", permissions=frozenset({Permission.JOBS_CREATE})
    )
    new = NewJob(
        job_type="bulk-control",
        input_data={"action": "cancel", "filter": {"jobType": "later"}},
    )
    jobs = JobService(desk.db, desk.registry)
    with pytest.raises(Forbidden, match="jobs:control"):
        jobs.enqueue(few, new)
    with pytest.raises(Forbidden, match="jobs:control"):
        jobs.enqueue_many(few, [new])
    with pytest.raises(Forbidden, match="jobs:control"):
        bulk.start(few, "cancel", JobFilter(job_type="later"))
    with pytest.raises(Invalid, match=r"inputData"):
        jobs.enqueue(ANN, NewJob(job_type="bulk-control", input_data={"action": "cancel"}))
