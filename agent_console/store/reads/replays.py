"""What a job left behind, read in one snapshot to run it again without effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_console.domain.jobs import Job, Json
from agent_console.domain.payload import loads
from agent_console.store import rows
from agent_console.store.claims import claimed_of
from agent_console.store.database import Database, Reader
from agent_console.store.engine_values import Claimed, RunKey, RunRecord
from agent_console.store.run_records import record_of

NOBODY = "replay"  # the worker id of a run that holds no claim
NO_TOKEN = -1  # no claim ever has it: whatever would be written with it is refused

_NOTES = """
SELECT position, message, payload_digest FROM agent_checkpoints
WHERE job_id = :id AND position >= 0
"""
_ARTIFACTS = """
SELECT position, artifact_type, media_type, digest, metadata FROM work_artifacts
WHERE job_id = :id AND position >= 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A job with its record. ``details`` are, by position, what was handed to recorded calls."""

    job: Job
    claimed: Claimed
    output: str | None  # canonical JSON text
    record: RunRecord
    details: Mapping[int, Mapping[str, Json]]


def past(db: Database, job_id: str) -> Past | None:
    """Return what the job left so far, of one moment; None: there is no such job."""
    with db.read() as reader:
        found = reader.dicts("SELECT * FROM ai_jobs WHERE id = :id", {"id": job_id})
        if not found:
            return None
        return Past(
            job=rows.job(found[0]),
            claimed=_as_claimed(found[0]),
            output=found[0]["output_data"],
            record=record_of(reader, job_id),
            details=_details(reader, job_id),
        )


def _details(reader: Reader, job_id: str) -> dict[int, dict[str, Json]]:
    details: dict[int, dict[str, Json]] = {
        position: {"message": message, "digest": digest}
        for position, message, digest in reader.rows(_NOTES, {"id": job_id})
    }
    for position, kind, media_type, digest, metadata in reader.rows(_ARTIFACTS, {"id": job_id}):
        details[position] = {
            "artifactType": kind,
            "mediaType": media_type,
            "digest": digest,
            "metadata": loads(metadata),
        }
    return details


def _as_claimed(row: Mapping[str, Any]) -> Claimed:
    """Return the job as its last run was given it, without a claim and in nobody's trace."""
    claimed = claimed_of(row, RunKey(row["id"], NO_TOKEN, NOBODY), resuming=True)
    return claimed._replace(traceparent=None)
