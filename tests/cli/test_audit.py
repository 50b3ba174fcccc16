"""``audit`` and ``retention``: what they print, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_console.domain.jobs import JobStatus
from agent_console.services.seal_keys import seal_keys
from agent_console.settings import load_settings
from agent_console.store.database import Database, StoreOptions
from agent_console.testing import FakeClock
from tests.cli.conftest import Terminal
from tests.support.finished import make
from tests.support.journals import seal, tamper, write


@contextmanager
def opened() -> Iterator[Database]:
    db = Database(load_settings().database, StoreOptions())
    try:
        yield db
    finally:
        db.close()


def sealed(terminal: Terminal, count: int = 20) -> None:
    """Fill the journal and seal it, as the sweep of a running console does."""
    terminal.done("db", "upgrade")
    with opened() as db:
        write(db, count)
        seal(db, seal_keys(load_settings()))


def test_an_intact_journal_passes(on_each_database: Terminal) -> None:
    sealed(on_each_database)
    said = on_each_database.done("audit", "verify")
    assert said == "PASS  journal: 20 rows under 1 seals are as they were sealed\n"
    found = on_each_database.json("audit", "verify")  # the first one is in the journal now
    assert (found["verdict"], found["rows"], found["unsealed"]) == ("intact", 20, 1)


def test_a_changed_row_is_named(on_each_database: Terminal) -> None:
    sealed(on_each_database)
    with opened() as db:
        tamper(db, "UPDATE audit_logs SET data = '{}' WHERE seq = 7")
    result = on_each_database("audit", "verify")
    assert result.exit_code == 1
    assert result.stdout == "FAIL  journal: first bad row 7: row was changed\n"
    areas = json.loads(on_each_database("verify", "--json").stdout)["areas"]
    (area,) = [one for one in areas if one["area"] == "journal"]
    assert (area["passed"], area["detail"]) == (False, "first bad row 7: row was changed")


def test_a_kept_head_shows_that_the_end_is_missing(terminal: Terminal, tmp_path: Path) -> None:
    sealed(terminal)
    file = tmp_path / "head.json"
    file.write_text(terminal.done("audit", "head"), "utf-8")
    assert terminal.done("audit", "verify", "--head", str(file)).startswith("PASS")
    with opened() as db:
        tamper(db, "DELETE FROM audit_logs WHERE seq > 10", "DELETE FROM audit_seals")
        write(db, 3)
        seal(db, seal_keys(load_settings()))
    assert terminal.done("audit", "verify").startswith("PASS")
    result = terminal("audit", "verify", "--head", str(file))
    assert result.exit_code == 1
    assert "seal 1 is not the one of the head" in result.stdout
    file.write_text("{}", "utf-8")
    assert "no exported head" in terminal.refused("audit", "verify", "--head", str(file))
    assert "cannot be read" in terminal.refused("audit", "verify", "--head", str(tmp_path / "x"))


def test_a_new_key_is_made_and_the_old_one_kept(terminal: Terminal) -> None:
    sealed(terminal)
    made = terminal.json("audit", "rotate-key")["keyId"]
    assert made.startswith("2-")
    assert terminal.done("audit", "rotate-key").startswith("New seals are signed with the key 3-")
    assert terminal.done("audit", "verify").startswith("PASS")
    names = [one["name"] for one in terminal.json("secrets", "list")["secrets"]]
    assert names == ["audit.seal.1", "audit.seal.2", "audit.seal.3"]
    terminal.done("secrets", "delete", "audit.seal.1")
    result = terminal("audit", "verify")
    assert result.exit_code == 1
    assert "signatures were not checked" in result.stdout


def test_nothing_sealed_has_no_head(terminal: Terminal) -> None:
    assert "Nothing of the journal is sealed yet" in terminal.refused("audit", "head")


def test_a_plan_shows_what_would_go_and_a_run_deletes_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CONSOLE_RETENTION_KEEP_CANCELED", "1")
    terminal.done("db", "upgrade")
    with opened() as db:
        make(db, FakeClock(datetime.now(UTC)), [(JobStatus.CANCELED, n, 0) for n in range(3)])
    planned = terminal.json("retention", "plan")
    assert planned["due"]["canceled"] == 2
    assert planned["policy"]["canceled"] == {"seconds": 90 * 86_400, "count": 1}
    table = terminal.done("retention", "plan")
    assert "CANCELED jobs" in table
    assert "90 days" in table
    assert terminal.json("retention", "run") == {"jobs": 2, "journalRows": 0}
    assert "The last batch went" in terminal.done("retention", "plan")
    assert terminal.done("retention", "run").startswith("Deleted 0 jobs")
