"""Pruning the journal: rows go only behind a seal, which says from then on what is left.

The seal is read with its rows, compared, and signed anew for the rows that stay (those of jobs
that are not finished) in the transaction that deletes the others. Its place in the chain keeps
its hash. The newest seal with nothing left at or before it is the anchor, where verification
begins; the seals before it go too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict
from agent_console.domain.events import Event
from agent_console.domain.retention import PRUNED, Pruned
from agent_console.domain.seals import Seal, check_rows, prints_of, root_of, row_hash
from agent_console.store import seals
from agent_console.store.database import Database, Reader
from agent_console.store.dialects import ids_param
from agent_console.store.job_deletion import ALONE
from agent_console.store.transactions import Queries, Tx

ROWS: Final = 1_000  # that a batch takes from the journal, unless a single seal covers more
SEALS: Final = 200  # that a batch looks at

HELD: Final = (
    f"SELECT {', '.join(seals.COLUMNS)} FROM audit_seals"
    " WHERE count > 0 AND number > :after ORDER BY number LIMIT :limit"
)
DUE: Final = (
    "SELECT coalesce(sum(count), 0) FROM (SELECT count, newest_at FROM audit_seals"
    " WHERE count > 0 ORDER BY number LIMIT :limit) AS oldest WHERE newest_at < :before"
)
_LIVING: Final = (
    "SELECT id FROM ai_jobs WHERE id {among_ids}"
    " AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELED')"
)
_UPDATE: Final = (
    "UPDATE audit_seals SET count = :count, root = :root, prints = :prints,"
    " pruned_at = :pruned_at, anchor = :anchor, key_id = :key_id, mac = :mac"
    " WHERE number = :number AND mac = :before"
)
_DELETE: Final = (
    "DELETE FROM audit_logs WHERE seq >= :first AND seq <= :last"
    " AND (job_id IS NULL OR NOT job_id {among_ids})"
)
_EMPTY_UP_TO: Final = (
    "SELECT coalesce((SELECT min(number) FROM audit_seals WHERE count > 0) - 1,"
    " (SELECT max(number) FROM audit_seals))"
)

Rows = list[tuple[int, str, str | None]]  # sequence, hash and job of rows under one seal


class Signer(Protocol):
    """Knows the keys."""

    def trusts(self, seal: Seal) -> bool:
        """Say whether the seal has a valid signature."""
        ...

    def sign(self, seal: Seal) -> Seal:
        """Return the seal with a new one."""
        ...


class Untrusted(Conflict):
    """The journal does not agree with its seals; nothing of it is deleted before that is clear."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a batch did, and the number of the last seal it looked at; None: none is due."""

    pruned: Pruned | None
    reached: int | None


def prune_batch(db: Database, before: int, after: int, signer: Signer, actor: Actor) -> Turn:
    """Delete rows older than ``before`` (µs) behind seals after number ``after``.

    Rows of jobs that are not finished stay, for a later turn.

    Raises:
        Untrusted: rows and seal do not agree, or its signature is not valid.
        Unavailable: the database is out of reach.
    """
    with db.read() as reader:
        due = _due(reader, before, after)
        if not due:
            return Turn(None, None)
        held = [(seal, _rows_of(reader, seal)) for seal in due]
        living = _living(reader, held)
    for seal, rows in held:
        _compare(seal, rows, signer)
    reached = due[-1].number
    if all(job in living for _, rows in held for _, _, job in rows):
        return Turn(None, reached)
    return Turn(db.write(lambda tx: _prune(tx, held, signer, actor)), reached)


def count_due(reader: Queries, before: int, most: int) -> int:
    """Return how many rows the first ``most`` seals cover that are older than ``before``."""
    row = reader.row(DUE, {"before": before, "limit": most})
    return int(row[0]) if row else 0


