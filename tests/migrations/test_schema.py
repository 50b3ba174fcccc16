"""The schema goes up, down and up again on both databases, and is what the tables say."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from agent_console.domain.errors import Misconfigured, Unavailable
from agent_console.domain.queries import ArtifactQuery
from agent_console.store import agent_tables, migrate, tables
from agent_console.store.database import Database
from agent_console.store.reads.artifact_search import artifact_search
from agent_console.store.tallies import TOTALS
from agent_console.store.tally_tables import Tally, TallyDelta

TABLES = SQLModel.metadata.sorted_tables
STATUS = {"ai_jobs": "PENDING", "agent_checkpoints": "PENDING", "agent_workers": "RUNNING"}


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a database of each kind that holds no table."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'nested' / 'empty.db'}"
    else:
        with request.getfixturevalue("postgres").empty() as url:
            yield url


def engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg2")
    made = create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        event.listen(made, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    return made


def row_for(table: Table) -> dict[str, object]:
    """Return a row that satisfies every constraint; references point to the rows before it."""
    row: dict[str, object] = {}
    known = first_known(table)
    for column in table.columns:
        if column.foreign_keys:
            row[column.name] = "one"
        elif column.name == "status" and table.name in STATUS:
            row[column.name] = STATUS[table.name]
        elif column.type.python_type is str:
            row[column.name] = known.get(column.name, "one")
        else:
            row[column.name] = 1
    return row


def first_known(table: Table) -> dict[str, str]:
    """Return the first value that a check of the form ``x IN ('a', 'b')`` allows, by column."""
    checks = [str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)]
    found = [re.match(r"(\w+) IN \('([^']*)'", check) for check in checks]
    return {match[1]: match[2] for match in found if match}


def put(connection: Connection, table: Table, **values: object) -> None:
    """Insert a row into ``table`` as the schema of the moment has it, perhaps an older one."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    row = {name: value for name, value in (row_for(table) | values).items() if name in there}
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"), row)


def fill(connection: Connection) -> None:
    for table in TABLES:
        connection.execute(table.insert().values(row_for(table)))


def counts(connection: Connection) -> dict[str, int]:
    names = [table.name for table in TABLES]
    return {
        name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
        for name in names
    }


def own_tables(connection: Connection) -> set[str]:
    """Return the tables there are, without Alembic's own and those of the full-text index."""
    names = inspect(connection).get_table_names()
    return {one for one in names if not one.startswith(("alembic_version", "artifact_fts"))}


def test_up_down_up_with_rows_in_every_table(empty_url: str) -> None:
    assert migrate.upgrade(empty_url) == migrate.Migrated(None, migrate.head())
    made = engine(empty_url)
    with made.begin() as connection:
        fill(connection)
    with made.connect() as connection:
        assert set(counts(connection).values()) == {1}
    made.dispose()

    assert migrate.downgrade(empty_url, "base") == migrate.Migrated(migrate.head(), None)
    with engine(empty_url).connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}

    assert migrate.upgrade(empty_url).after == migrate.head()
    with engine(empty_url).begin() as connection:
        assert set(counts(connection).values()) == {0}
        fill(connection)
        assert set(counts(connection).values()) == {1}


