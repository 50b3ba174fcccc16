from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointType,
    CheckpointVerb,
    Verdict,
)
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.jobs import JobStatus
from agent_console.services import Services
from agent_console.store.runs import record_note, suspend
from tests.services.conftest import Desk
from tests.support.runs import checkpoint, claim_one, journal

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="not like this")
MICROSECOND = timedelta(microseconds=1)
EDIT_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"to": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
        "required": ["to"],
        "additionalProperties": False,
    }
)


def entry(desk: Desk, checkpoint_id: str, action: str) -> dict[str, Any]:
    """Return the one journal row of ``action`` on the checkpoint."""
    with desk.db.read() as reader:
        (row,) = reader.dicts(
            "SELECT * FROM audit_logs WHERE checkpoint_id = :id AND action = :action",
            {"id": checkpoint_id, "action": action},
        )
    return {**row, "data": json.loads(row["data"])}


def editable(desk: Desk, actor: Actor) -> str:
    desk.job(actor)
    asked = replace(checkpoint(0, {"to": "a", "n": 1}), edit_schema=EDIT_SCHEMA)
    return suspend(desk.db, claim_one(desk.db).key, asked, [])


def test_an_approval_queues_the_job_and_is_journaled_with_all_that_proves_it(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker, {"x": 1})
    desk.clock.advance(90)
    shown = desk.services.review.get(ray, checkpoint_id)
    assert (shown.may_decide, shown.refusal, shown.self_approval) == (True, "", False)
    verdict = replace(
        APPROVE,
        feedback="fine",
        response={"choice": 2},
        payload_digest=shown.checkpoint.payload_digest,
    )
    done = desk.services.review.decide(ray, checkpoint_id, verdict)
    assert done.status is CheckpointStatus.APPROVED
    assert (done.decided_by, done.decided_by_name) == (ray.id, "reviewer")
    assert done.decided_at == desk.clock.now()
    assert (done.feedback, done.response, done.job_status) == (
        "fine",
        {"choice": 2},
        JobStatus.QUEUED,
    )
    row = entry(desk, checkpoint_id, "checkpoint.approved")
    assert (row["actor_id"], row["actor_role"], row["session"], row["ip"]) == (
        ray.id,
        "reviewer",
        "session of reviewer",
        "192.0.2.7",
    )
    assert (row["before"], row["after"], row["verdict"]) == ("PENDING", "APPROVED", "approve")
    assert row["data"] == {
        "payloadDigest": shown.checkpoint.payload_digest,
        "waitedSeconds": 90,
        "risk": "NONE",
        "feedback": "fine",
    }
    assert ("job.woken", "WAITING", "QUEUED") in journal(desk.db, job_id)
    assert claim_one(desk.db).attempt == 1  # the wait was charged no attempt


def test_a_rejection_keeps_its_reason_and_wakes_the_job(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker)
    done = desk.services.review.decide(ray, checkpoint_id, REJECT)
    assert (done.status, done.rejection_reason) == (CheckpointStatus.REJECTED, "not like this")
    assert desk.status(asker, job_id) == "QUEUED"
    assert entry(desk, checkpoint_id, "checkpoint.rejected")["data"]["reason"] == "not like this"


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (Verdict(verb=CheckpointVerb.REJECT), "reason"),
        (Verdict(verb=CheckpointVerb.REJECT, reason=" \n"), "reason"),
        (Verdict(verb=CheckpointVerb.REJECT, reason="x" * 4001), "reason"),
        (replace(REJECT, edited_data={"to": "b"}), "editedData"),
        (Verdict(verb=CheckpointVerb.EXPIRE), "verdict"),
        (replace(APPROVE, feedback="\x00"), "feedback"),
        (replace(APPROVE, response={"a": float("nan")}), "response.a"),
        (replace(APPROVE, edited_data={"to": "b"}), "editedData"),  # nothing is editable here
    ],
)
def test_a_verdict_that_says_too_little_or_too_much_is_refused(
    desk: Desk, verdict: Verdict, field: str
) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR))
    ray = desk.actor(Role.REVIEWER)
    with pytest.raises(Invalid) as refused:
        desk.services.review.decide(ray, checkpoint_id, verdict)
    assert [f.field for f in refused.value.fields] == [field]
    assert desk.services.review.pending_count(ray) == 1


def test_a_verdict_on_something_else_than_what_is_stored_does_nothing(desk: Desk) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR))
    ray = desk.actor(Role.REVIEWER)
    with pytest.raises(Conflict) as refused:
        desk.services.review.decide(ray, checkpoint_id, replace(APPROVE, payload_digest="0" * 64))
    stored = desk.services.review.get(ray, checkpoint_id).checkpoint
    assert refused.value.context["currentDigest"] == stored.payload_digest
    assert stored.status is CheckpointStatus.PENDING


