"""Records of rules, backtests, suggestions, and the brake: on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.jobs import NewJob
from agent_console.domain.payload import canonical, digest
from agent_console.domain.review_policies import Automatic, ReviewPolicy, Terms
from agent_console.store.claims import claim
from agent_console.store.policy_approvals import put_up
from tests.services.conftest import Desk
from tests.support.runs import checkpoint

ROOT = local_operator("root")
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="no")
LOW, SHADOW = Automatic(up_to="LOW"), Automatic(up_to="LOW", shadow=True)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


def save(desk: Desk, rule: Automatic, job_type: str = "noop", action: str = "") -> ReviewPolicy:
    terms = Terms(automatic=rule, note="kept")
    return desk.services.policies.save(ROOT, job_type, terms, action=action)


def ask(desk: Desk, risk: str = "LOW", action: str = "write", **more: Any) -> str:
    """Put a checkpoint up as the engine does; return its id."""
    job_id = desk.services.jobs.enqueue(ROOT, NewJob(job_type="noop")).job.id
    payload = canonical({"action": action, "data": 1, "changes": []})
    new = replace(checkpoint(0), payload=payload, payload_digest=digest(payload), risk=risk, **more)
    # Jobs that go on upon a decision are claimed as well, and left at that.
    key = next(one.key for one in claim(desk.db, "w1", 50) if one.key.job_id == job_id)
    return put_up(desk.db, key, new).id


def decide(desk: Desk, actor: Actor, checkpoint_id: str, verdict: Verdict = APPROVE) -> None:
    desk.services.review.decide(actor, checkpoint_id, verdict)


def counts(desk: Desk, actor: Actor, *args: Any, **more: Any) -> tuple[int, int, int, int]:
    found = desk.services.automatic.record(actor, "noop", *args, **more)
    return found.approved, found.agreed, found.disagreed, found.open


EDITABLE = {"edit_schema": canonical({"type": "object"})}


def test_shadow_is_counted_beside_what_people_decided(desk: Desk, ana: Actor) -> None:
    save(desk, SHADOW)
    yes, no, edited = ask(desk), ask(desk, "NONE"), ask(desk, **EDITABLE)
    ask(desk)
    grave = ask(desk, "MEDIUM")
    decide(desk, ana, yes)
    decide(desk, ana, no, REJECT)
    decide(desk, ana, edited, replace(APPROVE, edited_data={"n": 2}))
    decide(desk, ana, grave)
    assert counts(desk, ana) == (0, 1, 2, 1)
    found = desk.services.automatic.record(ana, "noop")
    assert [(one.id, one.outcome) for one in found.contradictions] == [
        (edited, "EDITED"),
        (no, "REJECTED"),
    ]
    assert found.contradictions[0].by_name == "Ana"
    (row,) = desk.services.automatic.records(ana)
    assert (row.agreed, row.disagreed, row.open, row.contradictions) == (1, 2, 1, ())


def test_what_a_rule_in_shadow_says_is_told_once_people_have_decided(
    desk: Desk, ana: Actor
) -> None:
    policy = save(desk, SHADOW)
    asked = ask(desk)
    get = desk.services.review.get
    assert (get(ana, asked).checkpoint.rule_id, get(ana, asked).checkpoint.rule_shadow) == (
        None,
        False,
    )
    decide(desk, ana, asked)
    shown = get(ana, asked).checkpoint
    assert (shown.rule_id, shown.rule_shadow) == (policy.id, True)


def test_what_was_approved_by_itself_is_listed_and_stays_listed_when_stopped(
    desk: Desk, ana: Actor
) -> None:
    first = save(desk, LOW)
    asked = ask(desk)
    assert desk.services.review.get(ana, asked).checkpoint.rule_id == first.id
    stopped = desk.services.automatic.stop(ana, "noop", reason="It was wrong once.")
    assert (stopped.version, stopped.terms) == (2, Terms(note="kept"))
    assert stopped.saved_by_name == "Ana"
    waits = ask(desk)
    assert desk.services.review.get(ana, waits).may_decide
    found = desk.services.automatic.record(ana, "noop")
    assert [one.id for one in found.approved_latest] == [asked]
    assert counts(desk, ana) == (1, 0, 0, 0)
    with desk.db.read() as reader:
        (entry,) = reader.rows(
            "SELECT data, actor_name FROM audit_logs WHERE action = 'review_policy.saved'"
            " ORDER BY seq DESC LIMIT 1"
        )
    said = json.loads(entry[0])
    assert (said["automaticStopped"], said["reason"]) == (True, "It was wrong once.")
    assert entry[1] == "Ana"
    again = desk.services.automatic.stop(ana, "noop")
    assert again.version == 2, "what is stopped is not stopped again"


def test_only_what_there_is_can_be_stopped(desk: Desk, ana: Actor) -> None:
    automatic = desk.services.automatic
    save(desk, LOW)
    with pytest.raises(NotFound):
        automatic.stop(ana, "noop", "send")
    with pytest.raises(NotFound):
        automatic.record(ana, "write")
    with pytest.raises(Invalid):
        automatic.stop(ana, "noop", reason="x" * 501)
    desk.services.policies.remove(ROOT, "noop")
    with pytest.raises(NotFound):
        automatic.stop(ana, "noop")


def test_the_past_is_looked_at_only_so_far_back(desk: Desk, ana: Actor) -> None:
    save(desk, LOW)
    ask(desk)
    desk.clock.advance(timedelta(days=2))
    assert counts(desk, ana, days=1) == (0, 0, 0, 0)
    assert counts(desk, ana, days=3) == (1, 0, 0, 0)
    for days in (0, 91):
        with pytest.raises(Invalid):
            desk.services.automatic.record(ana, "noop", days=days)


def test_a_backtest_tries_drafts_and_versions_and_saves_nothing(desk: Desk, ana: Actor) -> None:
    yes, no, grave = ask(desk), ask(desk), ask(desk, "MEDIUM", action="send")
    decide(desk, ana, yes)
    decide(desk, ROOT, no, REJECT)
    decide(desk, ana, grave)
    ask(desk)  # open: nobody has said anything

    def tried(rule: Automatic | None = None, **more: Any) -> tuple[int, int]:
        found = desk.services.automatic.backtest(ana, "noop", rule, **more)
        return found.looked_at, found.would_approve

    assert tried(LOW) == (3, 2)
    assert tried(SHADOW) == (3, 2)
    assert tried(Automatic(up_to="MEDIUM")) == (3, 3)
    assert tried(Automatic(up_to="MEDIUM"), action="send") == (1, 1)
    assert tried() == (3, 0)
    found = desk.services.automatic.backtest(ana, "noop", LOW)
    assert [(one.id, one.by_name) for one in found.contradictions] == [(no, "root")]
    with pytest.raises(Invalid):
        tried(Automatic(up_to="CRITICAL"))
    with pytest.raises(NotFound):
        tried(version=1)
    assert desk.services.policies.versions(ana, "noop") == []
    save(desk, LOW)
    save(desk, Automatic())
    assert tried(version=1) == (3, 2)
    assert tried() == (3, 0)


def test_what_a_policy_decided_is_nobodys_word(desk: Desk, ana: Actor) -> None:
    save(desk, LOW)
    ask(desk)
    assert desk.services.automatic.backtest(ana, "noop", LOW).looked_at == 0


def test_a_history_of_one_mind_is_a_suggestion_that_saves_nothing(desk: Desk, ana: Actor) -> None:
    for _ in range(19):
        decide(desk, ana, ask(desk))
    assert desk.services.automatic.suggestions(ana) == []
    decide(desk, ana, ask(desk))
    decide(desk, ana, ask(desk, insists=True), REJECT)
    (one,) = desk.services.automatic.suggestions(ana)
    assert (one.job_type, one.action, one.up_to, one.decided, one.people) == (
        "noop", "", "LOW", 20, 1,
    )  # fmt: skip
    assert len(one.latest) == 5
    assert desk.services.policies.get(ana, "noop").version == 0
    decide(desk, ana, ask(desk), REJECT)
    assert desk.services.automatic.suggestions(ana) == []
