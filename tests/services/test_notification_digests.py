"""What can wait is gathered: one message when the window ends, of all that is news by then."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.clock import to_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.notifications import DeliveryStatus, SubscriptionChange, Topic, Way
from agent_console.services.notification_messages import digest_body, words
from agent_console.store import deliveries, digests, outbox
from agent_console.store.outbox import News
from tests.services.test_notifications import (
    ROOT,
    Post,
    ann,  # noqa: F401 - a fixture, as the next ones
    other,  # noqa: F401
    post,  # noqa: F401
    ray,  # noqa: F401
)
from tests.support.runs import claim_one

APPROVE, REJECT = CheckpointVerb.APPROVE, CheckpointVerb.REJECT
HOUR = 3_600


def on_the_hour(post: Post) -> None:  # noqa: F811 - of the fixture
    """Move the clock to the beginning of an hour."""
    post.desk.clock.advance(HOUR - post.desk.clock.now().timestamp() % HOUR)


def sent(post: Post) -> list[Any]:  # noqa: F811
    return [json.loads(one.body) for one in post.other.received]


def test_what_happens_in_an_hour_is_one_message(post: Post, ann: Actor, ray: Actor) -> None:  # noqa: F811
    one, at_once = post.subscribe(digest_minutes=60), post.subscribe(topics=("new",))
    on_the_hour(post)
    _, first = post.desk.waiting(ann)
    feeds = [post.feed() for _ in range(3)]
    assert [feed.collect() for feed in feeds] == [2, 0, 0]
    post.desk.clock.advance(HOUR - 1)
    _, second = post.desk.waiting(ann)
    post.decide(ray, first, REJECT, reason="No.")
    assert [feed.collect() for feed in feeds] == [1, 0, 0], "the one that is told at once"
    post.send()
    assert [body["type"] for body in sent(post)] == ["checkpoint.new", "checkpoint.new"]
    assert post.told(one) == ["digest"]
    assert post.told(at_once) == ["new", "new"]
    post.desk.clock.advance(1)
    assert (post.send(), post.send()) == (1, 0)
    body = sent(post)[-1]
    assert body["type"] == "checkpoint.digest"
    told = [(n["type"], n["data"]["checkpointId"]) for n in body["data"]["notices"]]
    # A program hears of all that happened, to the end of the window and not beyond.
    assert told == [
        ("checkpoint.new", first), ("checkpoint.new", second), ("checkpoint.decided", first),
    ]  # fmt: skip
    assert body["data"]["notices"][1]["data"]["url"].endswith(second)
    assert body["data"]["message"] == "2 decisions needed, 1 decided"
    (message,) = post.messages(one)
    assert (message.status, message.id) == (DeliveryStatus.SENT, post.other.received[-1].message_id)
    claim_one(post.desk.db)  # the job that was woken
    post.desk.waiting(ann)
    post.collect()
    assert post.told(one) == ["digest", "digest"], "the next hour has its own"


def test_what_is_urgent_does_not_wait(post: Post, ann: Actor) -> None:  # noqa: F811
    one = post.subscribe(digest_minutes=60)
    on_the_hour(post)
    post.desk.waiting(ann, expires_in=timedelta(minutes=59))
    post.collect()
    assert post.told(one) == ["new"], "it expires before the message would go"
    post.desk.clock.advance(30 * 60)
    post.desk.waiting(ann, expires_in=timedelta(minutes=31))
    post.collect()
    assert sorted(post.told(one)) == ["digest", "new", "reminder"]
    post.desk.clock.advance(16 * 60)
    post.collect()
    assert post.told(one)[3:] == ["reminder"], "of the second by now"
    assert (post.send(), [body["type"] for body in sent(post)][1:]) == (
        3,
        ["checkpoint.reminder", "checkpoint.reminder"],
    )


def test_a_failure_and_a_crash_lose_nothing(post: Post, ann: Actor) -> None:  # noqa: F811
    one = post.subscribe(digest_minutes=15)
    on_the_hour(post)
    post.desk.waiting(ann)
    post.collect()
    post.desk.clock.advance(15 * 60)
    taken = post.desk.db.write(lambda tx: deliveries.take(tx, one.id, post.dispatcher.lease))
    assert taken is not None
    # What is being sent is complete; what comes now has a message of its own.
    (news,) = digests.notices(taken.body)
    now = to_micros(post.desk.clock.now())
    post.desk.db.write(lambda tx: digests.gather(tx, one.id, news, earliest=0, until=now))
    assert [len(digests.notices(json.dumps(m.body))) for m in post.messages(one)] == [1, 1]
    post.other.answers = [500]
    post.desk.clock.advance(post.dispatcher.lease + 1)
    assert post.send() == 2
    post.desk.clock.advance(10)
    assert post.send() == 1
    ids = [request.message_id for request in post.other.received]
    assert len(ids) == 3
    assert set(ids) == {message.id for message in post.messages(one)}
    assert {message.status.value for message in post.messages(one)} == {"sent"}


def test_more_than_a_message_holds_makes_another(
    post: Post,  # noqa: F811
    ann: Actor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digests, "MAX_NOTICES", 2)
    one = post.subscribe(digest_minutes=60, topics=("new",))
    on_the_hour(post)
    asked = [post.desk.waiting(ann)[1] for _ in range(5)]
    post.collect()
    post.desk.clock.advance(HOUR)
    assert post.send() == 3
    told = [[n["data"]["checkpointId"] for n in body["data"]["notices"]] for body in sent(post)]
    assert [len(part) for part in told] == [2, 2, 1]
    assert [one for part in told for one in part] == asked
    assert post.told(one) == ["digest"] * 3


def test_a_decision_is_gathered_once_it_cannot_be_taken_back(
    post: Post,  # noqa: F811
    ann: Actor,  # noqa: F811
    ray: Actor,  # noqa: F811
) -> None:
    one = post.subscribe(digest_minutes=60, topics=("decided",))
    _, first = post.desk.waiting(ann)
    _, second = post.desk.waiting(ann)
    on_the_hour(post)
    post.desk.clock.advance(HOUR - 2)
    post.decide(ray, first, APPROVE)
    review = post.desk.services.review
    asked = review.get(ray, second).checkpoint
    verdict = Verdict(verb=APPROVE, payload_digest=asked.payload_digest)
    review.decide(ray, second, verdict, hold=5)
    post.collect()
    post.desk.clock.advance(2)
    post.send()
    assert [len(body["data"]["notices"]) for body in sent(post)] == [1], "the other may be undone"
    review.undo(ray, second)
    post.desk.clock.advance(HOUR)
    post.send()
    assert len(sent(post)) == 1
    statuses = [message.status for message in post.messages(one)]
    assert statuses == [DeliveryStatus.SENT, DeliveryStatus.DROPPED]


def test_people_are_told_what_they_can_act_upon_and_programs_everything(
    post: Post,  # noqa: F811
    ann: Actor,  # noqa: F811
    ray: Actor,  # noqa: F811
) -> None:
    asked = [post.desk.waiting(ann)[1] for _ in range(4)]
    post.decide(ray, asked[0], REJECT, reason="No.")
    post.decide(ray, asked[1], APPROVE)
    told = [
        News(key=f"{n}", topic=Topic.NEW, at=n, checkpoint_id=one, status="PENDING")
        for n, one in enumerate([*asked, asked[3], "chk_deleted"])
    ]
    # The latter was taken back: it waits again, and was not decided before.
    for n, one in ((8, asked[1]), (9, asked[2])):
        told.append(
            News(key="", topic=Topic.DECIDED, at=n, checkpoint_id=one, status="APPROVED", by="ray")
        )
    with post.desk.db.read() as reader:
        known = outbox.facts(reader, asked)
    body = json.loads(digest_body(told, known, Way.APPRISE, "https://c.example"))
    title, text = words("digest", body)
    assert title == "2 decisions needed, 1 decided"
    for one in asked[1:]:
        assert text.count(f"/admin/agent-checkpoints/{one}") == 1
    assert asked[0] not in text
    assert "Approved by ray." in text
    assert "1 more decided before this was sent." in text
    assert text.endswith("All that waits: https://c.example/admin/agent-checkpoints")
    body = json.loads(digest_body(told, known, Way.WEBHOOK, "https://c.example"))
    assert [one["data"]["checkpointId"] for one in body["data"]["notices"]] == [*asked, asked[1]]
    assert digest_body(told[:1], known, Way.APPRISE, "https://c.example") == ""


def test_nothing_of_a_job_is_kept_in_the_outbox(post: Post, ann: Actor) -> None:  # noqa: F811
    one = post.subscribe(digest_minutes=60)
    post.desk.waiting(ann)
    post.collect()
    (message,) = post.messages(one)
    assert "May I?" not in json.dumps(message.body)
    assert message.job_id is None


def test_how_long_is_changed_and_refused_by_its_field(post: Post) -> None:  # noqa: F811
    one = post.subscribe()
    for minutes in (-1, 1_441):
        with pytest.raises(Invalid) as refused:
            post.service.change(ROOT, one.id, SubscriptionChange(digest_minutes=minutes))
        assert refused.value.fields[0].field == "digestMinutes"
    post.service.change(ROOT, one.id, SubscriptionChange(digest_minutes=1_440))
    assert post.service.get(ROOT, one.id).digest_minutes == 1_440
    post.service.change(ROOT, one.id, SubscriptionChange(digest_minutes=0))
    assert post.service.get(ROOT, one.id).digest_minutes == 0
