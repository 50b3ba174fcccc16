"""Verifying the journal against its seals: in constant memory, and nobody has to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from agent_console.domain.seals import (
    Fault,
    Head,
    Seal,
    check_link,
    check_rows,
    is_signed,
    is_signed_head,
)
from agent_console.domain.verification import Verdict, Verification
from agent_console.services.seal_keys import SealKeys
from agent_console.store import seals
from agent_console.store.database import Database, Reader
from agent_console.store.seals import EVERYTHING

TAIL: Final = 10_000  # unsealed rows that are counted; beyond it is said that there are more
LOWEST: Final = -(2**63)


@dataclass(slots=True)
class _Course:
    """What has been found on the way."""

    before: Seal | None = None
    rows: int = 0
    seals: int = 0
    anchor_seq: int | None = None
    keys: dict[str, bytes | None] = field(default_factory=dict)  # asked for once, and forgotten
    head_seen: bool = False


class Verifier:
    """Recomputes every hash, link and signature. Changes nothing."""

    def __init__(self, db: Database, keys: SealKeys) -> None:
        """Verify the journal of ``db``; ``keys`` are those that may have signed."""
        self._db, self._keys = db, keys

    def verify(
        self, *, head: Head | None = None, progress: Callable[[int], None] | None = None
    ) -> Verification:
        """Compare every row with its seal, and the chain with an exported ``head``.

        A seal and its rows are read in one snapshot, so that sealing and pruning may go on.
        ``progress`` is told the number of rows compared so far.

        Raises:
            Misconfigured: the keystore cannot be opened.
            Unavailable: the database is out of reach.
        """
        course = _Course()
        fault = None if head is None else self._check_head(head, course)
        while fault is None:
            with self._db.read() as reader:
                number = 0 if course.before is None else course.before.number
                seal = seals.following(reader, number)
                if seal is None:
                    break
                fault = self._check(reader, seal, course, head)
            if progress is not None:
                progress(course.rows)
        if fault is None and head is not None and not course.head_seen:
            fault = _beyond(head, course)
        return self._result(course, fault)

    def _check(
        self, reader: Reader, seal: Seal, course: _Course, head: Head | None
    ) -> Fault | None:
        before = course.before
        fault = check_link(seal, before) or self._check_signature(seal, course)
        if fault is not None:
            return fault
        since = LOWEST if before is None else before.last_seq
        found = [
            (seq, each)
            for seq, _, each in seals.hashes(
                reader, after=since, upto=seal.last_seq, most=EVERYTHING
            )
        ]
        if (fault := check_rows(seal, found)) is not None:
            return fault
        if head is not None and seal.number == head.number:
            course.head_seen = True
            if (seal.hash, seal.last_seq) != (head.hash, head.last_seq):
                return Fault(seal.first_seq, f"seal {seal.number} is not the one of the head")
        course.before = seal
        course.rows += len(found)
        course.seals += 1
        if seal.anchor:
            course.anchor_seq = seal.last_seq
            # An older head speaks of what is gone with the consent of the anchor's signature.
            course.head_seen |= head is not None and head.number < seal.number
        return None

    def _check_signature(self, seal: Seal, course: _Course) -> Fault | None:
        key = self._key(seal.key_id, course)
        if key is None or is_signed(seal, key):
            return None
        return Fault(seal.first_seq, f"the signature of seal {seal.number} is not valid")

    def _check_head(self, head: Head, course: _Course) -> Fault | None:
        key = self._key(head.key_id, course)
        if key is None or is_signed_head(head, key):
            return None
        return Fault(0, "the head's signature is not valid")

    def _key(self, key_id: str, course: _Course) -> bytes | None:
        if key_id not in course.keys:
            course.keys[key_id] = self._keys.find(key_id)
        return course.keys[key_id]

    def _result(self, course: _Course, fault: Fault | None) -> Verification:
        sealed = 0 if course.before is None else course.before.last_seq
        with self._db.read() as reader:
            unsealed = seals.count_after(reader, sealed, TAIL + 1) if fault is None else 0
        reason = "" if fault is None else fault.reason
        verdict = Verdict.INTACT if fault is None else Verdict.BROKEN
        missing = sorted(key_id for key_id, key in course.keys.items() if key is None)
        if fault is None and missing:
            verdict = Verdict.UNSIGNED
            listed = ", ".join(missing)
            reason = f"the keystore lacks the key {listed}, so signatures were not checked"
        return Verification(
            verdict=verdict,
            rows=course.rows,
            seals=course.seals,
            sealed_seq=sealed,
            unsealed=min(unsealed, TAIL),
            unsealed_more=unsealed > TAIL,
            anchor_seq=course.anchor_seq,
            first_bad_seq=None if fault is None else fault.seq,
            reason=reason,
        )


def _beyond(head: Head, course: _Course) -> Fault:
    end = 0 if course.before is None else course.before.last_seq
    return Fault(
        end + 1, f"the journal ends before seal {head.number} (row {head.last_seq}) of the head"
    )
