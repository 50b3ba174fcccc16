"""Questions through the services: answers that fit, races, several people, deadlines."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Invalid
from agent_console.domain.payload import digest
from agent_console.domain.review_export import ExportQuery
from agent_console.domain.review_policies import AtDeadline, Deadline, Terms
from agent_console.domain.rulings import Fate, Item
from agent_console.services.review_policy import still_stands
from agent_console.store.claims import claim
from agent_console.store.deadlines import expire_due
from agent_console.store.reads.journal import timeline
from tests.services.conftest import Desk

ROOT = local_operator("root")
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="no")
COLOUR = {"type": "string", "enum": ["red", "green"]}
TRIP = {
    "type": "object",
    "properties": {
        "to": {"type": "string"},
        "day": {"type": "string", "format": "date"},
        "nights": {"type": "integer", "minimum": 1},
    },
    "required": ["to"],
    "additionalProperties": False,
}
HOUR = timedelta(hours=1)


def said(answer: Any) -> Verdict:
    return Verdict(verb=CheckpointVerb.ANSWER, response=answer)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def ben(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ben")


def facts(desk: Desk, job_id: str, action: str) -> dict[str, Any]:
    with desk.db.read() as reader:
        found = [one for one in timeline(reader, job_id) if one.action == action]
    return dict(found[-1].data)


def goes_on(desk: Desk) -> list[str]:
    """Return the jobs that go on, their decisions being checked again."""
    taken = claim(desk.db, "w1", 9, stands=lambda q, a: still_stands(q, a, policy="auto"))
    return [one.key.job_id for one in taken]


def test_an_answer_is_the_decision_and_the_journal_repeats_it(desk: Desk, ana: Actor) -> None:
    job_id, on = desk.waiting(ROOT, answer=TRIP)
    point = desk.services.review.get(ana, on).checkpoint
    assert (point.asks, point.answer_schema, point.answer_default) == (True, TRIP, None)
    answer = {"to": "Oslo", "nights": 2}
    verdict = replace(said(answer), payload_digest=point.payload_digest)
    done = desk.services.review.decide(ana, on, verdict)
    assert (done.status, done.response) == (CheckpointStatus.APPROVED, answer)
    assert (done.decided_by_name, done.edited_data) == ("Ana", None)
    told = facts(desk, job_id, "checkpoint.approved")
    assert told["answer"] == answer
    assert told["answerDigest"] == digest('{"nights":2,"to":"Oslo"}')
    (entry,) = (e for e in desk.services.review.get(ana, on).history if e.verdict == "answer")
    assert (entry.before, entry.after) == ("PENDING", "APPROVED")
    assert goes_on(desk) == [job_id]
    (line,) = desk.services.review_export.lines(ana, ExportQuery())
    assert '"response":{"nights":2,"to":"Oslo"}' in line
    assert '"answerSchema":{' in line


def test_the_journal_keeps_secrets_and_long_answers_to_itself(desk: Desk, ana: Actor) -> None:
    job_id, on = desk.waiting(ROOT, answer={"type": "object"})
    desk.services.review.decide(ana, on, said({"apiKey": "sk-1", "to": "Oslo"}))
    assert facts(desk, job_id, "checkpoint.approved")["answer"] == {
        "apiKey": "[redacted]",
        "to": "Oslo",
    }
    assert goes_on(desk) == [job_id]
    job_id, on = desk.waiting(ROOT, answer={"type": "string"})
    desk.services.review.decide(ana, on, said("x" * 5_000))
    told = facts(desk, job_id, "checkpoint.approved")
    assert "answer" not in told
    assert told["answerDigest"] == digest(f'"{"x" * 5_000}"')


@pytest.mark.parametrize(
    ("schema", "verdict", "field"),
    [
        (COLOUR, APPROVE, "response"),
        (COLOUR, said("pink"), "answer"),
        (COLOUR, said(None), "answer"),
        (COLOUR, replace(said("red"), edited_data={}), "editedData"),
        (COLOUR, replace(said("red"), reason="so"), "reason"),
        (COLOUR, replace(APPROVE, response="pink"), "answer"),
        (TRIP, said({}), "answer"),
        (TRIP, said({"to": "Oslo", "nights": 0}), "answer.nights"),
        (TRIP, said({"to": "Oslo", "day": "tomorrow"}), "answer.day"),
        (TRIP, said({"to": "Oslo", "more": 1}), "answer"),
        ({"type": "nothing"}, said("x"), "answer"),
        (None, said("x"), "answer"),
    ],
)
def test_what_is_no_answer_is_refused_by_field_and_nothing_is_stored(
    desk: Desk, ana: Actor, schema: Any, verdict: Verdict, field: str
) -> None:
    _, on = desk.waiting(ROOT, answer=schema)
    with pytest.raises(Invalid) as refused:
        desk.services.review.decide(ana, on, verdict)
    assert [one.field for one in refused.value.fields] == [field]
    point = desk.services.review.get(ana, on).checkpoint
    assert (point.status, point.response) == (CheckpointStatus.PENDING, None)


def test_a_question_can_be_rejected_and_takes_no_changes(desk: Desk, ana: Actor) -> None:
    _, on = desk.waiting(ROOT, answer=COLOUR)
    changes = Verdict(verb=CheckpointVerb.REQUEST_CHANGES, feedback="other")
    with pytest.raises(Conflict):
        desk.services.review.decide(ana, on, changes)
    done = desk.services.review.decide(ana, on, REJECT)
    assert (done.status, done.response) == (CheckpointStatus.REJECTED, None)


def test_an_approval_that_brings_its_answer_is_one(desk: Desk, ana: Actor) -> None:
    job_id, on = desk.waiting(ROOT, answer=COLOUR)
    desk.services.review.decide(ana, on, replace(APPROVE, response="red"))
    assert facts(desk, job_id, "checkpoint.approved")["answer"] == "red"
    entries = desk.services.review.get(ana, on).history
    assert "answer" in [one.verdict for one in entries]
    assert goes_on(desk) == [job_id]


def test_of_answers_that_race_one_wins_and_the_others_hear_whose(desk: Desk) -> None:
    people = [desk.actor(Role.REVIEWER, f"rev{n}") for n in range(8)]
    job_id, on = desk.waiting(ROOT, answer={"type": "integer"})
    start = threading.Barrier(len(people))

    def answer(number: int) -> Any:
        start.wait()
        try:
            return desk.services.review.decide(people[number], on, said(number))
        except Conflict as lost:
            return lost

    with ThreadPoolExecutor(len(people)) as pool:
        results = list(pool.map(answer, range(len(people))))
    (won,) = [one for one in results if not isinstance(one, Conflict)]
    winner = people[won.response]
    assert won.decided_by == winner.id
    for lost in results:
        if isinstance(lost, Conflict):
            assert lost.context["decidedBy"] == winner.name
            assert f"{winner.name} was faster" in lost.message
    assert facts(desk, job_id, "checkpoint.approved")["answer"] == won.response


def test_the_same_answer_with_the_same_key_gets_the_first_answer(desk: Desk, ana: Actor) -> None:
    _, on = desk.waiting(ROOT, answer=COLOUR)
    decide = desk.services.review.decide_once
    first = decide(ana, on, said("red"), idempotency_key="k")
    again = decide(ana, on, said("red"), idempotency_key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.checkpoint == first.checkpoint
    with pytest.raises(Conflict):
        decide(ana, on, said("green"), idempotency_key="k")


def test_an_answer_can_be_taken_back_and_given_anew(desk: Desk, ana: Actor) -> None:
    job_id, on = desk.waiting(ROOT, answer=COLOUR)
    desk.services.review.decide(ana, on, said("red"), hold=60)
    reopened = desk.services.review.undo(ana, on)
    assert (reopened.status, reopened.response) == (CheckpointStatus.PENDING, None)
    desk.services.review.decide(ana, on, said("green"))
    assert goes_on(desk) == [job_id]


def test_several_have_to_give_the_same_answer(desk: Desk, ana: Actor, ben: Actor) -> None:
    desk.services.policies.save(ROOT, "noop", Terms(required_approvals=2))
    job_id, on = desk.waiting(ROOT, answer=COLOUR)
    decide = desk.services.review.decide_once
    first = decide(ana, on, said("red"))
    assert first.tally is not None
    assert first.tally.words == "1 of 2 like answers"
    assert facts(desk, job_id, "checkpoint.voted")["answer"] == "red"
    other = decide(ben, on, said("green"))
    assert other.tally is not None
    assert other.tally.given == 1
    seen = desk.services.review.get(ana, on)
    assert [(one.user_name, one.given) for one in seen.votes] == [("Ana", "red"), ("Ben", "green")]
    with pytest.raises(Conflict, match="said this already"):
        decide(ana, on, said("red"))
    done = decide(ben, on, said("red"))
    assert (done.tally, done.checkpoint.response) == (None, "red")
    assert done.checkpoint.status is CheckpointStatus.APPROVED
    assert facts(desk, job_id, "checkpoint.approved")["agreed"] == ["Ana"]
    assert goes_on(desk) == [job_id]


def test_of_two_who_agreed_one_may_not_decide_any_more(desk: Desk, ana: Actor, ben: Actor) -> None:
    desk.services.policies.save(ROOT, "noop", Terms(required_approvals=2))
    job_id, on = desk.waiting(ROOT, answer=COLOUR)
    desk.services.review.decide(ana, on, said("red"))
    desk.services.review.decide(ben, on, said("red"))
    desk.services.access.set_disabled(ROOT, str(ana.id), disabled=True)
    assert goes_on(desk) == []
    assert desk.status(ROOT, job_id) == "WAITING"


def test_bulk_rejects_questions_but_does_not_answer_them(desk: Desk, ana: Actor) -> None:
    _, question = desk.waiting(ROOT, answer=COLOUR, default="red")
    _, plain = desk.waiting(ROOT)
    both = [Item(checkpoint_id=one) for one in (question, plain)]
    done = desk.services.review.decide_many(ana, both, APPROVE)
    assert [one.fate for one in done.rulings] == [Fate.NEEDS_ANSWER, Fate.DECIDED]
    assert "asks for an answer" in done.rulings[0].message
    with pytest.raises(Invalid) as refused:
        desk.services.review.decide_many(ana, both, said("red"))
    assert refused.value.fields[0].field == "action"
    done = desk.services.review.decide_many(ana, both[:1], REJECT)
    assert done.rulings[0].fate is Fate.DECIDED


@pytest.mark.parametrize("default", [None, "red"])
@pytest.mark.parametrize("then", [None, "fail", "reject", "approve", "default"])
def test_the_deadline_of_a_question(
    desk: Desk, ana: Actor, then: str | None, default: str | None
) -> None:
    if then:
        terms = Terms(deadline=Deadline(then=AtDeadline(then)))
        desk.services.policies.save(ROOT, "noop", terms)
    job_id, on = desk.waiting(ROOT, answer=COLOUR, default=default, expires_in=HOUR)
    desk.clock.advance(HOUR)
    assert expire_due(desk.db) == 1
    point = desk.services.review.get(ana, on).checkpoint
    if then == "reject":
        assert (point.status, point.response) == (CheckpointStatus.REJECTED, None)
    elif then == "fail" or default is None:
        assert (point.status, point.response) == (CheckpointStatus.EXPIRED, None)
        assert facts(desk, job_id, "checkpoint.expired")["atDeadline"] == "fail"
    else:
        assert (point.status, point.response) == (CheckpointStatus.APPROVED, "red")
        assert (point.decided_by, point.decided_by_name) == ("policy", "policy")
        told = facts(desk, job_id, "checkpoint.approved")
        assert (told["atDeadline"], told["answer"]) == ("default", "red")
    assert goes_on(desk) == [job_id]


def test_a_default_is_no_approval_of_what_is_no_question(desk: Desk, ana: Actor) -> None:
    terms = Terms(deadline=Deadline(then=AtDeadline.DEFAULT))
    desk.services.policies.save(ROOT, "noop", terms)
    _, on = desk.waiting(ROOT, expires_in=HOUR)
    desk.clock.advance(HOUR)
    assert expire_due(desk.db) == 1
    assert desk.services.review.get(ana, on).checkpoint.status is CheckpointStatus.EXPIRED


def test_who_answers_at_the_deadline_is_told_that_the_default_was_faster(
    desk: Desk, ana: Actor
) -> None:
    _, on = desk.waiting(ROOT, answer=COLOUR, default="red", expires_in=HOUR)
    desk.clock.advance(HOUR)
    with pytest.raises(Conflict, match="policy was faster: the checkpoint is APPROVED"):
        desk.services.review.decide(ana, on, said("green"))
    assert desk.services.review.get(ana, on).checkpoint.response == "red"