def test_an_edit_is_kept_apart_and_survives_the_check_at_claim(desk: Desk) -> None:
    ray = desk.actor(Role.REVIEWER)
    checkpoint_id = editable(desk, desk.actor(Role.OPERATOR))
    verdict = replace(APPROVE, edited_data={"to": "b", "n": 2**70})
    done = desk.services.review.decide(ray, checkpoint_id, verdict)
    assert done.data == {"to": "a", "n": 1}
    assert done.edited_data == {"to": "b", "n": 2**70}
    assert len(entry(desk, checkpoint_id, "checkpoint.approved")["data"]["editedDigest"]) == 64
    assert claim_one(desk.db).key.job_id == done.job_id


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"n": 1}, "editedData"),
        ({"to": "b", "n": 0}, "editedData.n"),
        ({"to": "b", "more": 1}, "editedData"),
    ],
)
def test_an_edit_must_fit_its_schema(desk: Desk, edit: dict[str, Any], field: str) -> None:
    ray = desk.actor(Role.REVIEWER)
    checkpoint_id = editable(desk, desk.actor(Role.OPERATOR))
    with pytest.raises(Invalid) as refused:
        desk.services.review.decide(ray, checkpoint_id, replace(APPROVE, edited_data=edit))
    assert refused.value.fields[0].field == field


@pytest.mark.parametrize("at_expiry", [timedelta(0), MICROSECOND])
def test_at_its_deadline_a_checkpoint_is_expired(desk: Desk, at_expiry: timedelta) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker, expires_in=timedelta(hours=1))
    desk.clock.advance(timedelta(hours=1) + at_expiry)
    with pytest.raises(Conflict, match="expired at 2026-01-01T13:00:00Z") as refused:
        desk.services.review.decide(ray, checkpoint_id, APPROVE)
    assert refused.value.context["currentStatus"] == "EXPIRED"
    stored = desk.services.review.get(ray, checkpoint_id).checkpoint
    assert (stored.status, stored.decided_by) == (CheckpointStatus.EXPIRED, None)
    assert desk.status(asker, job_id) == "QUEUED"
    assert entry(desk, checkpoint_id, "checkpoint.expired")["actor_kind"] == "system"


def test_a_microsecond_before_its_deadline_a_checkpoint_can_be_decided(desk: Desk) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR), expires_in=timedelta(hours=1))
    desk.clock.advance(timedelta(hours=1) - MICROSECOND)
    done = desk.services.review.decide(desk.actor(Role.REVIEWER), checkpoint_id, APPROVE)
    assert done.status is CheckpointStatus.APPROVED


def test_the_same_verdict_with_the_same_key_gets_the_first_answer(desk: Desk) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR))
    ray, rob = desk.actor(Role.REVIEWER), desk.actor(Role.REVIEWER, "rob")
    decide = desk.services.review.decide
    first = decide(ray, checkpoint_id, APPROVE, idempotency_key="k")
    desk.clock.advance(5)
    assert decide(ray, checkpoint_id, APPROVE, idempotency_key="k") == first
    with pytest.raises(Conflict, match="different request"):
        decide(ray, checkpoint_id, REJECT, idempotency_key="k")
    with pytest.raises(Conflict, match="reviewer was faster"):
        decide(rob, checkpoint_id, APPROVE, idempotency_key="k")


def test_notes_cannot_be_decided(desk: Desk) -> None:
    desk.job(desk.actor(Role.OPERATOR))
    key = claim_one(desk.db).key
    note = record_note(desk.db, key, checkpoint(0, kind=CheckpointType.INFO))
    with pytest.raises(Conflict, match="APPROVED"):
        desk.services.review.decide(desk.actor(Role.REVIEWER), note, REJECT)


