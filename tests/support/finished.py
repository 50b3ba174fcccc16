"""Finished jobs of any age with all that belongs to them, made in bulk for tests of retention."""

from __future__ import annotations

from typing import Any

from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED, JobStatus
from agent_console.store.artifact_words import INSERT
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.testing import FakeClock

DAY = 86_400
JOBS = (
    "id", "job_type", "status", "task_description", "input_data", "priority", "max_attempts",
    "attempts", "claims", "resuming", "claim_token", "metadata", "run_at", "created_at",
    "updated_at", "completed_at",
)  # fmt: skip
# A row of every table that belongs to a job, from its id, a number and an instant.
PARTS: dict[str, Any] = {
    "job_steps": lambda j, n, at: {
        "job_id": j, "position": n, "kind": "step", "name": "s", "attempt": 1,
        "started_at": at, "finished_at": at,
    },
    "agent_checkpoints": lambda j, n, at: {
        "id": f"chk_{j}_{n}", "job_id": j, "position": n, "checkpoint_type": "INFO",
        "status": "APPROVED", "message": "", "payload": "{}", "payload_digest": "",
        "metadata": "{}", "created_at": at, "updated_at": at,
    },
    "agent_logs": lambda j, n, at: {
        "job_id": j, "at": at, "level": "info", "message": str(n), "attempt": 1,
    },
    "work_artifacts": lambda j, n, at: {
        "id": f"art_{j}_{n}", "job_id": j, "position": n, "name": "a", "artifact_type": "file",
        "media_type": "text/plain", "content": "c", "size": 1, "digest": "", "metadata": "{}",
        "created_at": at,
    },
    "artifact_texts": lambda j, n, at: {"artifact_id": f"art_{j}_{n}", "words": "plain"},  # noqa: ARG005
    "job_callbacks": lambda j, n, at: {
        "token_hash": f"tok_{j}_{n}", "job_id": j, "position": n, "created_at": at,
    },
    "job_usage": lambda j, n, at: {
        "job_id": j, "position": n, "model": "m", "input_tokens": 1, "output_tokens": 1,
        "cost_micros": 1, "at": at,
    },
    "chat_sessions": lambda j, n, at: {
        "id": f"cht_{j}_{n}", "title": "t", "job_id": j,
        "checkpoint_id": f"chk_{j}_{n}" if n else None,
        "created_by": "usr_ada", "created_by_name": "Ada", "last_seq": 1, "created_at": at,
        "updated_at": at,
    },
    "chat_messages": lambda j, n, at: {
        "session_id": f"cht_{j}_{n}", "seq": 1, "role": "user", "content": "?",
        "author_name": "Ada", "created_at": at,
    },
    "checkpoint_claims": lambda j, n, at: {
        "checkpoint_id": f"chk_{j}_{n}", "user_id": "usr_ada", "user_name": "Ada",
        "claimed_at": at, "until": at,
    },
    "checkpoint_votes": lambda j, n, at: {
        "checkpoint_id": f"chk_{j}_{n}", "user_id": "usr_ada", "user_name": "Ada",
        "verb": "approve", "digest": "", "voted_at": at,
    },
    "checkpoint_comments": lambda j, n, at: {
        "id": f"cmt_{j}_{n}", "checkpoint_id": f"chk_{j}_{n}", "author_id": "usr_ada",
        "author_name": "Ada", "body": "?", "mentions": "[]", "created_at": at,
    },
    "checkpoint_views": lambda j, n, at: {
        "checkpoint_id": f"chk_{j}_{n}", "user_id": "usr_ada", "user_name": "Ada",
        "first_seen": at, "last_seen": at, "present_until": at,
    },
    "chat_participants": lambda j, n, at: {
        "session_id": f"cht_{j}_{n}", "user_id": "usr_ada", "user_name": "Ada", "joined_at": at,
        "read_seq": 0,
    },
    "notification_deliveries": lambda j, n, at: {
        "id": f"msg_{j}_{n}", "subscription_id": "sub_one", "event_key": f"journal:{j}{n}",
        "topic": "new", "job_id": j, "checkpoint_id": f"chk_{j}_{n}", "body": "{}",
        "status": "sent", "attempts": 1, "tries": 1, "due_at": at, "log": "[]", "created_at": at,
    },
    "idempotency_keys": lambda j, n, at: {
        "scope": "usr_ada enqueue", "key": f"{j} {n}", "request_digest": "d",
        "subject_id": f"chk_{j}_{n}" if n else j, "created_at": at,
    },
}  # fmt: skip


def make(db: Database, clock: FakeClock, jobs: list[tuple[JobStatus, float, int]]) -> list[str]:
    """Make a job of each status, so many days old, with so many rows of everything; return ids.

    The counts are kept as they are in life: by the events of the transaction.
    """
    now = to_micros(clock.now())
    ids, rows, parts = [], [], {name: [] for name in PARTS}
    for status, days, size in jobs:
        job_id, at = new_id("job"), now - int(days * DAY * MICROSECONDS)
        ids.append(job_id)
        done = at if status in FINISHED else None
        rows.append(
            (job_id, "noop", status.value, "", "{}", 5, 3, 1, 0, 0, 1, "{}", at, at, at, done)
        )
        for name, part in PARTS.items():
            parts[name] += [part(job_id, n, at) for n in range(size)]
        if size and status not in FINISHED:
            parts.setdefault("job_previews", []).append(
                {"job_id": job_id, "token": 1, "text": "…", "at": at}
            )

    def fill(tx: Any) -> None:
        tx.insert("ai_jobs", JOBS, rows)
        for name, made in parts.items():
            if name == "artifact_texts":  # words are of a type of their own on PostgreSQL
                for one in made:
                    tx.execute(INSERT, {"id": one["artifact_id"], "words": one["words"]})
            elif made:
                tx.insert(name, tuple(made[0]), [tuple(one.values()) for one in made])
        tx.record(
            *(
                Event(action="job.made", job_id=i, job_type="noop", after=s.value)
                for i, (s, _, _) in zip(ids, jobs, strict=True)
            )
        )

    db.write(fill)
    return ids


def counted(db: Database, table: str) -> int:
    """Return how many rows ``table`` holds."""
    with db.read() as reader:
        row = reader.row(f"SELECT count(*) FROM {table}")
    return 0 if row is None else int(row[0])
