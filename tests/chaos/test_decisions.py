"""Many people and sweeps end the same questions at once: each question has one end, told to all."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent_console.store.database import Database
from agent_console.store.runs import suspend
from tests.chaos import deciders
from tests.chaos.deciders import Try
from tests.chaos.processes import CONTEXT
from tests.chaos.sizes import SEED, size, tell
from tests.support.factories import employ, enqueue
from tests.support.runs import checkpoint, claim_one
from tests.support.sums import differences

QUESTIONS = size("DECISIONS", 30, 1000)
DECIDERS = size("DECIDERS", 16, 100)
PROCESSES = 4
ENDS = "SELECT id, job_id, status, approved_by_name FROM agent_checkpoints"


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(180 + QUESTIONS * DECIDERS // 40)
def test_a_question_that_everybody_wants_to_end_has_one_end(
    database_url: str, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    db = Database(database_url)
    for seat in range(DECIDERS):
        employ(db, deciders.reviewer(seat))
    # A fifth is overdue soon: people and the sweep meet at the deadline.
    asked = [_ask(db, number) for number in range(QUESTIONS)]
    began = time.monotonic()
    tries = _all_at_once(database_url, asked)
    seconds = time.monotonic() - began
    found = [*_wrong_ends(db, asked, tries), *_wrong_jobs(db), *differences(db)]
    db.close()
    told = Counter("won" if each.told == "won" else "lost" for each in tries)
    tell(
        capsys,
        f"decisions on {dialect}: {QUESTIONS} questions, {len(tries)} tries by {DECIDERS} threads"
        f" of {PROCESSES} processes in {seconds:.0f} s, {dict(told)}, complaints {len(found)}",
    )
    assert found == []
    assert len(tries) == QUESTIONS * DECIDERS


def _ask(db: Database, number: int) -> tuple[str, str]:
    job_id = enqueue(db)
    soon = timedelta(milliseconds=20 * number)
    expires_in = soon if number % 5 == 4 else timedelta(hours=1)
    new = checkpoint(expires_in=expires_in, rounds=3)
    return job_id, suspend(db, claim_one(db).key, new)


def _all_at_once(url: str, asked: list[tuple[str, str]]) -> list[Try]:
    tries: list[Try] = []
    children = []
    for number in range(PROCESSES):
        seats = list(range(DECIDERS))[number::PROCESSES]
        ours, theirs = CONTEXT.Pipe()
        args = (url, seats, asked, SEED, theirs)
        child = CONTEXT.Process(target=deciders.run, args=args)
        child.start()
        theirs.close()
        children.append((child, ours))
    for _, pipe in children:
        pipe.recv()
    for _, pipe in children:
        pipe.send("go")
    for child, pipe in children:
        tries += pipe.recv()
        child.join()
        pipe.close()
    return tries


def _wrong_ends(db: Database, asked: list[tuple[str, str]], tries: list[Try]) -> Iterator[str]:
    """Say which questions ended twice or not at all, and who was told something else."""
    of_question: dict[int, list[Try]] = defaultdict(list)
    for each in tries:
        of_question[each.question].append(each)
    with db.read() as reader:
        ends = {row[0]: (row[2], row[3]) for row in reader.rows(ENDS)}
        journal: dict[str, list[str]] = defaultdict(list)
        for checkpoint_id, after in reader.rows(
            'SELECT checkpoint_id, "after" FROM audit_logs WHERE checkpoint_id IS NOT NULL'
            " AND \"before\" = 'PENDING'"
        ):
            journal[checkpoint_id].append(after)
    for number, (_, checkpoint_id) in enumerate(asked):
        status, winner = ends[checkpoint_id]
        if journal[checkpoint_id] != [status]:
            yield f"{checkpoint_id} is {status}, its journal says {journal[checkpoint_id]}"
        people = [t for t in of_question[number] if t.verb not in ("expire", "cancel")]
        won = [t.who for t in people if t.told == "won"]
        if won != [winner] * (winner is not None):
            yield f"{checkpoint_id}: {won} think they won, it was {winner}"
        for lost in people:
            if lost.told == "won":
                continue
            if (lost.told, lost.by) != (status, winner or ""):
                yield f"{lost} was told of another end than {status} by {winner}"


def _wrong_jobs(db: Database) -> Iterator[str]:
    """A question that has an end leaves its job in the queue once, or canceled."""
    with db.read() as reader:
        statuses = dict(reader.rows("SELECT status, count(*) FROM ai_jobs GROUP BY status"))
        woken = Counter(
            row[0]
            for row in reader.rows("SELECT job_id FROM audit_logs WHERE action = 'job.woken'")
        )
    if set(statuses) - {"QUEUED", "CANCELED"}:
        yield f"jobs are {statuses}"
    yield from (f"{job_id} was woken {count} times" for job_id, count in woken.items() if count > 1)
