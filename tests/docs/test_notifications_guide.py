"""The receiver of the guide works, and hears what the guide says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_console.domain.access import local_operator
from agent_console.domain.notifications import DeliveryStatus, NewSubscription
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.services.notification_feed import NewsFeed
from agent_console.services.notification_targets import new_secret
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from tests.support.programs import Program, running
from tests.support.runs import start_worker, waiting_many

GUIDE = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
(RECEIVER,) = re.findall(r"^```python\n(# receiver\.py\n.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
(BODY,) = re.findall(r"^```json\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
ROOT = local_operator("root")
SECRET = new_secret()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    script = tmp_path / "receiver.py"
    script.write_text(RECEIVER, "utf-8")
    with running(script, "0", WEBHOOK_SECRET=SECRET) as made:
        yield made


@pytest.fixture
def services(db: Database, program: Program, tmp_path: Path) -> Services:
    settings = Settings(
        data_dir=tmp_path,
        http_allow=(f"http://127.0.0.1:{program.port}",),
        http_allow_private=("127.0.0.1/32",),
    )
    return build_services(db, Registry([]), settings, ChangeFeed())


def test_the_receiver_of_the_guide_prints_what_is_told_and_refuses_what_is_not_signed(
    db: Database, services: Services, program: Program
) -> None:
    start_worker(db)
    url = f"http://127.0.0.1:{program.port}/"
    service = services.notifications

    def subscribe(secret: str) -> str:
        new = NewSubscription(name="g", way="webhook", target=url, secret=secret, shared=True)
        return service.create(ROOT, new).subscription.id

    wrong = service.test(ROOT, subscribe(new_secret()))
    assert wrong.attempts[0].status_code == 400
    one = subscribe(SECRET)
    (checkpoint_id,) = waiting_many(db, 1)
    NewsFeed(db, origin="https://c.example", policy="auto").collect()
    dispatcher = service._dispatcher
    assert dispatcher.send_all(one, lambda: True) == 1
    assert program.process.stdout is not None
    link = f"https://c.example/admin/agent-checkpoints/{checkpoint_id}"
    assert program.process.stdout.readline() == f"checkpoint.new May I? {link}\n"

    from agent_console.domain.notifications import DeliveryQuery

    (message,) = service.deliveries(ROOT, one, DeliveryQuery()).items
    assert message.status is DeliveryStatus.SENT
    shown = json.loads(BODY)
    assert set(shown) == set(message.body)
    assert set(shown["data"]) == set(message.body["data"])  # type: ignore[arg-type]
