"""Forks run: what was recorded is not done again, and what is not reused is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from agent_console import JobContext, handler
from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.context import NewContextDocument
from agent_console.domain.errors import Conflict, Forbidden, Invalid
from agent_console.domain.forks import Forked, ForkRequest
from agent_console.domain.jobs import JobStatus
from agent_console.services.context import ContextService
from agent_console.services.forks import ForkService
from agent_console.store.fork_plans import EDITED, UNANSWERED
from agent_console.store.reads import usage as usage_reads
from tests.runtime.desk import REVIEWER, Desk
from tests.support.factories import ADA, RAY, employ

OLA = Actor(
    kind="user", id="usr_ola", name="Ola", role=Role.OPERATOR,
    permissions=ROLE_PERMISSIONS[Role.OPERATOR],
)  # fmt: skip
effects: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def _no_effects() -> None:
    effects.clear()


class Order(BaseModel):
    """What to do how often."""

    n: int


@handler("test", input=Order, version="1")
def work(ctx: JobContext) -> dict[str, Any]:
    def effect(name: str) -> int:
        effects.append((name, ctx.idempotency_key))
        return int(ctx.input.n)

    first = ctx.step("first", effect, "first")
    art = ctx.artifact("plan.txt", f"plan {first}")
    ctx.usage("model", 100, 10, 0.5)
    ctx.approve("Go on?", action="go", data={"n": first, "plan": art})
    second = ctx.step("second", effect, "second")
    return {"n": ctx.input.n, "sum": first + second}


@pytest.fixture
def forks(desk: Desk) -> ForkService:
    """Return the service on the desk's database; Rita, who decides there, has an account."""
    rita = Actor(kind="user", id=REVIEWER.id, name=REVIEWER.name, role=Role.REVIEWER)
    for one in (ADA, RAY, OLA, rita):
        employ(desk.db, one)
    desk.add(work)
    return ForkService(desk.db, desk.registry, self_approval="auto")


def finished(desk: Desk) -> str:
    job_id = desk.enqueue(data={"n": 2})
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == {"n": 2, "sum": 4}
    return job_id


def fork(forks: ForkService, job_id: str, position: int, **wanted: Any) -> Forked:
    return forks.fork(OLA, job_id, ForkRequest(from_position=position, **wanted))


def test_an_unedited_fork_reuses_decisions_and_repeats_no_effect(
    desk: Desk, forks: ForkService
) -> None:
    job_id = finished(desk)
    made = fork(forks, job_id, 4)
    assert (made.plan.position, made.plan.reason, made.plan.edited) == (4, "", False)
    assert [one.name for one in made.plan.reused_steps] == ["first", "plan.txt", "model", "go"]
    assert [one.decided_by_name for one in made.plan.reused_decisions] == [REVIEWER.name]
    assert made.plan.asked_again == []
    assert (made.job.status, made.job.user_name) == (JobStatus.PENDING, "Ola")
    assert (made.job.forked_from, made.job.forked_position) == (job_id, 4)
    desk.run()
    copy = desk.job(made.job.id)
    assert copy.output_data == {"n": 2, "sum": 4}
    assert [name for name, _ in effects] == ["first", "second", "second"]
    assert effects[2][1] == f"{copy.id}:4"  # an effect of its own
    assert desk.job(job_id).status is JobStatus.COMPLETED


def test_the_copy_is_whole_and_names_its_originals(desk: Desk, forks: ForkService) -> None:
    job_id = finished(desk)
    made = fork(forks, job_id, 4).job.id
    (theirs,), (ours,) = (
        desk.rows("SELECT * FROM agent_checkpoints WHERE job_id = :id", id=one)
        for one in (job_id, made)
    )
    same = ("position", "status", "payload", "payload_digest", "decision_digest", "approved_by")
    assert [ours[name] for name in same] == [theirs[name] for name in same]
    assert ours["forked_from"] == theirs["id"] != ours["id"]
    (art,) = desk.rows("SELECT * FROM work_artifacts WHERE job_id = :id", id=made)
    assert (art["content"], art["position"]) == ("plan 2", 1)
    assert desk.rows("SELECT 1 FROM artifact_texts WHERE artifact_id = :id", id=art["id"])
    with desk.db.read() as reader:  # what it cost was spent once
        assert usage_reads.of_job(reader, made).calls == 0
        assert usage_reads.of_job(reader, job_id).calls == 1
    assert desk.actions(made) == ["job.created", "job.copied", "checkpoint.reused"]
    assert desk.actions(job_id)[-1] == "job.forked"


