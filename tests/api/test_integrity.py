from __future__ import annotations

from agent_console.domain.access import Role
from agent_console.domain.seals import parse_head
from agent_console.services.seal_keys import seal_keys
from agent_console.settings import Settings
from tests.api.conftest import Door, enqueue
from tests.support.journals import seal


def test_the_journal_is_verified_in_the_background(door: Door) -> None:
    client = door.as_role(Role.REVIEWER)
    before = client.get("/api/audit/verification").json()["verification"]
    assert (before["sealedSeq"], before["sealedAt"], before["last"]) == (0, None, None)
    seal(door.db, seal_keys(Settings()))
    begun = client.post("/api/audit/verification")
    assert begun.status_code == 202
    for _ in range(400):
        now = client.get("/api/audit/verification").json()["verification"]
        if now["last"]:
            break
    assert now["runningRows"] is None
    assert now["sealedSeq"] == now["last"]["rows"] > 0
    assert (now["last"]["verdict"], now["last"]["firstBadSeq"]) == ("intact", None)


def test_the_head_is_what_the_command_line_takes(door: Door) -> None:
    client = door.as_role(Role.REVIEWER)
    assert client.get("/api/audit/head").status_code == 404
    seal(door.db, seal_keys(Settings()))
    answer = client.get("/api/audit/head")
    assert answer.json()["success"] is True
    head = parse_head(answer.text)
    assert head.last_seq == answer.json()["head"]["lastSeq"] > 0


def test_retention_is_shown_as_it_is_set(door: Door) -> None:
    enqueue(door.as_role(Role.OPERATOR))
    found = door.as_role(Role.REVIEWER).get("/api/retention").json()["retention"]
    assert found["policy"]["completed"] == {"seconds": 90 * 86_400, "count": None}
    assert found["policy"]["journal"] == {"seconds": 400 * 86_400, "count": None}
    assert found["due"] == {
        "completed": 0, "failed": 0, "canceled": 0, "journalRows": 0, "more": False,
    }  # fmt: skip
    assert found["lastRun"] is None
