"""What happened is told once to each who wants to hear of it, and arrives, or is seen not to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.events import Event
from agent_console.domain.notifications import (
    Delivery,
    DeliveryQuery,
    DeliveryStatus,
    NewSubscription,
    Subscription,
    SubscriptionChange,
    Topic,
)
from agent_console.domain.redaction import redact_text
from agent_console.domain.review_policies import Group, Reviewers, Terms
from agent_console.domain.reviewer_groups import GroupChange
from agent_console.services.notification_feed import NewsFeed
from agent_console.services.notification_sending import Dispatcher
from agent_console.services.notification_targets import new_secret
from agent_console.store import deliveries
from tests.services.conftest import Desk
from tests.support.receiver import Receiver, receiver

ROOT = local_operator("root")
EVERYTHING = tuple(Topic)
SECRET = new_secret()


@dataclass
class Post:
    """A desk whose notifications go to a receiver, and what a process does for them by hand."""

    desk: Desk
    other: Receiver

    def __post_init__(self) -> None:
        self.service = self.desk.services.notifications
        self.dispatcher: Dispatcher = self.service._dispatcher

    def feed(self) -> NewsFeed:
        """Return what another process would use."""
        return NewsFeed(self.desk.db, origin="https://c.example", policy="auto")

    def subscribe(self, actor: Actor = ROOT, **new: Any) -> Subscription:
        given = {
            "name": "Hook",
            "way": "webhook",
            "target": self.other.url,
            "secret": SECRET,
            "shared": actor is ROOT,
            "topics": EVERYTHING,
        }
        made = self.service.create(actor, NewSubscription(**given | new))
        self.desk.clock.advance(1)
        return made.subscription

    def collect(self) -> int:
        return self.feed().collect()

    def send(self) -> int:
        return sum(self.dispatcher.send_all(one, lambda: True) for one in self.dispatcher.due())

    def messages(self, one: Subscription, actor: Actor = ROOT) -> list[Delivery]:
        """Return what there is for the subscription, oldest first."""
        page = self.service.deliveries(actor, one.id, DeliveryQuery())
        return list(reversed(page.items))

    def told(self, one: Subscription, actor: Actor = ROOT) -> list[str]:
        return [message.topic for message in self.messages(one, actor)]

    def decide(self, actor: Actor, checkpoint_id: str, verb: CheckpointVerb, **said: Any) -> None:
        asked = self.desk.services.review.get(actor, checkpoint_id).checkpoint
        verdict = Verdict(verb=verb, payload_digest=asked.payload_digest, **said)
        self.desk.services.review.decide(actor, checkpoint_id, verdict)


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def post(make_desk: Callable[..., Desk], other: Receiver, tmp_path: Any) -> Post:
    settings = {"notify_retries": "5,30,120", "notify_failing_days": 2.0}
    return Post(make_desk(data_dir=tmp_path, **other.settings, **settings), other)


@pytest.fixture
def ann(post: Post) -> Actor:
    return post.desk.actor(Role.OPERATOR, "ann")


@pytest.fixture
def ray(post: Post) -> Actor:
    return post.desk.actor(Role.REVIEWER, "ray")


def test_a_life_of_a_checkpoint_is_told_once_however_many_look(
    post: Post, ann: Actor, ray: Actor
) -> None:
    post.desk.waiting(ann, expires_in=None)  # before anybody wanted to hear of it
    one = post.subscribe()
    _, checkpoint_id = post.desk.waiting(ann)
    feeds = [post.feed() for _ in range(4)]
    threads = [threading.Thread(target=feed.collect) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert post.told(one) == ["new"]
    post.desk.clock.advance(12 * 3600)
    assert [feed.collect() for feed in feeds] == [1, 0, 0, 0]
    post.desk.clock.advance(int(9.6 * 3600))
    assert [feed.collect() for feed in reversed(feeds)] == [1, 0, 0, 0]
    post.decide(ray, checkpoint_id, CheckpointVerb.REJECT, reason="No.")
    assert [feed.collect() for feed in feeds] == [1, 0, 0, 0]
    assert post.told(one) == ["new", "reminder", "reminder", "decided"]
    assert [m.body["data"].get("percentLeft") for m in post.messages(one)] == [None, 50, 10, None]
    decided = post.messages(one)[-1].body["data"]
    assert (decided["status"], decided["decidedBy"]) == ("REJECTED", "ray")


def test_an_expiry_is_told_and_what_came_due_while_nobody_looked(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    _, checkpoint_id = post.desk.waiting(ann, expires_in=timedelta(hours=1))
    post.desk.clock.advance(3590)
    assert post.collect() == 3
    assert sorted(post.told(one)) == ["new", "reminder", "reminder"]
    post.desk.clock.advance(20)
    from agent_console.store.deadlines import expire_due

    assert expire_due(post.desk.db) == 1
    post.collect()
    assert post.messages(one)[-1].body["data"]["status"] == "EXPIRED"
    assert post.messages(one)[-1].checkpoint_id == checkpoint_id


def test_events_of_others_are_understood_by_their_names(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    job_id, checkpoint_id = post.desk.waiting(ann)
    post.desk.db.write(
        lambda tx: tx.record(
            *(
                Event(action=f"checkpoint.{what}", job_id=job_id, checkpoint_id=checkpoint_id)
                for what in ("reminded", "escalated", "claimed", "released")
            )
        )
    )
    post.collect()
    assert post.told(one) == ["new", "reminder", "escalation"]


def test_filters_by_topic_type_and_what_one_may_decide(post: Post, ann: Actor, ray: Actor) -> None:
    asking = post.subscribe(name="asking", topics=("new",))
    other_type = post.subscribe(name="other", job_types=("write",))
    same_type = post.subscribe(name="same", job_types=("noop", "write"))
    mine = post.subscribe(ray, name="mine", decidable=True)
    operator = post.subscribe(ann, name="ann", decidable=True)
    admin = post.desk.actor(Role.ADMIN, "eve")
    hers = post.subscribe(admin, name="hers", decidable=True)
    _, checkpoint_id = post.desk.waiting(ann)
    _, own = post.desk.waiting(admin)  # who may not decide that herself: ray may
    post.collect()
    post.decide(ray, checkpoint_id, CheckpointVerb.REJECT, reason="No.")
    post.collect()
    assert post.told(asking) == ["new", "new"]
    assert post.told(other_type) == []
    assert post.told(same_type) == ["new", "new", "decided"]
    assert post.told(mine, ray) == ["new", "new", "decided"]
    assert post.told(operator, ann) == []
    assert post.told(hers, admin) == ["new", "decided"]
    post.desk.services.access.set_disabled(ROOT, ray.id or "", True)
    post.decide(ROOT, own, CheckpointVerb.REJECT, reason="No.")
    # Told to the shared one, and to eve, who by now is the only one who may decide.
    assert post.collect() == 2
    assert len(post.told(mine, ray)) == 3


def test_members_of_a_group_hear_of_what_their_policy_asks_them(post: Post, ray: Actor) -> None:
    groups, people = post.desk.services.groups, [ray, post.desk.actor(Role.REVIEWER, "eve")]
    asked = groups.create(ROOT, "Security", [str(ray.id)])
    terms = Terms(deciders=Reviewers(roles=(), groups=(Group(id=asked.id),)))
    post.desk.services.policies.save(ROOT, "noop", terms)
    own = [post.subscribe(one, name="Mine", decidable=True) for one in people]

    def told() -> list[int]:
        post.desk.waiting(ROOT, expires_in=None)
        post.collect()
        return [len(post.told(one, who)) for one, who in zip(own, people, strict=True)]

    assert told() == [1, 0]
    moved = GroupChange(add=(str(people[1].id),), remove=(str(ray.id),))
    groups.change(ROOT, asked.id, moved)
    assert told() == [1, 1], "whoever is in the group by now, and nobody who has left"


def test_a_webhook_is_signed_and_its_body_holds_what_is_needed_and_no_payload(
    post: Post, ann: Actor
) -> None:
    one = post.subscribe()
    job_id, checkpoint_id = post.desk.waiting(ann, {"card": "4711-payload"})
    post.collect()
    assert post.send() == 1
    (request,) = post.other.received
    assert request.path == "/hooks/s3cret-path"
    # The clock of this test stands in another year: the library compares with the machine's.
    with pytest.raises(WebhookVerificationError, match="timestamp"):
        Webhook(SECRET).verify(request.body, request.headers)
    assert signature_holds(request.headers, request.body, SECRET)
    assert not signature_holds(request.headers, request.body, new_secret())
    body = json.loads(request.body)
    assert body["type"] == "checkpoint.new"
    assert body["data"]["jobType"] == "noop"
    assert body["data"]["message"] == "May I?"
    assert body["data"]["url"] == f"https://c.example/admin/agent-checkpoints/{checkpoint_id}"
    assert (body["data"]["jobId"], body["data"]["status"]) == (job_id, "PENDING")
    assert b"4711-payload" not in request.body
    (message,) = post.messages(one)
    assert message.id == request.message_id
    assert message.status is DeliveryStatus.SENT
    assert message.attempts[0].status_code == 204


def signature_holds(headers: dict[str, str], body: bytes, secret: str) -> bool:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    made = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return made == headers["webhook-signature"]


def test_a_failure_is_tried_again_by_the_schedule_under_the_same_id(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    post.desk.waiting(ann)
    post.collect()
    post.other.answers = [500, 302, 404]
    waits = []
    for wait in (5, 30, 120):
        assert post.send() == 1
        (message,) = post.messages(one)
        assert message.next_at is not None
        waits.append((message.next_at - post.desk.clock.now()).total_seconds())
        assert wait * 0.8 <= waits[-1] <= wait * 1.2
        assert post.send() == 0
        post.desk.clock.advance(wait * 1.2)
    assert waits != [5, 30, 120]
    assert post.send() == 1
    assert len({r.message_id for r in post.other.received}) == 1
    assert len({r.body for r in post.other.received}) == 1
    (message,) = post.messages(one)
    assert [a.status_code for a in message.attempts] == [500, 302, 404, 204]
    assert message.status is DeliveryStatus.SENT
    assert post.service.get(ROOT, one.id).failing_since is None


def test_what_failed_for_good_is_sent_again_by_hand(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    post.desk.waiting(ann)
    post.collect()
    post.other.answers = [500] * 4
    for _ in range(4):
        post.send()
        post.desk.clock.advance(200)
    (message,) = post.messages(one)
    assert (message.status, message.next_at) == (DeliveryStatus.FAILED, None)
    again = post.service.redeliver(ROOT, one.id, message.id)
    assert again.status is DeliveryStatus.PENDING
    with pytest.raises(Conflict):
        post.service.redeliver(ROOT, one.id, message.id)
    assert post.send() == 1
    assert post.messages(one)[0].status is DeliveryStatus.SENT
    assert {r.message_id for r in post.other.received} == {message.id}
    assert len(post.messages(one)[0].attempts) == 5
    assert "notification.redelivered" in actions(post)


def test_gone_turns_a_subscription_off_and_so_do_days_without_success(
    post: Post, ann: Actor
) -> None:
    gone, ill = post.subscribe(name="gone"), post.subscribe(name="ill")
    post.desk.waiting(ann)
    post.desk.waiting(ann)
    post.collect()
    post.other.answers = [410]
    assert post.dispatcher.send_all(gone.id, lambda: True) == 1
    off = post.service.get(ROOT, gone.id)
    assert (off.enabled, "410" in off.disabled_reason) == (False, True)
    assert [m.status.value for m in post.messages(gone)] == ["dropped", "dropped"]
    post.other.answers = [503] * 10
    post.dispatcher.send_all(ill.id, lambda: True)
    assert post.service.get(ROOT, ill.id).failing_since is not None
    post.desk.clock.advance(2 * 86_400)
    post.dispatcher.send_all(ill.id, lambda: True)
    assert "Nothing has arrived since" in post.service.get(ROOT, ill.id).disabled_reason
    assert actions(post).count("notification.disabled") == 2
    post.desk.waiting(ann)
    assert post.collect() == 0

    on = post.service.change(ROOT, ill.id, SubscriptionChange(enabled=True)).subscription
    assert (on.enabled, on.disabled_reason, on.failing_since) == (True, "", None)
    post.desk.clock.advance(1)
    post.desk.waiting(ann)
    assert post.collect() == 1  # what happened while it was off is not told


def actions(post: Post) -> list[str]:
    with post.desk.db.read() as reader:
        return [row[0] for row in reader.rows("SELECT action FROM audit_logs ORDER BY seq")]


def test_who_dies_while_sending_leaves_a_message_that_comes_due_again(
    post: Post, ann: Actor
) -> None:
    one = post.subscribe()
    post.desk.waiting(ann)
    post.collect()
    lease = post.dispatcher.lease
    dead = post.desk.db.write(lambda tx: deliveries.take(tx, one.id, lease))
    assert dead is not None
    assert post.dispatcher.due() == []  # nobody else sends it meanwhile
    post.desk.clock.advance(lease + 1)
    assert post.send() == 1
    assert post.other.received[0].message_id == dead.id
    # The one that was thought dead wakes up: what it says about its attempt counts no more.
    post.other.answers = [500]
    post.dispatcher.send(dead)
    assert post.messages(one)[0].status is DeliveryStatus.SENT


def test_two_processes_never_send_the_same_attempt(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    for _ in range(12):
        post.desk.waiting(ann)
    post.collect()
    threads = [
        threading.Thread(target=post.dispatcher.send_all, args=(one.id, lambda: True))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [request.message_id for request in post.other.received]
    assert len(sent) == len(set(sent)) == 12
    assert all(len(m.attempts) == 1 for m in post.messages(one))


def test_a_decision_is_told_once_it_cannot_be_taken_back(
    make_desk: Callable[..., Desk], other: Receiver, tmp_path: Any
) -> None:
    post = Post(make_desk(data_dir=tmp_path, **other.settings), other)
    ann, ray = post.desk.actor(Role.OPERATOR, "ann"), post.desk.actor(Role.REVIEWER, "ray")
    one = post.subscribe(topics=("decided",))
    review = post.desk.services.review
    _, first = post.desk.waiting(ann)
    _, second = post.desk.waiting(ann)
    for checkpoint_id in (first, second):
        asked = review.get(ray, checkpoint_id).checkpoint
        verdict = Verdict(verb=CheckpointVerb.APPROVE, payload_digest=asked.payload_digest)
        review.decide(ray, checkpoint_id, verdict, hold=5)
    post.collect()
    assert post.send() == 0
    review.undo(ray, first)
    post.desk.clock.advance(6)
    post.collect()
    post.send()
    assert [json.loads(r.body)["data"]["checkpointId"] for r in other.received] == [second]
    assert [m.status.value for m in post.messages(one)] == ["dropped", "sent"]


def test_a_test_is_sent_at_once_and_says_what_became_of_it(post: Post) -> None:
    one = post.subscribe()
    sent = post.service.test(ROOT, one.id)
    assert (sent.topic, sent.status) == ("test", DeliveryStatus.SENT)
    post.other.answers = [500]
    failed = post.service.test(ROOT, one.id)
    assert (failed.status, failed.next_at) == (DeliveryStatus.FAILED, None)
    assert failed.attempts[0].error == "The answer was 500."
    assert json.loads(post.other.received[0].body)["type"] == "checkpoint.test"


def test_a_subscription_belongs_to_its_owner_and_shared_ones_to_admins(
    post: Post, ann: Actor, ray: Actor
) -> None:
    mine, shared = post.subscribe(ann), post.subscribe()
    assert [one.id for one in post.service.page(ann)] == [mine.id]
    assert [one.id for one in post.service.page(ROOT)] == [shared.id]
    for actor, other in ((ray, mine), (ann, shared), (ROOT, mine)):
        with pytest.raises(NotFound):
            post.service.get(actor, other.id)
        with pytest.raises(NotFound):
            post.service.test(actor, other.id)
        with pytest.raises(NotFound):
            post.service.delete(actor, other.id)
    with pytest.raises(Forbidden):
        post.subscribe(ann, shared=True)
    post.service.delete(ann, mine.id)
    assert post.service.page(ann) == []


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("target", {"target": "https://elsewhere.example/secret-x"}),
        ("target", {"target": "nonsense"}),
        ("target", {"way": "apprise", "secret": None, "target": "json://localhost/secret-x"}),
        ("target", {"way": "apprise", "secret": None, "target": "slack://secret-x"}),
        (
            "target",
            {"way": "apprise", "secret": None, "target": "discord://secret-x/b?template=/etc/x"},
        ),
        ("secret", {"way": "apprise", "target": "discord://1234/secret-x"}),
        ("secret", {"secret": "whsec_secret-x"}),
        ("way", {"way": "pigeon"}),
        ("topics", {"topics": ("gossip",)}),
        ("topics", {"topics": ()}),
        ("name", {"name": " "}),
        ("reminders", {"reminders": (0,)}),
        ("decidable", {"decidable": True}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_and_a_target_is_not_repeated(
    post: Post, field: str, new: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        post.subscribe(**new)
    assert [one.field for one in refused.value.fields] == [field]
    assert "secret-x" not in str(refused.value)


def test_a_plain_word_that_was_refused_is_no_secret(post: Post) -> None:
    line = "Compared 2 files with the workspace: 2 to write"
    for new in ({"target": "workspace"}, {"secret": "workspace"}):
        with pytest.raises(Invalid):
            post.subscribe(**new)
    assert redact_text(line) == line


def test_a_secret_that_was_made_is_told_once_and_a_changed_target_keeps_it(post: Post) -> None:
    made = post.service.create(
        ROOT, NewSubscription(name="h", way="webhook", target=post.other.url, shared=True)
    )
    assert made.secret is not None
    one = made.subscription
    assert one.shown == f"{post.other.origin}/…"
    moved = SubscriptionChange(target=f"{post.other.origin}/moved", topics=("decided",))
    changed = post.service.change(ROOT, one.id, moved)
    assert changed.secret is None
    assert changed.subscription.topics == ("decided",)
    with post.desk.db.read() as reader:
        sql = "SELECT data FROM audit_logs WHERE action = 'notification.changed'"
        (said,) = [json.loads(row[0]) for row in reader.rows(sql)]
    assert said["changed"] == ["topics", "target"]
    post.service.test(ROOT, one.id)
    (request,) = post.other.received
    assert request.path == "/moved"
    assert signature_holds(request.headers, request.body, made.secret)
    with post.desk.db.read() as reader:
        held = repr(reader.rows("SELECT * FROM notification_subscriptions"))
        held += repr(reader.rows("SELECT * FROM audit_logs"))
    assert made.secret not in held
    assert "moved" not in held


def test_old_messages_are_forgotten_unless_they_could_come_again(post: Post, ann: Actor) -> None:
    one = post.subscribe()
    post.desk.waiting(ann, expires_in=timedelta(days=100))
    post.desk.clock.advance(51 * 86_400)
    post.service.test(ROOT, one.id)
    assert post.collect() == 2
    post.send()
    post.desk.clock.advance(31 * 86_400)
    assert post.desk.db.write(lambda tx: deliveries.prune(tx, 30 * 86_400)) == 1
    assert sorted(post.told(one)) == ["new", "reminder"]
    assert post.collect() == 0
