"""The only place that knows what SQLite and PostgreSQL do differently.

Statements elsewhere are written once, with ``:name`` parameters and the placeholders below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]
Params = dict[str, object]

NOW_PARAM = "now__"
# statement_timestamp() is stable within a statement, so an index can serve `run_at <= {now}`;
# clock_timestamp() is volatile and could not.
POSTGRES_NOW = "(extract(epoch from statement_timestamp()) * 1000000)::bigint"

_LOCKS: dict[Dialect, dict[str, str]] = {
    "sqlite": {  # BEGIN IMMEDIATE has already locked everything
        "for_share": "",
        "for_update": "",
        "skip_locked": "",
        "ready_index": "INDEXED BY ix_ai_jobs_ready",
        "due_index": "INDEXED BY ix_ai_jobs_due",
        "deadline_index": "INDEXED BY ix_agent_checkpoints_deadline",
        "materialized": "",
        "indexable": "+",  # keeps the planner from choosing another index for this term
    },
    "postgresql": {
        "for_share": "FOR SHARE",
        "for_update": "FOR UPDATE",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "ready_index": "",
        "due_index": "",
        "deadline_index": "",
        "materialized": "MATERIALIZED",
        "indexable": "",
    },
}
_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_HOLE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL ready for a driver; ``binds_now`` says that it wants the clock as a parameter."""

    text: str
    binds_now: bool


@lru_cache(maxsize=1024)
def compiled(sql: str, dialect: Dialect, clock_bound: bool) -> Statement:
    """Return ``sql`` in the driver's form.

    ``clock_bound``: ``{now}`` is a parameter (SQLite, or an injected clock) instead of the
    server's own clock.
    """
    binds = clock_bound and "{now}" in sql
    now = f":{NOW_PARAM}" if clock_bound else POSTGRES_NOW
    holes = {"now": now, **_LOCKS[dialect]}
    text = _HOLE.sub(lambda m: holes[m.group(1)], sql)
    if dialect == "postgresql":
        text = _NAME.sub(r"%(\1)s", text.replace("%", "%%"))
    return Statement(text, binds)


def with_values(columns: str, body: str, count: int, dialect: Dialect, now: int | None) -> str:
    """Return ``WITH v(columns) AS (VALUES …) body`` with positional parameters for ``count`` rows.

    ``now`` is the bound clock in microseconds, or None for the server's own.
    """
    width = columns.count(",") + 1
    mark = "?" if dialect == "sqlite" else "%s"
    row = "(" + ",".join([mark] * width) + ")"
    holes = {"now": str(now) if now is not None else POSTGRES_NOW, **_LOCKS[dialect]}
    text = _HOLE.sub(lambda m: holes[m.group(1)], body)
    return f"WITH v({columns}) AS (VALUES {','.join([row] * count)}) {text}"
