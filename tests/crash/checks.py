"""What must be true after every process has died many times. Each function returns complaints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from agent_console.domain import checkpoints, jobs
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.jobs import FINISHED, JobStatus
from agent_console.store.database import Database
from agent_console.store.tallies import TOTALS
from tests.crash.child import is_refused
from tests.crash.handlers import APPLIES, USED
from tests.crash.sink import Sink
from tests.support import sums

LEGAL_JOB_MOVES = {(before, after) for (before, _), after in jobs.TRANSITIONS.items()}
LEGAL_CHECKPOINT_MOVES = {(b, a) for (b, _), a in checkpoints.TRANSITIONS.items()}
# A start after one of these charges an attempt; after a wake-up or a release it does not.
CHARGED_AFTER = {"job.created", "job.rescued", "job.retrying"}

AGENTS = "SELECT id FROM ai_jobs WHERE job_type = 'agent'"

Entry = tuple[str, str | None, str | None]


class House(Protocol):
    """What a campaign leaves: a database, a folder, and who asked for what."""

    db: Database
    folder: Path
    keys: dict[str, str]

    def acknowledged(self) -> dict[str, str]:
        """Return the job id that was answered for each key."""
        ...


def complaints(campaign: House) -> list[str]:
    """Return everything that is wrong."""
    db = campaign.db
    return [
        *nothing_lost(campaign, db),
        *nothing_stuck(db),
        *effects(db, Sink(campaign.folder / "sink", db)),
        *journal_agrees(db),
        *counted(db),
        *spent(db),
        *gates_closed(db),
        *answered(db, Sink(campaign.folder / "sink", db)),
    ]


def nothing_lost(campaign: House, db: Database) -> Iterator[str]:
    """One job per request, also where the request was repeated; none that was answered is gone."""
    with db.read() as reader:
        stored = dict(reader.rows("SELECT idempotency_key, id FROM ai_jobs"))
        count = reader.rows("SELECT count(*) FROM ai_jobs")[0][0]
    if count != len(campaign.keys):
        yield f"{len(campaign.keys)} requests made {count} jobs"
    for key in campaign.keys:
        if key not in stored:
            yield f"the job of {key} is lost"
    for key, job_id in campaign.acknowledged().items():
        if stored.get(key) != job_id:
            yield f"{key} was answered with {job_id} and is {stored.get(key)}"


def nothing_stuck(db: Database) -> Iterator[str]:
    """Every job has an end, and the end it should have."""
    with db.read() as reader:
        rows = reader.rows("SELECT id, job_type, status, worker_id, error FROM ai_jobs")
        asked = dict(
            reader.rows("SELECT job_id, min(status) FROM agent_checkpoints GROUP BY job_id")
        )
    for job_id, job_type, status, worker_id, error in rows:
        if status not in FINISHED:
            yield f"{job_id} ({job_type}) is stuck in {status}"
        if worker_id is not None:
            yield f"{job_id} is still held by {worker_id}"
        reviewed = job_type in {"deploy", "publish"} or asked.get(job_id) == "REJECTED"
        expected = JobStatus.FAILED if reviewed and is_refused(job_id) else JobStatus.COMPLETED
        if status in FINISHED and status != expected:
            yield f"{job_id} ({job_type}) is {status}, not {expected}: {error}"


def gates_closed(db: Database) -> Iterator[str]:
    """No job was left open, and no type is paused or limited that should not be."""
    with db.read() as reader:
        left = reader.rows("SELECT id FROM ai_jobs WHERE gate = 2")
        paused = reader.rows("SELECT job_type FROM job_types WHERE paused_at IS NOT NULL")
    yield from (f"{row[0]} was left open" for row in left)
    yield from (f"{row[0]} is still paused" for row in paused)


def effects(db: Database, sink: Sink) -> Iterator[str]:
    """No recorded step was repeated, nothing unapproved was done, each effect applied once."""
    yield from (f"{found['offence']}: {found['key']}" for found in sink.offences())
    by_job: dict[str, list[str]] = defaultdict(list)
    for key in sink.applied():
        by_job[key.rsplit(":", 1)[0]].append(key)
    with db.read() as reader:
        rows = reader.rows("SELECT id, job_type, status FROM ai_jobs")
        steps = Counter(
            job_id for (job_id,) in reader.rows("SELECT job_id FROM job_steps WHERE kind = 'step'")
        )
    for job_id, job_type, status in rows:
        allowed = len(APPLIES[job_type])
        if status == JobStatus.COMPLETED and len(by_job[job_id]) != allowed:
            yield f"{job_id} ({job_type}) applied {by_job[job_id]}, not {allowed} effects"
        if status == JobStatus.COMPLETED and steps[job_id] != allowed:
            yield f"{job_id} recorded {steps[job_id]} steps, not {allowed}"
        if status == JobStatus.FAILED and len(by_job[job_id]) >= max(2, allowed):
            yield f"{job_id} was refused and did it all the same"


def journal_agrees(db: Database) -> Iterator[str]:
    """The journal alone leads to the state of every row, by legal moves, and to its attempts."""
    with db.read() as reader:
        entries = reader.rows(
            'SELECT job_id, checkpoint_id, action, "before", "after" FROM audit_logs'
            ' WHERE "after" IS NOT NULL ORDER BY seq'
        )
        rows = reader.rows("SELECT id, status, attempts FROM ai_jobs")
        reviews = reader.rows(
            "SELECT id, status FROM agent_checkpoints WHERE checkpoint_type = 'APPROVAL_REQUIRED'"
        )
    of_job: dict[str, list[Entry]] = defaultdict(list)
    of_checkpoint: dict[str, list[Entry]] = defaultdict(list)
    for job_id, checkpoint_id, action, before, after in entries:
        if action.startswith("job."):
            of_job[job_id].append((action, before, after))
        elif action.startswith("checkpoint."):
            of_checkpoint[checkpoint_id].append((action, before, after))
    for job_id, status, attempts in rows:
        yield from _follows(job_id, of_job[job_id], status, LEGAL_JOB_MOVES)
        charged = _charged(of_job[job_id])
        if attempts != charged:
            yield f"{job_id} was charged {attempts} attempts, its journal tells of {charged}"
    for checkpoint_id, status in reviews:
        moves = LEGAL_CHECKPOINT_MOVES
        yield from _follows(checkpoint_id, of_checkpoint[checkpoint_id], status, moves)


def _follows(
    subject: str, entries: list[Entry], status: str, legal: set[tuple[Any, Any]]
) -> Iterator[str]:
    state: str | None = None
    for action, before, after in entries:
        if before != state:
            yield f"{subject}: {action} leaves {before}, but it was {state}"
        if before is not None and (before, after) not in legal:
            yield f"{subject}: {action} from {before} to {after} is not legal"
        state = after
    if state != status:
        yield f"{subject} is {status}; its journal ends in {state}"


def _charged(entries: list[Entry]) -> int:
    actions = [action for action, _, _ in entries]
    return sum(
        action == "job.started" and before in CHARGED_AFTER for before, action in pairwise(actions)
    )


def counted(db: Database) -> Iterator[str]:
    """The tallies that metrics are read from are the sums of the journal, and of the rows."""
    with db.read() as reader:
        tallied = dict(
            reader.rows(
                f"SELECT labels, sum(value) FROM {TOTALS} WHERE name = 'agent_jobs_total'"
                " GROUP BY labels"
            )
        )
        journaled = dict(
            reader.rows(
                "SELECT \"after\", count(*) FROM audit_logs WHERE action LIKE 'job.%'"
                ' AND "after" IS NOT NULL GROUP BY "after"'
            )
        )
        decided = reader.rows(
            "SELECT count(*) FROM agent_checkpoints WHERE status = :s AND approved_at IS NULL"
            " AND checkpoint_type = 'APPROVAL_REQUIRED'",
            {"s": CheckpointStatus.APPROVED},
        )[0][0]
    if tallied != journaled:
        yield f"tallies {tallied} are not the journal's {journaled}"
    yield from sums.differences(db)
    if decided:
        yield f"{decided} checkpoints are approved by nobody"


def answered(db: Database, sink: Sink) -> Iterator[str]:
    """Every call was answered once, by its own answer, and each token of it was a good one."""
    with db.read() as reader:
        outputs = reader.rows("SELECT id, output_data FROM ai_jobs WHERE job_type = 'call'")
        admitted = Counter(job_id for (job_id,) in reader.rows("SELECT job_id FROM job_callbacks"))
        received = Counter(
            job_id
            for (job_id,) in reader.rows(
                "SELECT job_id FROM job_callbacks WHERE received_at IS NOT NULL"
            )
        )
    asked = Counter(job_id for job_id, _ in sink.asked())
    for job_id, output in outputs:
        if output != f'"{job_id}"':
            yield f"{job_id} was answered with {output}"
        if received[job_id] != 1:
            yield f"{job_id} took {received[job_id]} answers"
        if admitted[job_id] < asked[job_id]:
            yield f"{job_id} handed out {asked[job_id]} tokens and knows {admitted[job_id]}"


def spent(db: Database) -> Iterator[str]:
    """What a model call cost is counted once, whoever died around it, and a policy decided."""
    with db.read() as reader:
        agents = [job_id for (job_id,) in reader.rows(AGENTS)]
        used = Counter(job_id for (job_id,) in reader.rows("SELECT job_id FROM job_usage"))
        totals = {
            (name, labels): value
            for name, labels, value in reader.rows(
                f"SELECT name, labels, sum(value) FROM {TOTALS} GROUP BY name, labels"
            )
        }
        decided = reader.rows(
            "SELECT id, approved_by_name FROM agent_checkpoints WHERE job_id IN (" + AGENTS + ")"
        )
    for job_id in agents:
        if used[job_id] != 1:
            yield f"{job_id} counted {used[job_id]} calls of its model"
    yield from (f"{one} was approved by {who}" for one, who in decided if who != "policy")
    tokens, _, dollars = USED
    expected = {
        ("agent_tokens_total", "input|agent"): len(agents) * tokens,
        ("agent_cost_micros", "agent"): len(agents) * round(dollars * 1_000_000),
    }
    for key, figure in expected.items():
        if totals.get(key, 0) != figure:
            yield f"{key} is {totals.get(key, 0)}, not {figure}"
