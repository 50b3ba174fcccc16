"""The only place that knows what SQLite and PostgreSQL do differently.

Statements elsewhere are written once, with ``:name`` parameters and the placeholders below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent_console.domain.search import Term, Wanted

Dialect = Literal["sqlite", "postgresql"]
Params = dict[str, object]

NOW_PARAM = "now__"
# statement_timestamp() is stable within a statement, so an index can serve `run_at <= {now}`;
# clock_timestamp() is volatile and could not.
POSTGRES_NOW = "(extract(epoch from statement_timestamp()) * 1000000)::bigint"

_HOLES: dict[Dialect, dict[str, str]] = {
    "sqlite": {  # BEGIN IMMEDIATE has already locked everything
        "for_share": "",
        "for_update": "",
        "skip_locked": "",
        "ready_index": "INDEXED BY ix_ai_jobs_ready",
        "due_index": "INDEXED BY ix_ai_jobs_due",
        "unique_index": "INDEXED BY ix_ai_jobs_unique",
        "gated_index": "INDEXED BY ix_ai_jobs_gated",
        "gated_due_index": "INDEXED BY ix_ai_jobs_gated_due",
        "behind_index": "INDEXED BY ix_ai_jobs_behind",
        "taken_index": "INDEXED BY ix_ai_jobs_taken",
        "deadline_index": "INDEXED BY ix_agent_checkpoints_deadline",
        "finished_index": "INDEXED BY ix_ai_jobs_finished",
        "among_ids": "IN (SELECT value FROM json_each(:ids))",
        "alone": "1",
        "listed": "group_concat",  # of texts and what is put between them
        "octets": "length",  # of a text its characters: near enough
        "materialized": "",
        "found": "IN (SELECT id FROM c)",
        "indexable": "+",  # keeps the planner from choosing another index for this term
        "by_id": " || ''",  # makes a term of a column a check of rows that are found by their ids
        "words_plan": "SELECT 1",
        "words_table": "artifact_fts f",
        "words_match": "artifact_fts MATCH :wanted",
        "words_seq": "f.rowid",
        "words_value": ":words",
    },
    "postgresql": {
        "for_share": "FOR SHARE",
        "for_update": "FOR UPDATE",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        "ready_index": "",
        "due_index": "",
        "unique_index": "",
        "gated_index": "",
        "gated_due_index": "",
        "behind_index": "",
        "taken_index": "",
        "deadline_index": "",
        "finished_index": "",
        "among_ids": "= ANY(:ids)",
        "listed": "string_agg",
        "octets": "octet_length",
        "alone": "CASE WHEN pg_try_advisory_xact_lock(:alone) THEN 1 ELSE 0 END",
        "materialized": "MATERIALIZED",
        # An array is looked up in the index. With a subquery the planner may join instead, and
        # go through the whole table while it has no statistics.
        "found": "= ANY(ARRAY(SELECT id FROM c))",
        "indexable": "",
        # Without statistics the planner takes few rows to have that value, and looks at all of
        # them again for each id.
        "by_id": " || ''",
        # For a word that most rows hold the planner would read every text: it takes the index to
        # be dearer because it does not know that long texts are kept elsewhere, compressed.
        "words_plan": "SELECT set_config('enable_seqscan', 'off', true)",
        "words_table": "artifact_texts t",
        "words_match": "t.words @@ CAST(:wanted AS tsquery)",
        # Not the bare column: the planner would walk its index and read every text on the way.
        "words_seq": "(t.seq + 0)",
        "words_value": "array_to_tsvector(string_to_array(:words, ' '))",
    },
}
# How a word, the beginning of one, "or" and "and" are written in a full-text query.
_OPERATORS: dict[Dialect, tuple[tuple[str, str], str, str]] = {
    "sqlite": (('"', "*"), " OR ", " AND "),
    "postgresql": (("'", ":*"), " | ", " & "),
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
    holes = {"now": now, **_HOLES[dialect]}
    text = _HOLE.sub(lambda m: holes[m.group(1)], sql)
    if dialect == "postgresql":
        text = _NAME.sub(r"%(\1)s", text.replace("%", "%%"))
    return Statement(text, binds)


def marks(rows: int, columns: int) -> str:
    """Return ``VALUES`` with a positional parameter for every value (SQLite)."""
    row = "(" + ",".join("?" * columns) + ")"
    return f"VALUES {','.join([row] * rows)}"


def with_values(columns: str, source: str, body: str, dialect: Dialect, now: int | None) -> str:
    """Return ``WITH v(columns) AS (source) body`` with the placeholders of ``body`` filled in.

    ``now`` is the bound clock in microseconds, or None for the server's own.
    """
    holes = {"now": str(now) if now is not None else POSTGRES_NOW, **_HOLES[dialect]}
    text = _HOLE.sub(lambda m: holes[m.group(1)], body)
    return f"WITH v({columns}) AS ({source}) {text}"


def ids_param(ids: Sequence[str], dialect: Dialect) -> object:
    """Return what ``:ids`` of ``{among_ids}`` is bound to."""
    return json.dumps(list(ids)) if dialect == "sqlite" else list(ids)


def insert_from(
    table: str, columns: Mapping[str, str], types: Mapping[str, str], source: str, now: int | None
) -> str:
    """Return the insert of the rows of ``source`` into ``table`` (PostgreSQL).

    ``columns`` are names and their SQL with ``:name`` parameters, which are columns of ``source``,
    of the types of ``types``; ``now`` as in ``with_values``.
    """
    holes = {"now": str(now) if now is not None else POSTGRES_NOW, **_HOLES["postgresql"]}
    typed = {name: f"CAST(v.{name} AS {kind})" for name, kind in types.items()}
    values = ", ".join(_NAME.sub(lambda m: typed[m[1]], value) for value in columns.values())
    filled = _HOLE.sub(lambda m: holes[m.group(1)], values)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {filled} FROM ({source}) v"


def first_of_levels(condition: str, most: int, dialect: Dialect) -> str:
    """Return where the first ``most`` ready jobs are found that meet ``condition`` at each level.

    Levels are priorities, as the relation ``p(level)`` lists them; rows come level by level, in
    the order of the index of what is ready, and are looked for until there are enough.
    """
    if dialect == "sqlite":  # never swaps the sides of a CROSS JOIN: a loop inside of a loop
        return f"p CROSS JOIN ai_jobs INDEXED BY ix_ai_jobs_ready WHERE {condition}"
    rows = f"SELECT id FROM ai_jobs WHERE {condition} ORDER BY run_at, id LIMIT {most}"
    return f"p CROSS JOIN LATERAL ({rows} FOR UPDATE SKIP LOCKED) AS due"


def words_value(dialect: Dialect) -> str:
    """Return the expression that stores the words bound as ``:words``."""
    return _HOLES[dialect]["words_value"]


def match_text(wanted: Wanted, dialect: Dialect) -> str:
    """Return the query of the database's own full-text search that means ``wanted``.

    Words hold no sign that either language could take for its own: they need no escaping.
    """
    sign, either, both = _OPERATORS[dialect]
    texts = both.join(_term(one, sign) for one in wanted.terms)
    if wanted.exact is not None:
        exact = _term(wanted.exact, sign)
        texts = f"({exact}{either}({texts}))" if texts else exact
    return both.join([texts, *(_term(one, sign) for one in wanted.facts)])


def _term(term: Term, sign: tuple[str, str]) -> str:
    mark, prefix = sign
    return f"{mark}{term.text}{mark}{prefix if term.prefix else ''}"
