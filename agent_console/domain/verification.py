"""What a verification of the journal found, and how far one has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a verification says of the journal as a whole."""

    INTACT = "intact"  # every sealed row is as it was sealed
    UNSIGNED = "unsigned"  # rows and chain agree, but a key to check signatures is missing
    BROKEN = "broken"  # from ``first_bad_seq`` on nothing can be relied on


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A finished verification. ``rows`` and ``seals`` are those that were compared.

    ``sealed_seq`` is the last row under a seal; the ``unsealed`` rows after it (``unsealed_more``:
    at least so many) are not protected yet. ``anchor_seq``: rows up to it were pruned.
    """

    verdict: Verdict
    rows: int
    seals: int
    sealed_seq: int
    unsealed: int
    unsealed_more: bool = False
    anchor_seq: int | None = None
    first_bad_seq: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastVerification:
    """The newest verification that the journal tells of."""

    at: datetime
    by: str
    verdict: str
    rows: int
    sealed_seq: int
    first_bad_seq: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """How the journal stands: its seals, what was verified last, and whether one is under way.

    ``running_rows`` is how many rows the verification of this process has compared so far; None:
    none is under way.
    """

    sealed_seq: int
    seals: int
    sealed_at: datetime | None
    newest_seq: int
    last: LastVerification | None
    running_rows: int | None