def test_what_is_not_there_cannot_be_decided(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.services.review.decide(desk.actor(Role.REVIEWER), "chk_x", APPROVE)


def test_a_canceled_job_takes_its_question_with_it(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker)
    desk.services.jobs.control(asker, job_id, "cancel")
    with pytest.raises(Conflict, match="CANCELED"):
        desk.services.review.decide(ray, checkpoint_id, APPROVE)
    assert desk.status(asker, job_id) == "CANCELED"
    assert entry(desk, checkpoint_id, "checkpoint.canceled")["after"] == "CANCELED"


def test_a_paused_job_stays_paused_through_a_decision(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker)
    desk.services.jobs.control(asker, job_id, "pause")
    desk.services.review.decide(ray, checkpoint_id, APPROVE)
    assert desk.status(asker, job_id) == "PAUSED"
    assert desk.services.jobs.control(asker, job_id, "resume").status is JobStatus.QUEUED
    assert claim_one(desk.db).attempt == 1


# Races: real threads, both databases.


def _race(calls: list[Callable[[], Any]]) -> tuple[list[Any], list[Conflict]]:
    """Start all calls at once; return what succeeded and what was told to losers."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except Conflict as lost:
            return lost

    with ThreadPoolExecutor(len(calls)) as pool:
        results = list(pool.map(run, calls))
    won = [result for result in results if not isinstance(result, Conflict)]
    return won, [result for result in results if isinstance(result, Conflict)]


def _decider(
    services: Services, actor: Actor, checkpoint_id: str, verdict: Verdict
) -> Callable[[], Checkpoint]:
    return lambda: services.review.decide(actor, checkpoint_id, verdict)


def test_of_verdicts_that_race_one_wins_and_the_others_hear_which(desk: Desk) -> None:
    asker = desk.actor(Role.OPERATOR)
    reviewers = [desk.actor(Role.REVIEWER, f"rev{n}") for n in range(12)]
    job_id, checkpoint_id = desk.waiting(asker)
    won, lost = _race(
        [
            _decider(desk.services, actor, checkpoint_id, APPROVE if n % 2 else REJECT)
            for n, actor in enumerate(reviewers)
        ]
    )
    assert (len(won), len(lost)) == (1, 11)
    at = desk.clock.now().isoformat().replace("+00:00", "Z")
    for told in lost:
        assert told.context == {
            "currentStatus": won[0].status.value,
            "decidedBy": won[0].decided_by_name,
            "decidedAt": at,
        }
    actions = [action for action, _, _ in journal(desk.db, job_id)]
    decided = [a for a in actions if a in {"checkpoint.approved", "checkpoint.rejected"}]
    assert decided == [f"checkpoint.{won[0].status.value.lower()}"]
    assert actions.count("job.woken") == 1


def test_a_cancellation_and_approvals_that_race_leave_one_truth(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    for _ in range(5):
        job_id, checkpoint_id = desk.waiting(asker)
        cancel = lambda job=job_id: desk.services.jobs.control(asker, job, "cancel")  # noqa: E731
        approve = _decider(desk.services, ray, checkpoint_id, APPROVE)
        _race([cancel, approve, approve, approve])
        stored = desk.services.review.get(ray, checkpoint_id)
        assert stored.job.status is JobStatus.CANCELED  # cancel is legal before and after
        approved = [a for a, _, _ in journal(desk.db, job_id) if a == "checkpoint.approved"]
        if stored.checkpoint.status is CheckpointStatus.APPROVED:
            assert len(approved) == 1
        else:
            assert stored.checkpoint.status is CheckpointStatus.CANCELED
            assert approved == []


# Who asked may not decide alone.


def test_alone_an_account_may_decide_on_its_own_job_and_it_is_journaled(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    desk.actor(Role.OPERATOR)  # may not decide, so does not count
    _, checkpoint_id = desk.waiting(admin)
    shown = desk.services.review.get(admin, checkpoint_id)
    assert (shown.may_decide, shown.self_approval) == (True, True)
    desk.services.review.decide(admin, checkpoint_id, APPROVE)
    row = entry(desk, checkpoint_id, "checkpoint.approved")
    assert row["data"]["selfApproval"] is True


def test_a_second_decider_ends_self_approval_and_disabling_it_brings_it_back(desk: Desk) -> None:
    admin, ray = desk.actor(Role.ADMIN), desk.actor(Role.REVIEWER)
    _, checkpoint_id = desk.waiting(admin)
    shown = desk.services.review.get(admin, checkpoint_id)
    assert not shown.may_decide
    assert "somebody else" in shown.refusal
    with pytest.raises(Forbidden, match="somebody else"):
        desk.services.review.decide(admin, checkpoint_id, APPROVE)
    assert ray.id is not None
    desk.services.access.set_disabled(admin, ray.id, True)
    assert desk.services.review.decide(admin, checkpoint_id, APPROVE).decided_by == admin.id


def test_a_token_does_not_get_around_it(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    desk.actor(Role.REVIEWER)
    _, checkpoint_id = desk.waiting(admin)
    grant = desk.services.access.create_token(admin, "admin@example.com", name="ci")
    token = desk.services.access.actor_for_token(grant.token)
    assert token is not None
    with pytest.raises(Forbidden, match="somebody else"):
        desk.services.review.decide(token, checkpoint_id, APPROVE)


@pytest.mark.parametrize(("policy", "allowed"), [("never", False), ("always", True)])
def test_the_policy_can_be_set(make_desk: Callable[..., Desk], policy: str, allowed: bool) -> None:
    desk = make_desk(self_approval=policy)
    admin = desk.actor(Role.ADMIN)
    if allowed:
        desk.actor(Role.REVIEWER)
    _, checkpoint_id = desk.waiting(admin)
    assert desk.services.review.get(admin, checkpoint_id).may_decide is allowed
    if allowed:
        desk.services.review.decide(admin, checkpoint_id, APPROVE)
    else:
        with pytest.raises(Forbidden):
            desk.services.review.decide(admin, checkpoint_id, APPROVE)
