"""What running jobs are writing at the moment: shown while they run, recorded nowhere."""

from __future__ import annotations

from agent_console.domain.clock import from_micros
from agent_console.domain.errors import LostClaim
from agent_console.domain.records import Preview
from agent_console.store.database import Database
from agent_console.store.engine_values import RunKey
from agent_console.store.transactions import Params, Reader, Tx

_SHOW = """
INSERT INTO job_previews (job_id, token, text, at)
SELECT id, claim_token, CAST(:text AS TEXT), {now} FROM ai_jobs
WHERE id = :job_id AND claim_token = :token AND status = 'RUNNING'
ON CONFLICT (job_id) DO UPDATE
SET token = excluded.token, text = excluded.text, at = excluded.at
"""

# Only the run that wrote a preview takes it away, whatever has become of its job meanwhile.
_REMOVE = "DELETE FROM job_previews WHERE job_id = :job_id AND token = :token"

_CURRENT = """
SELECT p.text, p.at FROM job_previews p
JOIN ai_jobs j ON j.id = p.job_id AND j.claim_token = p.token AND j.status = 'RUNNING'
WHERE p.job_id = :id
"""

_LEFT_OVER = """
FROM job_previews WHERE NOT EXISTS (
  SELECT 1 FROM ai_jobs j WHERE j.id = job_previews.job_id
  AND j.claim_token = job_previews.token AND j.status = 'RUNNING')
"""

SIGN = f"SELECT 1 {_LEFT_OVER}"  # a row if anything is left over


def show(db: Database, key: RunKey, text: str) -> None:
    """Replace what the run shows as being written.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """

    def work(tx: Tx) -> None:
        if not tx.execute(_SHOW, {**_whose(key), "text": text}):
            raise LostClaim
        tx.touch(key.job_id)

    db.write(work)


def remove(db: Database, key: RunKey) -> None:
    """Take away what the run showed; nothing to take away is fine."""

    def work(tx: Tx) -> None:
        if tx.execute(_REMOVE, _whose(key)):
            tx.touch(key.job_id)

    db.write(work)


def of_job(reader: Reader, job_id: str) -> Preview | None:
    """Return what the job's present run is writing, or None."""
    row = reader.row(_CURRENT, {"id": job_id})
    return None if row is None else Preview(text=row[0], at=from_micros(row[1]))


def sweep(db: Database) -> int:
    """Remove what runs left behind that ended without a word; return how many.

    Reads first: as a rule there is nothing to write.
    """
    with db.read() as reader:
        if reader.row(f"{SIGN} LIMIT 1") is None:
            return 0
    return db.write(lambda tx: tx.execute(f"DELETE {_LEFT_OVER}"))


def _whose(key: RunKey) -> Params:
    return {"job_id": key.job_id, "token": key.token}
