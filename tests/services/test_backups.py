"""A backup is of one moment and restores to either database; a restore does all or nothing."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent_console.domain.access import SYSTEM
from agent_console.domain.errors import Conflict, Invalid, Misconfigured, Unavailable
from agent_console.domain.jobs import NewJob
from agent_console.gateways import archive, workspace
from agent_console.gateways.keystore_file import FileKeystore
from agent_console.gateways.workspace import Workspace, WorkspaceUnavailable
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.store import backup, migrate, tally_mends
from agent_console.store.database import Database, StoreOptions
from agent_console.store.feed import ChangeFeed
from agent_console.store.tallies import TOTALS
from agent_console.testing import enqueue
from tests.services.conftest import TwoTypes
from tests.support import rows
from tests.support.sums import differences

Site = Callable[..., Services]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a function that sets up a console on a database, in a folder of its own."""
    with ExitStack() as opened:

        def make(url: str, name: str = "site", **chosen: Any) -> Services:
            settings = Settings(database_url=url, data_dir=tmp_path / name, **chosen)
            db = Database(settings.database, StoreOptions())
            opened.callback(db.close)
            return build_services(db, TwoTypes(), settings, ChangeFeed())

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database of each kind, to restore to."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
    else:
        with request.getfixturevalue("postgres").empty() as url:
            yield url


def files(tmp_path: Path, name: str = "site") -> Path:
    folder = tmp_path / name / "workspace"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fill(url: str) -> None:
    made = rows.engine(url)
    with made.begin() as connection:
        rows.fill(connection)
    made.dispose()


def held(url: str) -> rows.Rows:
    made = rows.engine(url)
    with made.connect() as connection:
        found = rows.held(connection)
    made.dispose()
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_rows_in_every_table_come_back_in_either_database(
    site: Site, database_url: str, other_url: str, tmp_path: Path
) -> None:
    fill(database_url)
    before = held(database_url)
    made = site(database_url).backups.backup(SYSTEM, tmp_path / "b.zip")
    assert {part.name for part in made.tables} == set(before) - backup.LEFT_OUT
    assert made.rows == 3 * len(made.tables) + 1
    done = site(other_url, "other").backups.restore(SYSTEM, tmp_path / "b.zip")
    assert (done.schema, done.kept) == (migrate.head(), None)
    after = held(other_url)
    # Sessions and invitations are left out on purpose; two entries say what was done.
    for name in set(before) - backup.LEFT_OUT - {"audit_logs"}:
        assert after[name] == before[name], name
    assert all(after[name] == [] for name in backup.LEFT_OUT)
    assert set(before["audit_logs"]) < set(after["audit_logs"])
    assert len(after["audit_logs"]) == len(before["audit_logs"]) + 2


def test_artifacts_are_found_again_in_either_database(
    site: Site, database_url: str, other_url: str, tmp_path: Path
) -> None:
    fill(database_url)
    made = rows.engine(database_url)
    with made.begin() as connection:
        changes = "artifact_type = 'report', metadata = '{}', content = 'Straße ' || id"
        connection.execute(text(f"UPDATE work_artifacts SET {changes}"))
    made.dispose()
    site(database_url).backups.backup(SYSTEM, tmp_path / "b.zip")
    restored = site(other_url, "other")
    restored.backups.restore(SYSTEM, tmp_path / "b.zip")
    assert len(restored.artifacts.page(SYSTEM, search="strasse").items) == 3


def test_a_restored_database_goes_on(
    site: Site, database_url: str, other_url: str, tmp_path: Path
) -> None:
    services = site(database_url)
    job = services.jobs.enqueue(SYSTEM, NewJob(job_type="noop"), idempotency_key="once").job
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    restored = site(other_url, "other")
    restored.backups.restore(SYSTEM, tmp_path / "b.zip")
    assert restored.jobs.enqueue(SYSTEM, NewJob(job_type="noop"), idempotency_key="once").replayed
    assert restored.jobs.control(SYSTEM, job.id, "cancel").status == "CANCELED"
    with closing(Database(other_url)) as other:
        assert differences(other) == []
    timeline = restored.jobs.get(SYSTEM, job.id).timeline
    assert [entry.action for entry in timeline] == ["job.created", "job.canceled"]
    made = rows.engine(other_url)
    with (
        pytest.raises(Exception, match="append-only"),
        made.begin() as connection,
    ):
        connection.execute(text("DELETE FROM audit_logs"))
    made.dispose()


