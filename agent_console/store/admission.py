"""Letting jobs of limited types in: as many as there is room for, in the claim's own transaction.

A job of a limited or paused type is held (``gate`` 1) and out of the claim's index. A claim that
finds room under the limits opens the best of them (``gate`` 2) just before the claiming statement
and closes what that did not take just after: no other transaction ever sees an open job, so a
crash leaves none. Room is computed from the RUNNING rows, never from a counter. Claimers of a
type take turns by its row in ``job_types``; who finds it taken leaves the type to the other.

With a limit per key, jobs that stand behind others of their full lane are moved out of the way
(``gate`` 3), once, and the best of them steps up when one of its lane is claimed. So each lane has
its best jobs among the held ones, and no claim walks over a long lane again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from agent_console.domain.crashpoints import crashpoint
from agent_console.store.database import Database
from agent_console.store.tables import BEHIND_SQL, HELD_SQL, LIVE_SQL, TAKEN_SQL
from agent_console.store.transactions import Queries, Row, Tx

BATCH = 1000  # jobs moved between gates by one claim at most, per type

# What is not ``gate`` 0 of a limited type is let in; this row got past a change of its limits.
UNGATED_SQL = "(gate = 2 OR job_type NOT IN (SELECT job_type FROM job_types WHERE gated = 1))"

# Per type: µs until the rate allows a start, and until a job is due whose lane is not full.
# ``+ 0`` here and below: this term is not to choose the index.
OPENINGS = f"""
SELECT t.job_type, t.spoken_until - (t.starts - 1) * t.start_interval - {{now}},
  (SELECT j.run_at FROM ai_jobs j {{gated_due_index}}
   WHERE j.job_type = t.job_type AND {HELD_SQL} AND (t.max_per_key IS NULL OR j.lane IS NULL
     OR t.max_per_key > (SELECT count(*) FROM ai_jobs r {{taken_index}}
       WHERE r.job_type = t.job_type AND r.lane = j.lane AND r.status = 'RUNNING' AND r.gate > 0))
   ORDER BY j.run_at LIMIT 1) - {{now}}
FROM job_types t WHERE t.paused_at IS NULL AND (t.max_running IS NULL OR t.max_running > (
  SELECT count(*) FROM ai_jobs r {{taken_index}}
  WHERE r.job_type = t.job_type AND r.status = 'RUNNING' AND r.gate > 0))
"""

LOCK = """
SELECT gated, paused_at, max_running, max_per_key, starts, start_interval,
  (starts * start_interval + {now}
    - CASE WHEN spoken_until > {now} THEN spoken_until ELSE {now} END) / start_interval
FROM job_types WHERE job_type = :job_type {skip_locked}
"""

RUNNING = f"""
SELECT lane, count(*) FROM ai_jobs {{taken_index}}
WHERE job_type = :job_type AND {TAKEN_SQL} GROUP BY lane
"""

BEST = f"""
SELECT id FROM ai_jobs {{gated_index}}
WHERE job_type = :job_type AND {HELD_SQL} AND (run_at + 0) <= {{now}}
ORDER BY priority DESC, run_at, id LIMIT :room
"""

OPEN = f"""
WITH c AS {{materialized}} ({BEST} {{skip_locked}})
UPDATE ai_jobs SET gate = 2 WHERE id IN (SELECT id FROM c) AND (gate + 0) = 1 RETURNING id
"""

SCAN = BEST.replace("SELECT id", "SELECT id, lane")

# From gate to gate; the rows by their ids alone. A row that somebody works on stays as it is.
MOVE = """
, l AS {materialized} (SELECT id FROM ai_jobs WHERE id IN (SELECT id FROM v) {skip_locked})
UPDATE ai_jobs SET gate = GATE_TO FROM l
WHERE ai_jobs.id = l.id AND (ai_jobs.gate + 0) = GATE_FROM
  AND ai_jobs.status || '' IN ('PENDING', 'QUEUED')
RETURNING ai_jobs.id
"""

STEP_UP = f"""
WITH c AS {{materialized}} (SELECT id FROM ai_jobs {{behind_index}}
  WHERE job_type = :job_type AND lane = :lane AND {BEHIND_SQL}
  ORDER BY priority DESC, run_at, id LIMIT :count {{skip_locked}})
UPDATE ai_jobs SET gate = 1 WHERE id IN (SELECT id FROM c) AND (gate + 0) = 3
"""

# All lanes of a type at once, for when there is no limit per key any more.
COME_FORTH = f"""
WITH c AS {{materialized}} (SELECT id FROM ai_jobs {{behind_index}}
  WHERE job_type = :job_type AND {BEHIND_SQL}
  ORDER BY lane, priority DESC, run_at, id LIMIT :count {{skip_locked}})
