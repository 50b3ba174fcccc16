"""What is news, what is said of it, and when it is said again."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.notifications import Subscription, Topic, Way, topic_of, wait_before
from agent_console.services.notification_messages import MAX_MESSAGE, body_of, words
from agent_console.store.outbox import Facts, News


@pytest.mark.parametrize(
    ("action", "after", "topic"),
    [
        ("checkpoint.created", "PENDING", Topic.NEW),
        ("checkpoint.created", "APPROVED", None),
        ("checkpoint.created", None, None),
        ("checkpoint.reopened", "PENDING", Topic.NEW),
        ("checkpoint.undone", "PENDING", None),
        ("checkpoint.approved", "APPROVED", Topic.DECIDED),
        ("checkpoint.changes_requested", "CHANGES_REQUESTED", Topic.DECIDED),
        ("checkpoint.expired", "EXPIRED", Topic.DECIDED),
        ("checkpoint.canceled", "CANCELED", Topic.DECIDED),
        ("checkpoint.reused", "APPROVED", None),
        ("checkpoint.claimed", None, None),
        ("checkpoint.reminded", None, Topic.REMINDER),
        ("checkpoint.escalated", "PENDING", Topic.ESCALATION),
        ("job.created", "PENDING", None),
    ],
)
def test_events_are_news_by_their_names(
    action: str, after: str | None, topic: Topic | None
) -> None:
    assert topic_of(action, after) is topic


@pytest.mark.parametrize(
    ("minutes", "topic", "deadline", "until"),
    [
        (0, Topic.NEW, None, None),
        (15, Topic.NEW, None, 4_500),
        (60, Topic.DECIDED, None, 7_200),
        (1_440, Topic.NEW, None, 86_400),
        (60, Topic.REMINDER, None, None),
        (60, Topic.ESCALATION, None, None),
        (60, Topic.NEW, 7_200, None),
        (60, Topic.NEW, 7_201, 7_200),
        (60, Topic.DECIDED, 100, 7_200),
    ],
)
def test_what_can_wait_is_gathered_until_the_window_ends(
    minutes: int, topic: Topic, deadline: int | None, until: int | None
) -> None:
    epoch = datetime.fromtimestamp(0, UTC)
    one = Subscription(
        id="sub_1", name="N", way=Way.WEBHOOK, shown="", shared=True, owner_id=None, owner_name="",
        topics=(), job_types=(), decidable=False, reminders=(), digest_minutes=minutes,
        enabled=True, disabled_reason="", active_since=epoch, failing_since=None,
        created_at=epoch, updated_at=epoch,
    )  # fmt: skip
    for at in (3_600, 4_499):
        found = one.gathers_until(
            topic, at * MICROSECONDS, None if deadline is None else deadline * MICROSECONDS
        )
        assert found == (None if until is None else until * MICROSECONDS)


LINK = "https://c.example/admin/agent-checkpoints/chk_1"


def told(message: str, topic: Topic = Topic.NEW, **news: object) -> tuple[str, str]:
    facts = Facts(
        id="chk_1", job_id="job_1", status="PENDING", message=message, created_at=0,
        expires_at=86_400_000_000, undo_until=None, escalated_at=None, payload_head="",
        job_type="noop", requested_by=None, requested_by_name=None,
    )  # fmt: skip
    given = {"key": "k", "topic": topic, "at": 0, "checkpoint_id": "chk_1", "status": "PENDING"}
    return words(topic, json.loads(body_of(News(**given | news), facts, "https://c.example")))


def test_words_say_what_waits_until_when_and_where() -> None:
    assert told("May I?", Topic.REMINDER, percent=10) == (
        "Still waiting for a decision: noop",
        f"May I?\nDeadline: 1970-01-02 00:00 UTC (10 % of the time is left)\nOpen: {LINK}",
    )
    title, text = told("May I?", Topic.DECIDED, status="CHANGES_REQUESTED", by="Ray")
    assert title == "Changes requested: noop"
    assert "Changes requested by Ray." in text


def test_what_an_agent_wrote_rings_no_bell_leads_nowhere_and_hides_nothing() -> None:
    _, text = told("@everyone <!channel> [ok](https://evil.example) `x` www.evil.example \u202e!")
    first, *rest = text.split("\n")
    assert not {"@", "<", ">", "[", "`"} & set(first)
    assert "://" not in first
    assert "www." not in first
    assert "⟨U+202E⟩" in first
    assert rest[-1] == f"Open: {LINK}"


def test_a_long_message_is_cut_and_known_secrets_are_taken_out() -> None:
    _, text = told("line\n" * 1000)
    assert len(text.split("\n")[0]) == MAX_MESSAGE
    _, text = told("call with password=hunter2hunter2")
    assert "hunter2" not in text


def test_waits_are_spread_and_end() -> None:
    rng = random.Random(7)
    waits = [wait_before(tries, (5.0, 30.0), rng) for tries in (1, 2, 3)]
    assert waits[2] is None
    for wait, base in zip(waits, (5.0, 30.0), strict=False):
        assert wait is not None
        assert base * 0.8 <= wait <= base * 1.2
    assert len({wait_before(1, (5.0,), rng) for _ in range(10)}) == 10
