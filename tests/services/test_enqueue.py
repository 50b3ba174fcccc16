from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from agent_console.domain.access import Role
from agent_console.domain.errors import Conflict, Invalid, TooLarge
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, NewJob
from agent_console.services.jobs import Enqueued
from tests.services.conftest import Desk
from tests.support.runs import journal


def test_a_job_is_stored_as_asked_with_its_defaults_bound(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    new = NewJob(
        job_type="write",
        input_data={"path": "a.txt", "big": 2**80},
        task_description="Write it",
        priority=9,
        metadata={"k": [1, 2.5, None]},
        task_configuration={"depth": 2},
        approval_strategy="final_only",
        project_id="p1",
    )
    job = desk.services.jobs.enqueue(actor, new).job
    assert job == desk.services.jobs.get(actor, job.id).job
    assert job.status is JobStatus.PENDING
    assert job.input_data == {"mode": "w", "path": "a.txt", "big": 2**80}
    assert (job.user_id, job.user_name) == (actor.id, "operator")
    assert job.metadata == {"k": [1, 2.5, None]}
    assert job.task_configuration == {"depth": 2}
    assert job.run_at == job.created_at == desk.clock.now()
    assert journal(desk.db, job.id) == [("job.created", None, "PENDING")]


def test_without_auto_execute_a_job_waits_to_be_executed(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job = desk.services.jobs.enqueue(actor, NewJob(job_type="noop", auto_execute=False)).job
    assert job.status is JobStatus.INITIALIZED
    assert desk.services.jobs.control(actor, job.id, "execute").status is JobStatus.PENDING


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"job_type": "unheard-of"}, "jobType"),
        ({"job_type": "write"}, "inputData.path"),
        ({"priority": -1}, "priority"),
        ({"priority": 101}, "priority"),
        ({"max_attempts": 0}, "maxAttempts"),
        ({"task_configuration": {"budgetUsd": 0}}, "taskConfiguration.budgetUsd"),
        ({"task_configuration": {"maxTokens": "many"}}, "taskConfiguration.maxTokens"),
        ({"max_attempts": 101}, "maxAttempts"),
        ({"task_description": "x" * 4001}, "taskDescription"),
        ({"task_description": "nul \x00"}, "taskDescription"),
        ({"project_id": "\ud800"}, "projectId"),
        ({"context_document_id": "x" * 201}, "contextDocumentId"),
        ({"approval_strategy": "whatever"}, "approvalStrategy"),
        ({"input_data": {"a": float("nan")}}, "inputData.a"),
        ({"input_data": {"a": "\x00"}}, "inputData.a"),
        ({"metadata": {"a": "\udfff"}}, "metadata.a"),
        ({"task_configuration": {"a": float("inf")}}, "taskConfiguration.a"),
        ({"run_at": datetime(2030, 1, 1)}, "runAt"),  # noqa: DTZ001 - the point
    ],
)
def test_a_bad_field_is_named(desk: Desk, changes: dict[str, Any], field: str) -> None:
    actor = desk.actor(Role.OPERATOR)
    with pytest.raises(Invalid) as refused:
        desk.services.jobs.enqueue(actor, replace(NewJob(job_type="noop"), **changes))
    assert [f.field for f in refused.value.fields] == [field]


def test_an_unknown_job_type_lists_the_known_ones(desk: Desk) -> None:
    with pytest.raises(Invalid, match="noop, write"):
        desk.services.jobs.enqueue(desk.actor(Role.OPERATOR), NewJob(job_type="x"))


def test_an_input_above_the_limit_is_too_large(desk: Desk) -> None:
    new = NewJob(job_type="noop", input_data={"a": "x" * 1_048_577})
    with pytest.raises(TooLarge):
        desk.services.jobs.enqueue(desk.actor(Role.OPERATOR), new)


def test_a_repeated_request_gets_the_first_job(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    new = NewJob(job_type="noop", input_data={"n": 1})
    first = desk.services.jobs.enqueue(actor, new, idempotency_key="k")
    again = desk.services.jobs.enqueue(actor, new, idempotency_key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.job == first.job


def test_a_key_belongs_to_one_actor_and_one_request(desk: Desk) -> None:
    ann, bob = desk.actor(Role.OPERATOR, "ann"), desk.actor(Role.OPERATOR, "bob")
    new = NewJob(job_type="noop", input_data={"n": 1})
    first = desk.services.jobs.enqueue(ann, new, idempotency_key="k")
    with pytest.raises(Conflict, match="different request"):
        desk.services.jobs.enqueue(ann, replace(new, priority=6), idempotency_key="k")
    other = desk.services.jobs.enqueue(bob, new, idempotency_key="k")
    assert other.job.id != first.job.id
    assert not other.replayed


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\nb"])
def test_a_strange_key_is_refused(desk: Desk, key: str) -> None:
    actor = desk.actor(Role.OPERATOR)
    with pytest.raises(Invalid, match="Idempotency-Key"):
        desk.services.jobs.enqueue(actor, NewJob(job_type="noop"), idempotency_key=key)


def test_requests_that_race_with_one_key_make_one_job(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    events: list[Event] = []
    desk.db.subscribe(events.extend)
    start = threading.Barrier(8)

    def request(_: int) -> Enqueued:
        start.wait()
        return desk.services.jobs.enqueue(actor, NewJob(job_type="noop"), idempotency_key="k")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(request, range(8)))
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert [event.action for event in events] == ["job.created"]