def test_a_backup_is_of_one_moment_while_others_write(
    site: Site, database_url: str, other_url: str, tmp_path: Path
) -> None:
    services = site(database_url)
    db = Database(database_url, StoreOptions())
    stop, some = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            enqueue(db)
            some.set()

    writers = [threading.Thread(target=work) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        assert some.wait(20)
        made = services.backups.backup(SYSTEM, tmp_path / "b.zip")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
        db.close()
    restored = site(other_url, "other")
    restored.backups.restore(SYSTEM, tmp_path / "b.zip")
    connection = rows.engine(other_url).connect()
    with connection:
        count = connection.execute(text("SELECT count(*) FROM ai_jobs")).scalar_one()
        told = connection.execute(
            text("SELECT count(*) FROM audit_logs WHERE action = 'job.created'")
        ).scalar_one()
        tallied = connection.execute(
            text(
                f"SELECT sum(value) FROM {TOTALS} WHERE name = 'agent_jobs_total'"
                " AND labels = 'PENDING'"
            )
        ).scalar_one()
    connection.engine.dispose()
    assert next(part.rows for part in made.tables if part.name == "ai_jobs") == count > 0
    assert (told, tallied) == (count, count)
    with closing(Database(other_url)) as other:
        assert differences(other) == []


def test_files_come_back_whole_with_what_is_no_file_named(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    root = files(tmp_path)
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "bytes.bin").write_bytes(bytes(range(256)) * 2000)
    (root / "ünï.txt").write_text("…", "utf-8")
    (root / "empty").touch()
    (root / "run.sh").write_text("#!/bin/sh\n", "utf-8")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("/etc/passwd")
    (root / "trap").symlink_to(root / "a")
    os.mkfifo(root / "pipe")
    (root / ".agent-console-0123.tmp").write_text("unfinished", "utf-8")
    made = site(database_url).backups.backup(SYSTEM, tmp_path / "b.zip")
    assert made.left_out == ("link", "pipe", "trap")
    assert site(f"sqlite:///{tmp_path / 'x.db'}", "other").backups.check(SYSTEM, tmp_path / "b.zip")
    site(f"sqlite:///{tmp_path / 'x.db'}", "other").backups.restore(SYSTEM, tmp_path / "b.zip")
    there = tree(tmp_path / "other" / "workspace")
    assert there == {
        name: (root / name).read_bytes() for name in ("a/b/bytes.bin", "ünï.txt", "empty", "run.sh")
    }
    modes = {
        name: stat.S_IMODE((tmp_path / "other" / "workspace" / name).stat().st_mode) & 0o111
        for name in ("run.sh", "empty")
    }
    assert modes == {"run.sh": 0o111, "empty": 0}
    assert b"root:" not in (tmp_path / "b.zip").read_bytes()


def test_who_writes_files_waits_for_the_copy(
    site: Site, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "_LOCK_WAIT", 0.05)
    root = files(tmp_path)
    services = site(database_url)
    with Workspace(root).held(), pytest.raises(WorkspaceUnavailable):
        services.backups.backup(SYSTEM, tmp_path / "b.zip")
    assert list(tmp_path.glob("*b.zip*")) == []
    refused: list[bool] = []

    def read(*_args: object) -> list[object]:
        with pytest.raises(WorkspaceUnavailable):
            Workspace(root).write_all({"late.txt": "x"})
        refused.append(True)
        return []

    monkeypatch.setattr("agent_console.services.backups.entries", read)
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    assert refused == [True]
    Workspace(root).write_all({"late.txt": "x"})


def test_the_file_is_private_and_no_other_is_overwritten(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    services = site(database_url)
    target = tmp_path / "b.zip"
    services.backups.backup(SYSTEM, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    before = target.read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        services.backups.backup(SYSTEM, target)
    assert target.read_bytes() == before
    with pytest.raises(Unavailable, match="cannot be written"):
        services.backups.backup(SYSTEM, tmp_path / "no-such-folder" / "b.zip")


def test_a_backup_that_fails_leaves_nothing(
    site: Site, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    services = site(database_url)
    enqueue(services.backups._db)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        services.backups.backup(SYSTEM, tmp_path / "b.zip")
    assert list(tmp_path.glob("*b.zip*")) + list(tmp_path.glob(".*b.zip*")) == []


def test_secrets_are_in_it_only_when_asked_for_and_never_their_key(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    store = FileKeystore(tmp_path / "site")
    store.put("name", "canary-77b1")
    services = site(database_url)
    services.backups.backup(SYSTEM, tmp_path / "plain.zip")
    services.backups.backup(SYSTEM, tmp_path / "with.zip", with_secrets=True)
    for name, expected in (("plain.zip", False), ("with.zip", True)):
        with zipfile.ZipFile(tmp_path / name) as opened:
            content = b"".join(opened.read(part) for part in opened.namelist())
        assert b"canary-77b1" not in content
        assert store.key_path.read_bytes().strip() not in content
        assert (store.path.read_bytes() in content) is expected
    other = site(f"sqlite:///{tmp_path / 'x.db'}", "other")
    other.backups.restore(SYSTEM, tmp_path / "with.zip")
    restored = FileKeystore(tmp_path / "other", key_file=store.key_path)
    assert restored.get("name") == "canary-77b1"
    third = site(database_url, "third")
    with pytest.raises(Misconfigured, match="no keystore"):
        third.backups.backup(SYSTEM, tmp_path / "third.zip", with_secrets=True)


def test_data_is_never_replaced_unasked(site: Site, database_url: str, tmp_path: Path) -> None:
    services = site(database_url)
    enqueue(services.backups._db)
    Workspace(files(tmp_path)).write_all({"then.txt": "then"})
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    later = enqueue(services.backups._db)
    (files(tmp_path) / "now.txt").write_text("now", "utf-8")
    with pytest.raises(Conflict, match=r"workspace .* is not empty"):
        services.backups.restore(SYSTEM, tmp_path / "b.zip")
    elsewhere = site(database_url, "elsewhere")
    before = held(database_url)
    with pytest.raises(Conflict, match=r"not empty .*ai_jobs.*--replace"):
        elsewhere.backups.restore(SYSTEM, tmp_path / "b.zip")
    assert held(database_url) == before
    assert not (tmp_path / "elsewhere" / "workspace").exists()
    done = services.backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert later not in str(held(database_url)["ai_jobs"])
    assert tree(files(tmp_path)) == {"then.txt": b"then"}
    assert done.kept is not None
    assert set(tree(done.kept)) == {"now.txt", "then.txt"}
    assert [path.name for path in (tmp_path / "site").iterdir() if "restoring" in path.name] == []


def test_nothing_is_restored_under_a_running_worker(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    services = site(database_url)
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    from agent_console.domain.records import WorkerStatus
    from agent_console.store.liveness import heartbeat
    from agent_console.testing.draining import _introduce

    _introduce(services.backups._db, "wrk_1")
    before = held(database_url)
    with pytest.raises(Conflict, match=r"A worker runs on this database .*test process 0"):
        services.backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert held(database_url) == before
    heartbeat(services.backups._db, "wrk_1", (), WorkerStatus.STOPPED)
    services.backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert held(database_url)["agent_workers"] == []


def test_a_restore_that_fails_half_way_changes_nothing(
    site: Site, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = site(database_url)
    fill(database_url)
    made = rows.engine(database_url)
    with made.begin() as connection:
        connection.execute(text("UPDATE agent_workers SET status = 'STOPPED'"))
    made.dispose()
    Workspace(files(tmp_path)).write_all({"then.txt": "then"})
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    before, there = held(database_url), tree(files(tmp_path))
    read = archive.Archive.rows
    passes: list[str] = []

    def torn(self: archive.Archive, table: str) -> Iterator[list[list[Any]]]:
        passes.append(table)
        if passes.count("work_artifacts") > 1:  # the first reading is the check
            raise OSError("the disk went away")
        yield from read(self, table)

    monkeypatch.setattr(archive.Archive, "rows", torn)
    with pytest.raises(OSError, match="went away"):
        services.backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert "ai_jobs" in passes
    assert held(database_url) == before
    assert tree(files(tmp_path)) == there
    assert [path.name for path in (tmp_path / "site").iterdir() if "restoring" in path.name] == []


def test_an_older_schema_is_saved_as_it_is_and_restored_to_this_version(
    site: Site, database_url: str, other_url: str, tmp_path: Path
) -> None:
    migrate.downgrade(database_url, "0001")
    fill(database_url)
    made = rows.engine(database_url)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE of_somebody_else (id INTEGER)"))
    before = held(database_url)
    saved = site(database_url).backups.backup(SYSTEM, tmp_path / "b.zip")
    assert saved.schema == "0001"
    assert held(database_url) == before
    assert migrate.current(database_url) == "0001"
    restored = site(other_url, "other").backups.restore(SYSTEM, tmp_path / "b.zip")
    assert restored.schema == migrate.head()
    after = held(other_url)
    assert len(after["ai_jobs"]) == 3
    assert after["job_usage"] == []
    with closing(Database(other_url)) as other, other.read() as reader:
        assert tally_mends.difference(reader) == {}  # which the older one did not keep
    again = site(database_url, "again").backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert again.schema == migrate.head()
    assert held(database_url)["of_somebody_else"] == []
    made.dispose()


def test_what_holds_no_schema_cannot_be_saved(site: Site, tmp_path: Path) -> None:
    services = site(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Unavailable, match="does not exist"):
        services.backups.backup(SYSTEM, tmp_path / "b.zip")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.db").touch()
    with pytest.raises(Misconfigured, match="schema none"):
        services.backups.backup(SYSTEM, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def _restore_and_die(url: str, folder: Path, source: Path) -> None:
    """Be killed where a restore has emptied the old tables and filled some of the new ones."""
    read, seen = archive.Archive.rows, []

    def rows_until(self: archive.Archive, table: str) -> Iterator[list[list[Any]]]:
        seen.append(table)
        if seen.count("work_artifacts") > 1:  # the first reading is the check
            os.kill(os.getpid(), signal.SIGKILL)
        yield from read(self, table)

    archive.Archive.rows = rows_until  # type: ignore[method-assign]
    settings = Settings(database_url=url, data_dir=folder)
    services = build_services(Database(url), TwoTypes(), settings, ChangeFeed())
    services.backups.restore(SYSTEM, source, replace=True)


def test_a_restore_that_is_killed_changes_nothing(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    services = site(database_url)
    enqueue(services.backups._db)
    Workspace(files(tmp_path)).write_all({"then.txt": "then"})
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    enqueue(services.backups._db)
    before, there = held(database_url), tree(files(tmp_path))
    target = (database_url, tmp_path / "site", tmp_path / "b.zip")
    child = multiprocessing.get_context("spawn").Process(target=_restore_and_die, args=target)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert held(database_url) == before
    assert tree(files(tmp_path)) == there
    services.backups.restore(SYSTEM, tmp_path / "b.zip", replace=True)
    assert len(held(database_url)["ai_jobs"]) == 1


def changed(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write ``source`` to ``target`` with its parts as ``change`` leaves them."""
    with zipfile.ZipFile(source) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    change(parts)
    with zipfile.ZipFile(target, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return target


def edit(**values: Any) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        manifest = json.loads(parts["manifest.json"])
        parts["manifest.json"] = json.dumps(manifest | values).encode()

    return change


def misplaced(path: str) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts[f"workspace/{path}"] = b"x"
        part = {"path": path, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
        edit(files=[part])(parts)

    return change


def rewrite(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    """Change a table and its digest, as somebody would who means to."""

    def change(parts: dict[str, bytes]) -> None:
        parts[f"tables/{name}.jsonl"] = content
        manifest = json.loads(parts["manifest.json"])
        for part in manifest["tables"]:
            if part["name"] == name:
                part["sha256"] = hashlib.sha256(content).hexdigest()
                part["rows"] = content.count(b"\n")
        parts["manifest.json"] = json.dumps(manifest).encode()

    return change


def drop_column(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    manifest["tables"][0]["columns"][0] = 'id") VALUES (1); --'
    parts["manifest.json"] = json.dumps(manifest).encode()


DAMAGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a changed row": (
        lambda p: p.update({"tables/ai_jobs.jsonl": p["tables/ai_jobs.jsonl"][:-3] + b"9]\n"}),
        "tables/ai_jobs.jsonl is not what it was",
    ),
    "a missing row": (lambda p: p.update({"tables/ai_jobs.jsonl": b""}), "is not what it was"),
    "a missing table": (lambda p: p.pop("tables/ai_jobs.jsonl"), "does not hold"),
    "a foreign part": (lambda p: p.update({"tables/../x": b""}), "does not hold"),
    "a changed file": (lambda p: p.update({"workspace/a.txt": b"b"}), "workspace/a.txt is not"),
    "no manifest": (lambda p: p.pop("manifest.json"), "no backup of this console"),
    "another manifest": (lambda p: p.update({"manifest.json": b"[]"}), "no backup"),
    "a later format": (edit(format=2), "newer agent_console"),
    "a later schema": (edit(schema="9999"), "schema 9999, made by a newer"),
    "a strange schema": (edit(schema="0001"), "tables of its own schema"),
    "a strange column": (drop_column, "tables of its own schema"),
    "rows that do not fit": (rewrite("users", b"[1]\n"), "do not fit"),
    "no rows at all": (rewrite("users", b"{}\n"), "do not fit|cannot be read"),
}


@pytest.mark.parametrize("name", list(DAMAGES))
def test_a_damaged_backup_is_refused_and_nothing_changes(
    site: Site, sqlite_files: Any, tmp_path: Path, name: str
) -> None:
    with sqlite_files.database(tmp_path) as url:
        before, after = refused(site, url, tmp_path, name)
    assert after == before
    assert tree(files(tmp_path)) == {"a.txt": b"a"}


@pytest.mark.parametrize("name", ["a strange column", "rows that do not fit"])
def test_the_database_refuses_what_does_not_fit_and_nothing_changes(
    site: Site, database_url: str, tmp_path: Path, name: str
) -> None:
    before, after = refused(site, database_url, tmp_path, name)
    assert after == before
    assert tree(files(tmp_path)) == {"a.txt": b"a"}


def refused(site: Site, database_url: str, tmp_path: Path, name: str) -> tuple[Any, Any]:
    """Try to restore a damaged backup, which is refused; return what was held before and after."""
    services = site(database_url)
    enqueue(services.backups._db)
    Workspace(files(tmp_path)).write_all({"a.txt": "a"})
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    change, message = DAMAGES[name]
    bad = changed(tmp_path / "b.zip", tmp_path / "bad.zip", change)
    before = held(database_url)
    with pytest.raises(Misconfigured, match=message):
        services.backups.restore(SYSTEM, bad, replace=True)
    return before, held(database_url)


@pytest.mark.parametrize("path", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "C:\\out.txt"])
def test_no_file_of_a_backup_leaves_the_workspace(
    site: Site, tmp_path: Path, sqlite_files: Any, path: str
) -> None:
    with sqlite_files.database(tmp_path) as url:
        services = site(url)
        services.backups.backup(SYSTEM, tmp_path / "b.zip")
        bad = changed(tmp_path / "b.zip", tmp_path / "bad.zip", misplaced(path))
        with pytest.raises(Invalid):
            services.backups.restore(SYSTEM, bad, replace=True)
    assert not (tmp_path / "out.txt").exists()


def test_what_is_no_backup_is_said(site: Site, tmp_path: Path) -> None:
    services = site(f"sqlite:///{tmp_path / 'x.db'}")
    (tmp_path / "text.zip").write_text("not a backup", "utf-8")
    for name in ("text.zip", "missing.zip"):
        with pytest.raises(Misconfigured, match="cannot be read as a backup"):
            services.backups.restore(SYSTEM, tmp_path / name)
    assert not (tmp_path / "x.db").exists()


def test_references_are_checked(site: Site, database_url: str, tmp_path: Path) -> None:
    services = site(database_url)
    enqueue(services.backups._db)
    services.backups.backup(SYSTEM, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as opened:
        manifest = json.loads(opened.read("manifest.json"))
    columns = next(p["columns"] for p in manifest["tables"] if p["name"] == "api_tokens")
    orphan = {"id": "tok_1", "user_id": "usr_gone", "name": "", "secret_hash": "", "scopes": "[]"}
    line = json.dumps([orphan.get(name, 1) for name in columns]).encode() + b"\n"
    bad = changed(tmp_path / "b.zip", tmp_path / "bad.zip", rewrite("api_tokens", line))
    before = held(database_url)
    with pytest.raises(Misconfigured, match="api_tokens"):
        services.backups.restore(SYSTEM, bad, replace=True)
    assert held(database_url) == before
