"""Steps, log lines and artifacts of jobs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, case, literal, select, tuple_

from agent_console.domain.queries import ArtifactQuery
from agent_console.domain.records import Artifact, LogLevel, LogLine, Page, Step
from agent_console.store import rows, tables
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import capped_count, read_page, table

STEPS = table(tables.JobStep)
LOGS = table(tables.AgentLog)
ARTIFACTS = table(tables.WorkArtifact)
INLINE_CONTENT = 65_536  # bytes; larger artifacts are listed without their content
_SMALL_CONTENT = case(
    (ARTIFACTS.c.size <= INLINE_CONTENT, ARTIFACTS.c.content), else_=literal("")
).label("content")
_LISTED = [column for column in ARTIFACTS.c if column.name != "content"]


def steps(reader: Reader, job_id: str) -> list[Step]:
    """Return the recorded calls of the job in their order."""
    statement = select(STEPS).where(STEPS.c.job_id == job_id).order_by(STEPS.c.position)
    return [rows.step(row) for row in reader.select(statement)]


def logs(
    reader: Reader, job_id: str, *, after: int = 0, limit: int = 200, level: LogLevel | None = None
) -> list[LogLine]:
    """Return lines with an id above ``after``, oldest first."""
    conditions: list[ColumnElement[bool]] = [LOGS.c.job_id == job_id, LOGS.c.id > after]
    if level is not None:
        conditions.append(LOGS.c.level == level.value)
    statement = select(LOGS).where(*conditions).order_by(LOGS.c.id).limit(limit)
    return [rows.log_line(row) for row in reader.select(statement)]


def last_logs(reader: Reader, job_id: str, limit: int) -> list[LogLine]:
    """Return the newest ``limit`` lines, oldest of them first."""
    newest = LOGS.c.id.desc()
    statement = select(LOGS).where(LOGS.c.job_id == job_id).order_by(newest).limit(limit)
    return [rows.log_line(row) for row in reversed(reader.select(statement))]


def artifacts(reader: Reader, job_id: str) -> list[Artifact]:
    """Return the job's artifacts, oldest first; large ones without content."""
    statement = select(*_LISTED, _SMALL_CONTENT).where(ARTIFACTS.c.job_id == job_id)
    ordered = statement.order_by(ARTIFACTS.c.created_at, ARTIFACTS.c.id)
    return [rows.artifact(row) for row in reader.select(ordered)]


def artifact(reader: Reader, artifact_id: str) -> Artifact | None:
    """Return the artifact with its whole content, or None."""
    found = reader.select(select(ARTIFACTS).where(ARTIFACTS.c.id == artifact_id))
    return rows.artifact(found[0]) if found else None


def versions(reader: Reader, one: Artifact) -> list[Artifact]:
    """Return the artifacts of the job with type and name of ``one``, oldest first, no contents."""
    alike = [
        ARTIFACTS.c.job_id == one.job_id,
        ARTIFACTS.c.artifact_type == one.artifact_type.value,
        ARTIFACTS.c.name == one.name,
    ]
    statement = select(*_LISTED, literal("").label("content")).where(*alike)
    ordered = statement.order_by(ARTIFACTS.c.created_at, ARTIFACTS.c.id)
    return [rows.artifact(row) for row in reader.select(ordered)]


def artifact_page(reader: Reader, query: ArtifactQuery) -> Page[Artifact]:
    """Return one page of artifacts, newest first, without content; ``search`` is not looked at."""
    wanted: dict[str, Any] = {"job_id": query.job_id, "artifact_type": query.artifact_type}
    filters = [ARTIFACTS.c[name] == value for name, value in wanted.items() if value is not None]
    after: list[ColumnElement[bool]] = []
    if query.cursor:
        key = tuple_(ARTIFACTS.c.created_at, ARTIFACTS.c.id)
        after = [key < decode(query.cursor, int, str)]
    return read_page(
        reader,
        _newest_artifacts([*filters, *after]),
        query,
        rows.artifact,
        key=lambda row: encode(row["created_at"], row["id"]),
        total=capped_count(reader, _newest_artifacts(filters)),
    )


def _newest_artifacts(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    statement = select(*_LISTED, literal("").label("content")).where(*conditions)
    return statement.order_by(ARTIFACTS.c.created_at.desc(), ARTIFACTS.c.id.desc())
