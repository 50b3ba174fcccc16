"""What a job used of models."""

from __future__ import annotations

from agent_console.domain.usage import JobUsage, ModelUsage, Usage
from agent_console.store.transactions import Reader

_BY_MODEL = """
SELECT model, count(*), sum(input_tokens), sum(output_tokens), sum(cost_micros)
FROM job_usage WHERE job_id = :id GROUP BY model ORDER BY sum(cost_micros) DESC, model
"""


_CUT_OFF = """
SELECT sum(input_tokens), sum(output_tokens), sum(cost_micros)
FROM job_usage WHERE job_id = :id AND position < 0
"""


def cut_off(reader: Reader, job_id: str) -> Usage:
    """Return what was used by calls that a retry has cut off the job's record."""
    row = reader.row(_CUT_OFF, {"id": job_id})
    return Usage() if row is None or row[0] is None else Usage(*map(int, row))


def of_job(reader: Reader, job_id: str) -> JobUsage:
    """Return the sums of the job's calls, in all and by model."""
    models = [
        ModelUsage(
            model=row[0], calls=int(row[1]), used=Usage(int(row[2]), int(row[3]), int(row[4]))
        )
        for row in reader.rows(_BY_MODEL, {"id": job_id})
    ]
    return JobUsage(
        calls=sum(each.calls for each in models),
        total=sum((each.used for each in models), Usage()),
        models=models,
    )