def test_taking_back_one_migration_keeps_what_the_others_made(database_url: str) -> None:
    later = {
        "context_documents",
        "context_document_versions",
        "configuration_templates",
        "job_usage",
        "artifact_texts",
        "job_previews",
        "tally_slots",
        "tally_deltas",
        "job_callbacks",
        "chat_sessions",
        "chat_messages",
        "chat_participants",
        "saved_queries",
        "checkpoint_claims",
        "checkpoint_votes",
        "review_policies",
        "review_delegations",
        "reviewer_groups",
        "reviewer_group_members",
        "checkpoint_views",
        "checkpoint_comments",
        "review_slots",
        "audit_seals",
        "job_uniques",
        "job_batches",
        "job_types",
        "schedules",
        "schedule_fires",
        "notification_subscriptions",
        "notification_deliveries",
        "notification_cursor",
    }
    with engine(database_url).begin() as connection:
        fill(connection)
        # What no sweep has added to the tallies yet, the way back adds: to the row that is there.
        connection.execute(text("UPDATE tally_deltas SET name = (SELECT name FROM tallies)"))
        connection.execute(text("UPDATE tally_deltas SET labels = (SELECT labels FROM tallies)"))
        connection.execute(text("UPDATE tallies SET shard = 0, value = 2"))
        connection.execute(text("UPDATE tally_deltas SET value = 3"))
    assert migrate.downgrade(database_url, "0001").after == "0001"
    with engine(database_url).connect() as connection:
        left = own_tables(connection)
        assert left == {table.name for table in TABLES} - later
        for name in left:
            rows = connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            assert rows == 1, name
        assert connection.execute(text("SELECT value FROM tallies")).scalar_one() == 5
    migrate.upgrade(database_url)
    with engine(database_url).connect() as connection:
        # The words of the artifact that was there are found out again.
        gone = later - {"artifact_texts"}
        expected = {table.name: int(table.name not in gone) for table in TABLES}
        # And the job and the checkpoint, which wait, are counted.
        assert counts(connection) == expected | {"tallies": 3}


def sums(connection: Connection) -> dict[tuple[str, str], float]:
    found = connection.execute(
        text(f"SELECT name, labels, sum(value) FROM {TOTALS} GROUP BY name, labels")
    )
    return {(name, labels): value for name, labels, value in found}


def test_what_there_is_is_counted_on_the_way_up(database_url: str) -> None:
    """Jobs and checkpoints as they are; what an older time has left of these sums is forgotten."""
    migrate.downgrade(database_url, "0034")
    history = {("jobs_now", "COMPLETED"): 7.0, ("agent_jobs_total", "RUNNING"): 9.0}
    with engine(database_url).begin() as connection:
        for number, status in enumerate(["PENDING", "PENDING", "WAITING", "RUNNING", "FAILED"]):
            put(connection, tables.AiJob.__table__, id=f"job {number}", status=status)
        for number, status in enumerate(["PENDING", "PENDING", "PENDING", "APPROVED"]):
            job = {"job_id": f"job {number}", "id": f"chk {number}", "previous_id": None}
            put(connection, tables.AgentCheckpoint.__table__, **job, status=status)
        for (name, labels), value in history.items():
            put(connection, Tally.__table__, name=name, labels=labels, value=value)
        put(connection, TallyDelta.__table__, name="jobs_now", labels="PENDING", value=5)
    live = {("jobs_now", "PENDING"): 2, ("jobs_now", "WAITING"): 1, ("jobs_now", "RUNNING"): 1}
    now = history | live | {("checkpoints_now", "PENDING"): 3}
    for _ in range(2):
        migrate.upgrade(database_url)
        with engine(database_url).connect() as connection:
            assert sums(connection) == now
        migrate.downgrade(database_url, "0034")
        with engine(database_url).connect() as connection:
            assert sums(connection) == history


def test_artifacts_of_before_are_found_afterwards(database_url: str) -> None:
    assert migrate.downgrade(database_url, "0003").after == "0003"
    made = engine(database_url)
    with made.begin() as connection:
        for table in (tables.AiJob, tables.WorkArtifact):
            put(connection, table.__table__, metadata="{}")  # type: ignore[attr-defined]
        rows = [{"n": f"art_{n}", "p": n + 2} for n in range(50)]
        connection.execute(
            text(
                "INSERT INTO work_artifacts SELECT :n, job_id, :p, name, 'report', media_type, "
                "'Straße ' || CAST(:p AS TEXT), size, digest, metadata, :p FROM work_artifacts "
                "WHERE id = 'one'"
            ),
            rows,
        )
    migrate.upgrade(database_url)
    with Database(database_url).read() as reader:
        found = artifact_search(reader, ArtifactQuery(search="strasse", limit=2))
        assert (found.total, [one.id for one in found.items]) == (50, ["art_49", "art_48"])
        alone = artifact_search(reader, ArtifactQuery(search="STRASSE 7"))
        assert [one.id for one in alone.items] == ["art_5"]


