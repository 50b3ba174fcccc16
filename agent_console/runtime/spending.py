"""What models cost a job: recorded once, and added up against what it may spend."""

from __future__ import annotations

from agent_console.domain.payload import canonical
from agent_console.domain.usage import Usage
from agent_console.runtime import entries
from agent_console.runtime.ledger import Ledger, entry, read_entry
from agent_console.runtime.run import Run
from agent_console.store.reads import usage as usage_reads
from agent_console.store.run_usage import record_usage


def account(run: Run, ledger: Ledger, name: str, used: Usage) -> None:
    """Enter what a call of the model ``name`` used, or what the record says of it."""
    with run.turn("usage", name) as turn:
        if turn.recorded is not None:
            run.recorder.compare(turn, lambda: entry(used, Usage()))
            ledger.add(*read_entry(turn.recorded.result))
            return
        carried = _cut_off(run)
        result = canonical(entry(used, carried))
        step = entries.new_step(run, turn, "usage", name, result=result)
        db, job_type = run.surroundings.db, run.claimed.job_type
        run.persist(turn, lambda: record_usage(db, run.key, step, used, job_type))
        ledger.add(used, carried)


def _cut_off(run: Run) -> Usage:
    """Return what retries have cut off the record; it never changes during a run."""
    if run.claimed.fresh:
        return Usage()

    def read() -> Usage:
        with run.surroundings.db.read() as reader:
            return usage_reads.cut_off(reader, run.key.job_id)

    return run.outlast(read)
