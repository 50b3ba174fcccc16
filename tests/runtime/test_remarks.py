"""What people said before a decision reaches the handler; risk is kept with what was asked."""

from __future__ import annotations

import pytest

from agent_console import ChangesRequested, Finding, JobContext, Rejected, Severity, handler
from agent_console.domain.access import Actor
from agent_console.domain.anchors import Anchor
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.store import comments
from agent_console.store.review_sums import slots
from tests.runtime.desk import REVIEWER, Desk


def say(
    desk: Desk, checkpoint_id: str, body: str, who: str = "Omar", anchor: Anchor | None = None
) -> None:
    actor = Actor(kind="user", id=f"usr_{who}", name=who)
    desk.db.write(
        lambda tx: comments.add(
            tx, checkpoint_id, body, (), who=str(actor.id), actor=actor, anchor=anchor
        )
    )
    desk.clock.advance(1)


@handler("test")
def asks_again(ctx: JobContext) -> list[Json]:
    """Ask in rounds and tell what was heard, in every run of it."""
    heard: list[Json] = []
    for number in range(3):
        try:
            decision = ctx.approve("May I?", action="publish", data={"n": number}, rounds=3)
        except ChangesRequested as wanted:
            heard.append([f"{one.author}: {one.text}" for one in wanted.comments])
            continue
        heard.append([f"{one.author}: {one.text}" for one in decision.comments])
        break
    ctx.approve("And this?", action="send")
    return heard


def asked(desk: Desk) -> str:
    found = desk.rows("SELECT id FROM agent_checkpoints WHERE status = 'PENDING'")
    (row,) = found
    return str(row["id"])


def test_each_decision_brings_what_was_said_before_it_and_always_the_same(desk: Desk) -> None:
    desk.add(asks_again)
    job_id = desk.enqueue()
    desk.run()
    first = asked(desk)
    say(desk, first, "not so loud")
    say(desk, first, "and shorter", "Ana")
    desk.decide(job_id, CheckpointVerb.REQUEST_CHANGES, feedback="quieter")
    desk.clock.advance(1)
    say(desk, first, "too late for the handler")
    desk.run()
    second = asked(desk)
    say(desk, second, "good now")
    desk.decide(job_id, CheckpointVerb.APPROVE)
    desk.clock.advance(1)
    say(desk, second, "too late again")
    desk.run()
    desk.decide(job_id, CheckpointVerb.APPROVE)  # the handler is called from the top again
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.output_data == [
        ["Omar: not so loud", "Ana: and shorter"],
        ["Omar: good now"],
    ]


def test_a_rejection_brings_them_as_well_with_their_lines(desk: Desk) -> None:
    heard: list[object] = []
    line = Anchor(path="a.py", side="after", line=2, text="x = 1")

    @handler("test")
    def listens(ctx: JobContext) -> None:
        try:
            ctx.approve("May I?", action="publish")
        except Rejected as no:
            heard.extend((one.text, one.anchor) for one in no.comments)

    desk.add(listens)
    job_id = desk.enqueue()
    desk.run()
    say(desk, asked(desk), "rather not", anchor=line)
    say(desk, asked(desk), "at all")
    desk.decide(job_id, CheckpointVerb.REJECT, reason="no")
    desk.run()
    assert heard == [("rather not", line), ("at all", None)]


@pytest.mark.parametrize(
    ("severities", "risk"),
    [((), "NONE"), ((Severity.LOW, Severity.HIGH, Severity.MEDIUM), "HIGH")],
)
def test_the_gravest_finding_is_kept_with_the_checkpoint(
    desk: Desk, severities: tuple[Severity, ...], risk: str
) -> None:
    found = [Finding(severity, "rule", "Said.", "data.n") for severity in severities]

    @handler("test")
    def asks(ctx: JobContext) -> None:
        ctx.info("For your information.")
        ctx.approve("May I?", action="publish", data={"n": 1}, findings=found)

    desk.add(asks)
    desk.enqueue()
    desk.run()
    kept = desk.rows("SELECT checkpoint_type, risk FROM agent_checkpoints ORDER BY position")
    assert [(row["checkpoint_type"], row["risk"]) for row in kept] == [
        ("INFO", None),
        ("APPROVAL_REQUIRED", risk),
    ]


def test_an_approval_by_policy_is_an_end_of_its_own(desk: Desk) -> None:
    @handler("test")
    def asks(ctx: JobContext) -> None:
        ctx.approve("May I?", action="publish", data={"n": 1}, confidence=0.9)

    desk.add(asks)
    desk.enqueue(approval_strategy="auto_approve_low_risk")
    desk.run()
    kept = desk.rows("SELECT DISTINCT job_type, risk, measure, value FROM review_slots")
    assert [tuple(row.values()) for row in kept] == [("test", "NONE", "policy", 1)]


def test_what_is_no_review_adds_nothing() -> None:
    other = [Event(action="job.completed", job_type="noop"), Event(action="checkpoint.created")]
    assert slots(other) == []
    assert slots([Event(action="checkpoint.approved", actor=REVIEWER, job_type="noop")]) == [
        ("noop", "NONE", "approved", 1, 0.0)
    ]
