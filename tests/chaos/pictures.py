"""One picture of everything that is stored, from a database and from the model, to be compared."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from agent_console.store.database import Database, Reader
from agent_console.store.reads import counts
from agent_console.store.tallies import TOTALS
from tests.chaos.model import Job, Model
from tests.support import sums

Picture = dict[str, Any]

JOBS = """
SELECT id, status, claim_token, attempts, max_attempts, claims, resuming, worker_id,
  run_at, priority, started_at, completed_at, park_reason IS NOT NULL, error IS NOT NULL,
  progress IS NOT NULL FROM ai_jobs
"""
TALLIES = f"""
SELECT name, labels, sum(value) FROM {TOTALS}
WHERE name IN ('agent_jobs_total', 'jobs_now', 'agent_checkpoints_total', 'checkpoints_now')
GROUP BY name, labels
"""
PREVIEWS = """
SELECT p.job_id FROM job_previews p JOIN ai_jobs j
ON j.id = p.job_id AND j.claim_token = p.token AND j.status = 'RUNNING'
"""
OTHERS = {
    "steps": "SELECT job_id, position, kind FROM job_steps ORDER BY position",
    "questions": "SELECT job_id, position, status, expires_at, round FROM agent_checkpoints"
    " ORDER BY position",
    "journal": 'SELECT job_id, action, "before", "after" FROM audit_logs'
    " WHERE job_id IS NOT NULL ORDER BY seq",
    "artifacts": "SELECT job_id, position FROM work_artifacts ORDER BY position",
    "usage": "SELECT job_id, position FROM job_usage ORDER BY position",
    "lines": "SELECT job_id, attempt FROM agent_logs",
    "answers": "SELECT job_id, position, body FROM job_callbacks ORDER BY position, body",
}


def of_database(db: Database) -> Picture:
    """Read everything in one snapshot."""
    with db.read() as reader:
        found: Picture = {
            "jobs": {row[0]: _whole(row[1:]) for row in reader.rows(JOBS)},
            "tallies": {(n, x): int(v) for n, x, v in reader.rows(TALLIES) if v},
            "previews": {row[0] for row in reader.rows(PREVIEWS)},
            "workers": dict(reader.rows("SELECT id, status FROM agent_workers")),
            "pending": counts.pending_checkpoints(reader),
            "sums": sums.differences_in(reader),
        }
        found |= {name: _by_job(reader, sql) for name, sql in OTHERS.items()}
    return found


def _by_job(reader: Reader, sql: str) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in reader.rows(sql):
        found[row[0]].append(tuple(row[1:]))
    return dict(found)


def _whole(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return ``row`` with truth values as SQLite has them."""
    return tuple(int(value) if isinstance(value, bool) else value for value in row)


def of_model(model: Model) -> Picture:
    """Return what the databases are to hold."""
    jobs = model.jobs.values()
    found: Picture = {
        "jobs": {job.id: _columns(job) for job in jobs},
        "tallies": model.tallies(),
        "previews": {
            job.id
            for job in jobs
            if job.status == "RUNNING" and model.previews.get(job.id) == job.token
        },
        "workers": {name: worker.status for name, worker in model.workers.items()},
        "pending": sum(q.status == "PENDING" for q in model.questions),
        "sums": [],
        "steps": {job.id: [(s.position, s.kind) for s in job.steps] for job in jobs},
        "questions": {
            job.id: sorted((q.position, q.status, q.expires_at, q.round) for q in model.of(job))
            for job in jobs
        },
        "journal": {job.id: job.journal for job in jobs},
        "artifacts": {job.id: [(position,) for position in sorted(job.artifacts)] for job in jobs},
        "usage": {job.id: [(position,) for position in sorted(job.usage)] for job in jobs},
        "lines": {job.id: [(1,)] * job.lines for job in jobs},
        "answers": {job.id: _answers(model, job) for job in jobs},
    }
    return {
        name: {k: v for k, v in part.items() if v != []} if isinstance(part, dict) else part
        for name, part in found.items()
    }


def _columns(job: Job) -> tuple[Any, ...]:
    return (
        job.status,
        job.token,
        job.attempts,
        job.max_attempts,
        job.claims,
        job.resuming,
        job.worker,
        job.run_at,
        job.priority,
        job.started_at,
        job.completed_at,
        int(job.parked),
        int(job.error is not None),
        int(job.progress),
    )


def _answers(model: Model, job: Job) -> list[tuple[int, str | None]]:
    found = [(a.position, a.body) for a in model.answers.values() if a.job == job.id]
    return sorted(found, key=lambda pair: (pair[0], pair[1] or ""))