UPDATE ai_jobs SET gate = 1 WHERE id IN (SELECT id FROM c) AND (gate + 0) = 3
"""

FREE = f"""
WITH c AS {{materialized}} (SELECT id FROM ai_jobs {{gated_index}}
  WHERE job_type = :job_type AND {HELD_SQL}
  ORDER BY priority DESC, run_at, id LIMIT :count {{skip_locked}})
UPDATE ai_jobs SET gate = 0 WHERE id IN (SELECT id FROM c) AND (gate + 0) = 1
"""

SPEND = """
UPDATE job_types SET spoken_until = start_interval * :count
  + CASE WHEN spoken_until > {now} THEN spoken_until ELSE {now} END
WHERE job_type = :job_type AND start_interval IS NOT NULL
"""

TURN = "SELECT gated FROM job_types WHERE job_type = :job_type {for_update}"


@dataclass(frozen=True, slots=True)
class Opened:
    """Jobs of one type that the claim under way may take: their lanes by id.

    ``behind`` are held jobs that are to be moved out of the way.
    """

    job_type: str
    lanes: dict[str, str | None]
    behind: Sequence[str]
    rated: bool


def admit(tx: Tx, room: int, others: Collection[str] = ()) -> list[Opened]:
    """Open up to ``room`` held jobs of each type that has room, best first, within ``tx``.

    ``others`` are job types to leave closed. ``close`` has to follow in the same transaction.
    """
    if room < 1:
        return []
    ready = [
        kind
        for kind, wait, due in tx.rows(OPENINGS)
        if due is not None and due <= 0 and (wait is None or wait <= 0) and kind not in others
    ]
    # In one order, and without waiting: no two claimers can hold each other up.
    opened = [one for kind in sorted(ready) if (one := _admit_type(tx, kind, room)) is not None]
    if opened:
        crashpoint("admit.opened")
    return opened


def _admit_type(tx: Tx, job_type: str, room: int) -> Opened | None:
    row = tx.row(LOCK, {"job_type": job_type})
    if row is None or row[1] is not None:  # another claimer's turn, or paused a moment ago
        return None
    gated, _, max_running, max_per_key, starts, _, left = row
    if max_per_key is None:  # any more
        tx.execute(COME_FORTH, {"job_type": job_type, "count": BATCH})
    if not gated:
        tx.execute(FREE, {"job_type": job_type, "count": BATCH})
        return None
    lanes: dict[str | None, int] = dict(tx.rows(RUNNING, {"job_type": job_type}))
    running = sum(lanes.values())
    if max_running is not None:
        room = min(room, max_running - running)
    if starts is not None:
        room = min(room, int(left))
    if room < 1:
        return None
    rated = starts is not None
    if max_per_key is None:
        found = tx.rows(OPEN, {"job_type": job_type, "room": room})
        return Opened(job_type, {row[0]: None for row in found}, behind=(), rated=rated)
    picked, behind = _find_by_lane(tx, job_type, room, Counter(lanes), max_per_key)
    opened = move(tx, picked, 1, 2)
    return Opened(job_type, {x: picked[x] for x in opened}, behind=behind, rated=rated)


def _find_by_lane(
    tx: Tx, job_type: str, room: int, lanes: Counter[str | None], most: int
) -> tuple[dict[str, str | None], list[str]]:
    """Find the best jobs whose lanes are not full, and those that stand in the way behind others.

    Of a full lane, as many as could run at once stay in view; so a scan meets no more of them
    than run now, and the second, longer one always reaches beyond them.
    """
    in_view = lanes.total() + room
    for size in (in_view + 4 * room, in_view + BATCH):
        rows = tx.rows(SCAN, {"job_type": job_type, "room": size})
        picked, behind = _pick(rows, room, lanes.copy(), most)
        if len(picked) == room or len(rows) < size:
            break
    return picked, behind


def _pick(
    rows: Iterable[Row], room: int, lanes: Counter[str | None], most: int
) -> tuple[dict[str, str | None], list[str]]:
    picked: dict[str, str | None] = {}
    behind: list[str] = []
    kept: Counter[str] = Counter()
    for job_id, lane in rows:
        if len(picked) == room:
            break
        if lane is None or lanes[lane] < most:
            picked[job_id] = lane
            lanes[lane] += 1
        elif kept[lane] < most:
            kept[lane] += 1
        else:
            behind.append(job_id)
    return picked, behind


def move(tx: Tx, ids: Iterable[str], before: int, after: int) -> list[str]:
    """Move claimable jobs from one gate to another; return which were there and not in use."""
    body = MOVE.replace("GATE_TO", str(after)).replace("GATE_FROM", str(before))
    return [row[0] for row in tx.values("id", body, [(job_id,) for job_id in ids])]


def close(tx: Tx, opened: Sequence[Opened], claimed: Collection[str]) -> None:
    """Close what the claim did not take, and book what it took: starts, and places in lanes."""
    for one in opened:
        taken = [job_id for job_id in one.lanes if job_id in claimed]
        move(tx, one.lanes.keys() - claimed, 2, 1)
        if taken and one.rated:
            tx.execute(SPEND, {"job_type": one.job_type, "count": len(taken)})
        # Who has long been behind comes before those that are moved there now.
        for lane, count in Counter(one.lanes[job_id] for job_id in taken).items():
            step_up(tx, one.job_type, lane, count)
        move(tx, one.behind, 1, 3)


def step_up(tx: Tx, job_type: str, lane: str | None, count: int) -> None:
    """Let the best ``count`` jobs behind in a lane stand among those a claim looks at."""
    if lane is not None:
        tx.execute(STEP_UP, {"job_type": job_type, "lane": lane, "count": count})


def leave(tx: Tx, job_type: str, lane: str | None) -> None:
    """Let another of its lane take the place of a held job that is taken out of the queue.

    Waits for the claimer whose turn it is: one that has just seen the job in its place must have
    moved what is behind it, or nothing of the lane would be in view any more.
    """
    if lane is not None and tx.row(TURN, {"job_type": job_type}) is not None:
        step_up(tx, job_type, lane, 1)


def next_opening(queries: Queries, others: Collection[str] = ()) -> int | None:
    """Return the µs until a held job can be let in by time alone; None if no time will do.

    What is full or paused is let in when a run ends or the type is resumed: there is word of that.
    """
    waits = [
        max(due, wait or 0)
        for kind, wait, due in queries.rows(OPENINGS)
        if due is not None and kind not in others
    ]
    return min(waits, default=None)


GATED = "SELECT job_type FROM job_types WHERE gated = 1"


def gated_types(queries: Queries) -> frozenset[str]:
    """Return the job types whose jobs need admission."""
    return frozenset(row[0] for row in queries.rows(GATED))


# Of all unfinished jobs: a run that ends, or a review that is decided, comes back to the queue.
STRAY = f"""
SELECT id FROM ai_jobs WHERE {LIVE_SQL} AND gate = 0
  AND job_type IN (SELECT job_type FROM job_types WHERE gated = 1) LIMIT :count