def _due(reader: Reader, before: int, after: int) -> list[Seal]:
    due: list[Seal] = []
    rows = 0
    for row in reader.rows(HELD, {"after": after, "limit": SEALS}):
        seal = Seal(**dict(zip(seals.COLUMNS, row, strict=True)))
        rows += seal.count
        if seal.newest_at >= before or (due and rows > ROWS):
            break
        due.append(seal)
    return due


def _rows_of(reader: Reader, seal: Seal) -> Rows:
    found: Rows = []
    after = seal.first_seq - 1
    while True:
        params: dict[str, object] = {"after": after, "upto": seal.last_seq, "limit": seals.PAGE}
        page = reader.rows(seals.ROWS, params)
        for each in page:
            row = dict(zip(seals.ROW, each, strict=True))
            found.append((row["seq"], row_hash(row), row["job_id"]))
        if len(page) < seals.PAGE:
            return found
        after = page[-1][0]


def _living(queries: Queries, held: Sequence[tuple[Seal, Rows]]) -> set[str]:
    jobs = sorted({job for _, rows in held for _, _, job in rows if job is not None})
    found = queries.rows(_LIVING, {"ids": ids_param(jobs, queries.dialect)})
    return {str(row[0]) for row in found}


def _compare(seal: Seal, rows: Rows, signer: Signer) -> None:
    """See that what is about to be deleted is what was sealed: pruning must not hide anything."""
    if not signer.trusts(seal):
        raise Untrusted(f"The signature of seal {seal.number} is not valid.")
    fault = check_rows(seal, [(seq, each) for seq, each, _ in rows])
    if fault is not None:
        raise Untrusted(f"Journal, row {fault.seq}: {fault.reason}.")


def _prune(
    tx: Tx, held: Sequence[tuple[Seal, Rows]], signer: Signer, actor: Actor
) -> Pruned | None:
    lock = tx.row("SELECT {alone}", {"alone": ALONE})
    if lock is None or not lock[0]:
        return None
    living = _living(tx, held)  # as of now: a job may have been retried
    ids = ids_param(sorted(living), tx.dialect)
    gone = kept = 0
    for seal, rows in held:
        left = [(seq, each) for seq, each, job in rows if job in living]
        if len(left) == seal.count:
            kept += len(left)
            continue
        rest: dict[str, Any] = {
            "count": len(left),
            "root": root_of(left),
            "prints": prints_of(left),
        }
        _rewrite(tx, seal, replace(seal, pruned_at=tx.now(), **rest), signer)
        deleted = tx.execute(_DELETE, {"first": seal.first_seq, "last": seal.last_seq, "ids": ids})
        if deleted != seal.count - len(left):
            raise Untrusted(f"The rows of seal {seal.number} changed meanwhile.")
        gone, kept = gone + deleted, kept + len(left)
    if not gone:
        return None
    _anchor(tx, signer)
    first, last = held[0][0], held[-1][0]
    data = {
        "rows": gone,
        "kept": kept,
        "fromSeal": first.number,
        "toSeal": last.number,
        "lastSeq": last.last_seq,
    }
    tx.record(Event(action=PRUNED, actor=actor, data={**data}))
    return Pruned(rows=gone, kept=kept, seals=len(held), last_seq=last.last_seq)


def _rewrite(tx: Tx, before: Seal, after: Seal, signer: Signer) -> None:
    if not tx.execute(_UPDATE, {**asdict(signer.sign(after)), "before": before.mac}):
        raise Untrusted(f"Seal {before.number} changed meanwhile.")


def _anchor(tx: Tx, signer: Signer) -> None:
    """Mark the last seal at or before which nothing is left, and drop those before it."""
    row = tx.row(_EMPTY_UP_TO)
    number = 0 if row is None or row[0] is None else int(row[0])
    seal = seals.following(tx, number - 1)
    if seal is None or seal.number != number or seal.count or seal.anchor:
        return
    _rewrite(tx, seal, replace(seal, anchor=1), signer)
    tx.execute("DELETE FROM audit_seals WHERE number < :number", {"number": number})
