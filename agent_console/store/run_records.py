"""What earlier runs of a job recorded: read for one run, or along with the claim of many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import from_micros
from agent_console.domain.comments import Comment
from agent_console.domain.payload import loads
from agent_console.domain.records import Step
from agent_console.store import comments
from agent_console.store.database import Database, Reader
from agent_console.store.dialects import ids_param
from agent_console.store.engine_values import DecisionRow, RunRecord, StoredRecord
from agent_console.store.prepared import KEPT
from agent_console.store.transactions import Row, Tx

NOTHING: Final[Mapping[str, Sequence[Comment]]] = MappingProxyType({})
CARRIED = 4_000_000  # bytes of steps' results that one claim brings along

_STEP: Final = (
    "job_id, position, kind, name, result, attempt, started_at, finished_at, code_version"
)
STEPS: Final = f"SELECT {_STEP} FROM job_steps WHERE job_id = :id ORDER BY position"
# In the order of their ids as many jobs as fit; the others are read when they run.
FITTING: Final = f"""
SELECT {_STEP} FROM job_steps WHERE job_id IN (
  SELECT s.job_id FROM (
    SELECT job_id, sum(sum(coalesce({{octets}}(result), 0))) OVER (ORDER BY job_id) AS total
    FROM job_steps WHERE job_id {{among_ids}} GROUP BY job_id) s
  WHERE s.total <= :most)
ORDER BY job_id, position
"""
DECISIONS: Final = """
SELECT job_id, id, position, status, payload, payload_digest, edited_data, response, approved_by,
  approved_by_name, approved_at, rejection_reason, feedback, round, rounds, message,
  EXISTS (SELECT 1 FROM checkpoint_comments m WHERE m.checkpoint_id = agent_checkpoints.id)
FROM agent_checkpoints WHERE position >= 0 AND {indexable}checkpoint_type = 'APPROVAL_REQUIRED'
  AND job_id = :id
"""


def load_record(db: Database, job_id: str) -> RunRecord:
    """Return what earlier runs of the job recorded."""
    with db.read() as reader:
        return record_of(reader, job_id)


def record_of(reader: Reader, job_id: str) -> RunRecord:
    """Return what runs of the job recorded so far, as ``reader`` sees it."""
    steps = reader.rows(STEPS, {"id": job_id})
    decisions = reader.rows(DECISIONS, {"id": job_id})
    said = comments.handed(reader, job_id) if any(map(_has_comments, decisions)) else {}
    return record(StoredRecord(steps, decisions), said)


def carried(
    tx: Tx, job_ids: Sequence[str], decided: Mapping[str, Sequence[Row]]
) -> dict[str, StoredRecord]:
    """Return what is recorded of each of the jobs, as ``tx`` sees it, in one statement.

    ``decided`` are the rows of ``DECISIONS`` of each (``rechecks.questions`` reads them). A job is
    missing from the answer when nothing is, when it would be too much at once, or when people
    talked about it: what they said is read when it runs.
    """
    if not job_ids:
        return {}
    given = {"ids": ids_param(job_ids, tx.dialect), "most": CARRIED}
    steps: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tx.rows(KEPT + FITTING, given):
        steps[row[0]].append(row)
    return {
        one: StoredRecord(found, decided.get(one, []))
        for one, found in steps.items()
        if not any(map(_has_comments, decided.get(one, [])))
    }


def record(stored: StoredRecord, said: Mapping[str, Sequence[Comment]] = NOTHING) -> RunRecord:
    """Return what the rows say; ``said`` are the comments to hand over, by checkpoint."""
    return RunRecord(
        steps=[_step(row) for row in stored.steps],
        decisions={row[2]: _decision(row, said.get(row[1], ())) for row in stored.decisions},
    )


def _step(row: tuple[Any, ...]) -> Step:
    return Step(
        job_id=row[0],
        position=row[1],
        kind=row[2],
        name=row[3],
        result=None if row[4] is None else loads(row[4]),
        attempt=row[5],
        started_at=from_micros(row[6]),
        finished_at=from_micros(row[7]),
        code_version=row[8],
    )


def _has_comments(decision: Row) -> bool:
    return bool(decision[16])


def _decision(row: tuple[Any, ...], said: Sequence[Comment]) -> DecisionRow:
    return DecisionRow(
        checkpoint_id=row[1],
        position=row[2],
        status=CheckpointStatus(row[3]),
        payload=row[4],
        payload_digest=row[5],
        edited_data=row[6],
        response=row[7],
        decided_by=row[8],
        decided_by_name=row[9],
        decided_at=None if row[10] is None else from_micros(row[10]),
        rejection_reason=row[11],
        feedback=row[12],
        round=row[13],
        rounds=row[14],
        message=row[15],
        comments=tuple(said),
    )