"""
GATE = f"""
WITH c AS {{materialized}} ({STRAY} {{skip_locked}})
UPDATE ai_jobs SET gate = 1 WHERE id IN (SELECT id FROM c) AND (gate + 0) = 0 RETURNING id
"""
GATE_ONE = "UPDATE ai_jobs SET gate = 1 WHERE id = :id AND gate = 0"
GATED_AT_ONCE = 5000
BEGINNING = 4_170_034  # shared by transactions in which jobs begin as they are made

# Lanes of which nothing is in view; only an accident between two processes can leave one.
LOST_LANES = f"""
SELECT job_type, lane FROM ai_jobs {{behind_index}} WHERE {BEHIND_SQL}
EXCEPT SELECT job_type, lane FROM ai_jobs {{gated_index}} WHERE {HELD_SQL}
"""


def gate_strays(db: Database) -> int:
    """Hold the jobs of limited and paused types that are not held yet; return how many there were.

    Until then no claim takes them. Whatever a claim has locked is waited for, one at a time, so
    that it is either running or held when this returns; and so is who begins a job as it is made,
    where no lock on a row could stand for it.
    """
    db.write(lambda tx: tx.take(BEGINNING))
    total = 0
    while True:
        moved = len(db.write(lambda tx: tx.rows(GATE, {"count": GATED_AT_ONCE})))
        total += moved
        if moved < GATED_AT_ONCE:
            break
    with db.read() as reader:
        left = [row[0] for row in reader.rows(STRAY, {"count": GATED_AT_ONCE})]
    return total + sum(_gate_one(db, job_id) for job_id in left)


def _gate_one(db: Database, job_id: str) -> int:
    return db.write(lambda tx: tx.execute(GATE_ONE, {"id": job_id}))


def mend(db: Database) -> int:
    """Put right what races and crashes can leave at the gates; return how many jobs that touched.

    Reads first: a healthy house costs no write.
    """
    with db.read() as reader:
        if not gated_types(reader):
            return 0
        strays = reader.row(STRAY, {"count": 1})
        lost = reader.rows(LOST_LANES)
    mended = 0 if strays is None else gate_strays(db)
    for job_type, lane in lost:
        _find_lane(db, job_type, lane)
    return mended + len(lost)


def _find_lane(db: Database, job_type: str, lane: str) -> None:
    db.write(lambda tx: leave(tx, job_type, lane))
