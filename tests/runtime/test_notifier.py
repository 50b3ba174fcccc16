"""A process that runs tells, by itself, and however it ends no message is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from agent_console.domain.access import local_operator
from agent_console.domain.notifications import DeliveryQuery, NewSubscription
from agent_console.runtime.notifier import Notifier
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.services.notification_feed import NewsFeed
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from tests.runtime.hosts import Changes, hosted
from tests.support.receiver import Received, Receiver, receiver
from tests.support.runs import start_worker, waiting_many

ROOT = local_operator("root")
SENDER = Path(__file__).parent / "notifying_process.py"
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def tarpit() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def services(db: Database, other: Receiver, tarpit: Receiver, tmp_path: Path) -> Services:
    start_worker(db)
    allowed = {**other.settings, "http_allow": (other.origin, tarpit.origin)}
    settings = Settings(data_dir=tmp_path, **allowed)
    return build_services(db, Registry([]), settings, ChangeFeed())


def subscribe(services: Services, other: Receiver, **new: Any) -> str:
    given = {"name": "h", "way": "webhook", "target": other.url, "shared": True}
    return services.notifications.create(ROOT, NewSubscription(**given | new)).subscription.id


def statuses(services: Services, subscription_id: str) -> list[str]:
    page = services.notifications.deliveries(ROOT, subscription_id, DeliveryQuery())
    return [one.status.value for one in page.items]


def test_a_host_tells_what_happens_without_being_asked(
    db: Database, services: Services, other: Receiver, tmp_path: Path
) -> None:
    changes = Changes(db)
    with hosted(db, tmp_path, desired=False, **other.settings):
        subscribe(services, other)
        waiting_many(db, 3)
        assert changes.until(lambda: len(other.received) == 3)
        assert len({request.message_id for request in other.received}) == 3


def test_without_subscriptions_nothing_is_written(db: Database, tmp_path: Path) -> None:
    feed = NewsFeed(db, origin="https://c.example", policy="auto")
    start_worker(db)
    waiting_many(db, 3)
    writes: list[object] = []
    db.watch(writes.append)
    assert feed.collect() == 0
    assert feed.seconds_to_next() is None
    assert writes == []
    with db.read() as reader:
        assert reader.rows("SELECT * FROM notification_cursor") == []
    assert tmp_path.exists()


def test_a_slow_receiver_holds_up_neither_the_others_nor_the_end(
    services: Services, db: Database, other: Receiver, tarpit: Receiver
) -> None:
    slow = subscribe(services, other, target=tarpit.url)
    quick = subscribe(services, other)
    held, release = threading.Event(), threading.Event()
    tarpit.meanwhile = lambda _: (held.set(), release.wait(20))
    waiting_many(db, 1)
    feed = NewsFeed(db, origin="https://c.example", policy="auto")
    notifier, changes = Notifier(feed, services.notifications._dispatcher), Changes(db)
    began = monotonic()
    assert notifier.work() == 4  # two messages, two threads
    assert monotonic() - began < 5
    assert held.wait(10)
    assert changes.until(lambda: statuses(services, quick) == ["sent"])
    began = monotonic()
    notifier.stop(0.2)
    assert monotonic() - began < 2
    assert notifier.work() == 0
    assert statuses(services, slow) == ["pending"]
    release.set()
    assert changes.until(lambda: statuses(services, slow) == ["sent"])


def test_a_process_killed_between_sending_and_recording_has_it_sent_again_under_the_same_id(
    database_url: str, services: Services, db: Database, other: Receiver, tmp_path: Path
) -> None:
    one = subscribe(services, other)
    waiting_many(db, 1)

    def run() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(SENDER), database_url, other.origin, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )

    first = run()
    arrived = threading.Event()

    def kill(_: Received) -> None:
        """End the sender before it hears the answer."""
        other.meanwhile = lambda _request: None
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        arrived.set()

    other.meanwhile = kill
    assert arrived.wait(30)
    assert statuses(services, one) == ["pending"]
    second = run()
    try:
        changes = Changes(db)
        assert changes.until(lambda: statuses(services, one) == ["sent"])
    finally:
        second.kill()
        second.wait()
    assert len(other.received) == 2
    assert len({request.message_id for request in other.received}) == 1
    assert len({request.body for request in other.received}) == 1


def test_two_hosts_send_each_message_once(
    db: Database, services: Services, other: Receiver, tmp_path: Path
) -> None:
    one = subscribe(services, other)
    changes = Changes(db)
    with (
        hosted(db, tmp_path, desired=False, **other.settings),
        hosted(db, tmp_path, desired=False, **other.settings),
    ):
        waiting_many(db, 20)
        assert changes.until(lambda: statuses(services, one) == ["sent"] * 20)
    assert len(other.received) == len({request.message_id for request in other.received}) == 20
