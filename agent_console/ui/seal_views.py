"""What the audit page says of the journal's proof and of retention: pure functions, no Reflex."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.retention import Keep, RetentionReport, age_words
from agent_console.domain.verification import Integrity, LastVerification, Verdict
from agent_console.ui.views import iso, shown

_TONES = {Verdict.INTACT: "green", Verdict.UNSIGNED: "amber", Verdict.BROKEN: "red"}


@dataclass(frozen=True, slots=True)
class IntegrityView:
    """How the journal stands, in words; ``tone`` colours what was verified last."""

    sealed: str = ""
    sealed_at: str = ""
    running: str = ""
    tone: str = ""
    verified: str = ""
    verified_at: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One kind of thing: what is kept of it, and what would go now."""

    name: str
    kept: str
    due: str


@dataclass(frozen=True, slots=True)
class RetentionView:
    """What is kept, and when something went last."""

    rows: tuple[KeptRow, ...] = ()
    last: str = ""
    last_at: str = ""


def integrity_view(integrity: Integrity) -> IntegrityView:
    """Return what the page says of the seals and of the last verification."""
    rows, last = integrity.running_rows, integrity.last
    return IntegrityView(
        sealed=_sealed(integrity),
        sealed_at=iso(integrity.sealed_at),
        running="" if rows is None else f"Verifying… {rows:,} rows so far",
        tone="" if last is None else _TONES.get(Verdict(last.verdict), ""),
        verified="Never verified" if last is None else _verified(last),
        verified_at="" if last is None else iso(last.at),
        reason="" if last is None else shown(last.reason),
    )


def retention_view(report: RetentionReport) -> RetentionView:
    """Return what the page says of retention."""
    rows = [
        KeptRow(f"{status.value} jobs", _kept(keep), _due(report.due.jobs[status]))
        for status, keep in report.policy.jobs.items()
    ]
    rows.append(KeptRow("Journal", _kept(report.policy.journal), _due(report.due.journal_rows)))
    last = report.last
    count = 0 if last is None else sum(last.jobs.values())
    return RetentionView(
        rows=tuple(rows),
        last="No job was deleted yet." if last is None else f"Last batch: {_jobs(count)},",
        last_at="" if last is None else iso(last.at),
    )


def _sealed(integrity: Integrity) -> str:
    if not integrity.seals:
        return "Nothing is sealed yet"
    open_rows = integrity.newest_seq - integrity.sealed_seq
    rest = "" if open_rows <= 0 else f", {open_rows:,} newer to come"
    return f"Sealed up to row {integrity.sealed_seq:,}{rest}"


def _verified(last: LastVerification) -> str:
    if last.verdict == Verdict.BROKEN:
        return f"Broken from row {last.first_bad_seq} on"
    sure = "" if last.verdict == Verdict.INTACT else ", signatures not checked"
    return f"Verified up to row {last.sealed_seq:,}{sure}"


def _kept(keep: Keep) -> str:
    if keep.forever:
        return "kept for ever"
    parts = [] if keep.seconds is None else [age_words(keep.seconds)]
    if keep.count is not None:
        parts.append(f"the newest {keep.count:,}")
    return "kept " + ", ".join(parts)


def _due(count: int) -> str:
    return f"{count:,} due now" if count else ""


def _jobs(count: int) -> str:
    return f"{count:,} {'job' if count == 1 else 'jobs'}"