def test_an_edited_fork_asks_again(desk: Desk, forks: ForkService) -> None:
    job_id = finished(desk)
    made = fork(forks, job_id, 5, input_data={"n": 3})
    assert (made.plan.position, made.plan.reason, made.plan.edited) == (3, EDITED, True)
    assert made.plan.reused_decisions == []
    assert [one.reason for one in made.plan.asked_again] == [EDITED]
    desk.run()
    assert desk.job(made.job.id).status is JobStatus.WAITING
    desk.approve(made.job.id)
    desk.run()
    # The first step is reused, as asked for; the second is done with the new input.
    assert desk.job(made.job.id).output_data == {"n": 3, "sum": 5}
    assert [name for name, _ in effects] == ["first", "second", "second"]


def test_another_description_is_another_input_and_the_same_input_is_none(
    desk: Desk, forks: ForkService
) -> None:
    job_id = finished(desk)
    described = forks.plan(OLA, job_id, ForkRequest(from_position=4, task_description="other"))
    assert described.edited is True
    same = forks.plan(OLA, job_id, ForkRequest(from_position=4, input_data={"n": 2}, priority=9))
    assert (same.edited, same.position) == (False, 4)


def test_whoever_decided_the_original_asks_somebody_else(desk: Desk, forks: ForkService) -> None:
    job_id = finished(desk)
    rita = Actor(
        kind="user", id=REVIEWER.id, name=REVIEWER.name, role=Role.ADMIN,
        permissions=ROLE_PERMISSIONS[Role.ADMIN],
    )  # fmt: skip
    planned = forks.plan(rita, job_id, ForkRequest(from_position=5))
    assert planned.position == 3
    assert "approved a job of their own" in planned.reason
    assert [one.position for one in planned.asked_again] == [3]


def test_a_question_that_is_open_is_asked_anew(desk: Desk, forks: ForkService) -> None:
    job_id = desk.enqueue(data={"n": 1})
    desk.run()
    made = fork(forks, job_id, 4)
    assert made.plan.position == 3
    desk.run()
    both = desk.rows("SELECT job_id FROM agent_checkpoints WHERE status = 'PENDING'")
    assert {row["job_id"] for row in both} == {job_id, made.job.id}


def test_a_callback_nobody_answered_is_opened_anew(desk: Desk) -> None:
    @handler("calls")
    def calls(ctx: JobContext) -> str:
        call = ctx.callback("worker")
        ctx.step("send", lambda: effects.append(("send", call.token())))
        return "late" if ctx.wait_for(call, 60) is None else "answered"

    desk.add(calls)
    forks = ForkService(desk.db, desk.registry, self_approval="auto")
    job_id = desk.enqueue("calls")
    desk.run()
    made = fork(forks, job_id, 3)
    assert (made.plan.position, made.plan.reason) == (0, UNANSWERED)
    desk.run()
    assert len(effects) == 2


def test_pinned_documents_stay_pinned(desk: Desk) -> None:
    @handler("reads")
    def reads(ctx: JobContext) -> str:
        text = ctx.context.documents[0].content
        ctx.step("mark", lambda: None)
        return str(text)

    desk.add(reads)
    forks = ForkService(desk.db, desk.registry, self_approval="auto")
    library = ContextService(desk.db)
    plan = library.create(ADA, NewContextDocument(title="Plan", content="old")).document.id
    job_id = desk.enqueue("reads", context_document_id=plan)
    desk.run()
    library.add_version(ADA, plan, "new")
    kept, anew = fork(forks, job_id, 1).job.id, fork(forks, job_id, 0).job.id
    desk.run()
    assert (desk.job(kept).output_data, desk.job(anew).output_data) == ("old", "new")


@pytest.mark.rows_by_hand
def test_what_cannot_be_forked_is_refused(desk: Desk, forks: ForkService) -> None:
    job_id = finished(desk)
    with pytest.raises(Invalid, match="from 0 to 5"):
        fork(forks, job_id, 6)
    with pytest.raises(Invalid) as wrong:
        fork(forks, job_id, 0, input_data={"n": "x"})
    assert wrong.value.fields[0].field == "inputData.n"
    with pytest.raises(Forbidden):
        forks.fork(RAY, job_id, ForkRequest(from_position=0))
    desk.db.write(
        lambda tx: tx.execute(
            "UPDATE ai_jobs SET status = 'RUNNING' WHERE id = :id", {"id": job_id}
        )
    )
    with pytest.raises(Conflict, match="still grows"):
        fork(forks, job_id, 0)


def test_a_fork_is_made_once_per_key_and_may_wait(desk: Desk, forks: ForkService) -> None:
    job_id = finished(desk)
    wanted = ForkRequest(from_position=1, auto_execute=False)
    one = forks.fork(OLA, job_id, wanted, idempotency_key="k")
    two = forks.fork(OLA, job_id, wanted, idempotency_key="k")
    assert (one.job.id, one.replayed, two.replayed) == (two.job.id, False, True)
    assert one.job.status is JobStatus.INITIALIZED
