"""Subscriptions and messages over REST: own ones, and no secret in any answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from standardwebhooks.webhooks import Webhook

from agent_console.domain.access import Role
from agent_console.services.notification_feed import NewsFeed
from tests.api.conftest import Door
from tests.support.receiver import Receiver, receiver

ALL = "/api/notifications/subscriptions"


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def door(make_door: Callable[..., Door], other: Receiver) -> Door:
    return make_door(**other.settings)


def test_a_subscription_from_its_beginning_to_its_end(door: Door, other: Receiver) -> None:
    client, operator = door.as_role(Role.REVIEWER), door.as_role(Role.OPERATOR)
    answer = client.post(ALL, json={"name": "Mine", "way": "webhook", "target": other.url})
    assert answer.status_code == 201, answer.text
    made, secret = answer.json()["subscription"], answer.json()["secret"]
    one = f"{ALL}/{made['id']}"
    assert answer.headers["location"] == one
    assert (made["shown"], made["enabled"]) == (f"{other.origin}/…", True)
    assert made["topics"] == ["new", "reminder", "escalation"]
    assert made["reminders"] == [50, 10]

    sent = client.post(f"{one}/test").json()["delivery"]
    assert (sent["topic"], sent["status"]) == ("test", "sent")
    door.clock.advance(1)
    _, checkpoint_id = door.waiting(operator)
    NewsFeed(door.db, origin="https://c.example", policy="auto").collect()
    page = client.get(f"{one}/deliveries", params={"limit": 1}).json()
    (message,) = page["deliveries"]
    assert (message["topic"], message["checkpointId"]) == ("new", checkpoint_id)
    assert message["status"] == "pending"
    after = {"cursor": page["pagination"]["nextCursor"]}
    older = client.get(f"{one}/deliveries", params=after).json()
    assert [each["id"] for each in older["deliveries"]] == [sent["id"]]
    refused = client.post(f"{one}/deliveries/{message['id']}/redeliver")
    assert refused.status_code == 409
    again = client.post(f"{one}/deliveries/{sent['id']}/redeliver")
    assert again.json()["delivery"]["status"] == "pending"

    assert made["digestMinutes"] == 0
    gathers = client.patch(one, json={"digestMinutes": 60})
    assert gathers.json()["subscription"]["digestMinutes"] == 60
    changed = client.patch(one, json={"enabled": False, "jobTypes": ["noop"], "reminders": []})
    assert changed.json()["subscription"]["digestMinutes"] == 60
    assert changed.json()["secret"] is None
    assert changed.json()["subscription"] == client.get(one).json()["subscription"]
    assert changed.json()["subscription"]["enabled"] is False
    assert client.get(ALL).json()["subscriptions"] == [changed.json()["subscription"]]
    assert secret not in client.get(one).text
    assert "s3cret-path" not in answer.text + client.get(one).text + client.get(ALL).text

    assert client.delete(one).json() == {"success": True}
    assert client.get(one).status_code == 404
    assert client.get(f"{one}/deliveries").status_code == 404


def test_the_librarys_own_verifier_accepts_a_request(
    make_door: Callable[..., Door], other: Receiver
) -> None:
    from agent_console.domain.clock import SystemClock

    door = make_door(**other.settings)
    door.services.notifications._dispatcher._clock = SystemClock()  # the verifier's clock, too
    client = door.as_role(Role.VIEWER)
    body = {"name": "Mine", "way": "webhook", "target": other.url}
    made = client.post(ALL, json=body).json()
    client.post(f"{ALL}/{made['subscription']['id']}/test")
    (request,) = other.received
    told = Webhook(made["secret"]).verify(request.body, request.headers)
    assert told["type"] == "checkpoint.test"


def test_others_do_not_find_it_and_shared_ones_are_for_admins(door: Door, other: Receiver) -> None:
    body = {"name": "Mine", "way": "webhook", "target": other.url}
    ann, admin = door.as_role(Role.VIEWER), door.as_role(Role.ADMIN)
    mine = ann.post(ALL, json=body).json()["subscription"]["id"]
    assert ann.post(ALL, json={**body, "shared": True}).status_code == 403
    shared = admin.post(ALL, json={**body, "shared": True}).json()["subscription"]["id"]
    for client, theirs in ((ann, shared), (admin, mine)):
        one = f"{ALL}/{theirs}"
        asked = [
            client.get(one),
            client.patch(one, json={"name": "x"}),
            client.delete(one),
            client.post(f"{one}/test"),
            client.get(f"{one}/deliveries"),
            client.post(f"{one}/deliveries/msg_x/redeliver"),
        ]
        assert {answer.status_code for answer in asked} == {404}
    assert other.received == []


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("target", {"target": "https://internal.example/canary-path"}),
        ("target", {"way": "apprise", "target": "file:///canary-path"}),
        ("secret", {"secret": "canary-path"}),
        ("way", {"way": "canary-path"}),
        ("topics", {"topics": []}),
        ("reminders", {"reminders": [100]}),
        ("digestMinutes", {"digestMinutes": 1_441}),
        ("target", {"target": "canary-path" * 1000}),
    ],
)
def test_a_refusal_names_the_field_and_repeats_nothing(
    door: Door, other: Receiver, field: str, body: dict[str, object]
) -> None:
    given = {"name": "Mine", "way": "webhook", "target": other.url}
    answer = door.as_role(Role.VIEWER).post(ALL, json=given | body)
    assert answer.status_code == 422
    assert [one["field"].partition(".")[0] for one in answer.json()["errors"]] == [field]
    assert "canary-path" not in answer.text