def test_the_words_of_an_artifact_go_with_it(database_url: str) -> None:
    with engine(database_url).begin() as connection:
        fill(connection)
        connection.execute(text("DELETE FROM work_artifacts"))
    with Database(database_url).read() as reader:
        assert reader.rows("SELECT count(*) FROM artifact_texts") == [(0,)]
        assert artifact_search(reader, ArtifactQuery(search="one")).total == 0


def test_checkpoints_of_before_are_first_rounds_without_a_next(database_url: str) -> None:
    assert migrate.downgrade(database_url, "0002").after == "0002"
    made, names = engine(database_url), ("round", "rounds", "previous_id")
    with made.begin() as connection:
        for table in (tables.AiJob.__table__, tables.AgentCheckpoint.__table__):  # type: ignore[attr-defined]
            put(connection, table)
    migrate.upgrade(database_url)
    with made.connect() as connection:
        found = connection.execute(text(f"SELECT {', '.join(names)} FROM agent_checkpoints"))
        assert [tuple(row) for row in found] == [(1, None, None)]


def test_documents_that_jobs_have_are_known_to_be_used_afterwards(database_url: str) -> None:
    assert migrate.downgrade(database_url, "0005").after == "0005"
    made = engine(database_url)
    jobs, documents = tables.AiJob.__table__, agent_tables.ContextDocument.__table__  # type: ignore[attr-defined]
    later = {"archived_at", "first_job_id"}
    both = '{"contextDocumentIds": ["doc_1", "doc_2", 7]}'
    with made.begin() as connection:
        assert not later & {one["name"] for one in inspect(connection).get_columns(documents.name)}
        put(connection, jobs, id="job_1", context_document_id="doc_1", metadata=both)
        put(connection, jobs, id="job_2", context_document_id="doc_1", metadata="{}")
        put(connection, jobs, id="job_3", context_document_id=None, metadata="{}")
        for name in ("doc_1", "doc_2", "doc_3"):
            put(connection, documents, id=name)
    assert migrate.upgrade(database_url).after == migrate.head()
    with made.connect() as connection:
        found = connection.execute(
            text("SELECT id, first_job_id, archived_at FROM context_documents ORDER BY id")
        )
        assert found.all() == [
            ("doc_1", "job_1", None),
            ("doc_2", "job_1", None),
            ("doc_3", None, None),
        ]
    made.dispose()


def test_upgrading_again_keeps_the_rows(database_url: str) -> None:
    with engine(database_url).begin() as connection:
        fill(connection)
    assert migrate.upgrade(database_url) == migrate.Migrated(migrate.head(), migrate.head())
    with engine(database_url).connect() as connection:
        assert set(counts(connection).values()) == {1}


def test_the_migrated_schema_is_what_the_tables_say(database_url: str) -> None:
    # Indexes are compared as the databases write them down, by the test below: Alembic cannot
    # reflect those with expressions on SQLite.
    # The full-text index of SQLite is tables too, which are its own affair.
    options = {
        "compare_type": True,
        "include_object": lambda _object, name, kind, *_: (
            kind != "index" and not str(name).startswith("artifact_fts")
        ),
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection", Warning)
        with engine(database_url).connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, SQLModel.metadata) == []


def definitions(connection: Connection) -> set[str]:
    """Return indexes and table definitions as the database itself writes them down."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        )
    else:
        found = connection.execute(
            text(
                "SELECT indexdef FROM pg_indexes "
                "WHERE schemaname = 'public' AND tablename <> 'alembic_version' UNION ALL "
                "SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) "
                "FROM pg_constraint WHERE contype IN ('c', 'f', 'u') UNION ALL "
                "SELECT relname || array_to_string(reloptions, ',') FROM pg_class "
                "WHERE reloptions IS NOT NULL AND relkind = 'r'"
            )
        )
    return {" ".join(line.split()) for line in found.scalars()}


def test_indexes_and_constraints_are_those_of_the_tables(
    database_url: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with engine(database_url).connect() as connection:
        migrated = definitions(connection)
    if dialect == "sqlite":
        direct = engine(f"sqlite:///{tmp_path / 'direct.db'}")
        SQLModel.metadata.create_all(direct)
        with direct.connect() as connection:
            assert definitions(connection) == migrated
        return
    with request.getfixturevalue("postgres").empty() as url:
        direct = engine(url)
        SQLModel.metadata.create_all(direct)
        with direct.connect() as connection:
            assert definitions(connection) == migrated
        direct.dispose()


@pytest.mark.parametrize(
    "change", ["UPDATE audit_logs SET action = 'other'", "DELETE FROM audit_logs"]
)
def test_the_journal_refuses_change(database_url: str, change: str) -> None:
    made = engine(database_url)
    with made.begin() as connection:
        connection.execute(
            tables.AuditLog.__table__.insert().values(row_for(tables.AuditLog.__table__))
        )  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="append-only"), made.begin() as connection:
        connection.execute(text(change))
    with made.connect() as connection:
        assert connection.execute(text("SELECT action FROM audit_logs")).scalars().all() == ["one"]


def test_the_journal_refuses_truncation(postgres_url: str) -> None:
    with (
        pytest.raises(DBAPIError, match="append-only"),
        engine(postgres_url).begin() as connection,
    ):
        connection.execute(text("TRUNCATE audit_logs"))


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.getfixturevalue("postgres").database() as url:
        yield url


def test_the_database_refuses_an_unknown_status(database_url: str) -> None:
    row = row_for(tables.AiJob.__table__) | {"status": "DANCING"}  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError), engine(database_url).begin() as connection:
        connection.execute(tables.AiJob.__table__.insert().values(row))  # type: ignore[attr-defined]


def test_a_newer_schema_is_refused_by_name(database_url: str) -> None:
    with engine(database_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="9999, made by a newer agent_console"):
        migrate.upgrade(database_url)
    with pytest.raises(Misconfigured, match="9999"):
        migrate.downgrade(database_url)


def test_many_that_start_at_once_migrate_once(empty_url: str) -> None:
    gate = threading.Barrier(4)
    results: list[migrate.Migrated] = []

    def start() -> None:
        gate.wait()
        results.append(migrate.upgrade(empty_url))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.before or "" for result in results) == ["", *[migrate.head()] * 3]
    assert {result.after for result in results} == {migrate.head()}


def test_a_survey_names_what_is_missing(database_url: str) -> None:
    assert migrate.survey(database_url).complete
    with engine(database_url).begin() as connection:
        connection.execute(text("DROP TABLE setup_links"))
    found = migrate.survey(database_url)
    assert not found.complete
    assert [name for name, there in found.tables.items() if not there] == ["setup_links"]


def test_a_survey_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "never" / "made.db"
    with pytest.raises(Unavailable, match="does not exist"):
        migrate.survey(f"sqlite:///{path}")
    assert not path.parent.exists()


def test_no_server_is_one_sentence_without_the_password() -> None:
    with pytest.raises(Unavailable) as caught:
        migrate.current("postgresql://somebody:hush-hush@127.0.0.1:9/nowhere")
    assert "Connection refused" in caught.value.message
    assert "hush-hush" not in caught.value.message


def test_nothing_to_take_back_is_said(empty_url: str) -> None:
    with pytest.raises(Misconfigured, match="no schema"):
        migrate.downgrade(empty_url)
