"""What the job page shows of a replay, made from its report: pure functions, no Reflex."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.jobs import Job
from agent_console.domain.replays import Difference, DifferenceKind, ReplayReport
from agent_console.ui.views import iso, shown

_KINDS = {
    DifferenceKind.HANDLER: "Handler",
    DifferenceKind.CALL: "Recorded call",
    DifferenceKind.DETAIL: "Handed over",
    DifferenceKind.OUTPUT: "Output",
    DifferenceKind.ERROR: "Error",
    DifferenceKind.END: "End",
}


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One thing that differs; ``recorded`` and ``replayed`` are empty where there is no value."""

    key: str
    kind: str
    message: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A report in words; without a ``job_id`` there is none."""

    job_id: str = ""
    tone: str = ""
    title: str = ""
    detail: str = ""
    versions: str = ""
    at: str = ""
    rows: tuple[DifferenceRow, ...] = ()


def replay_view(report: ReplayReport) -> ReplayView:
    """Return what the page says of ``report``."""
    count = len(report.differences)
    found = "Nothing differs" if report.same else f"{count} {_plural('difference', count)}"
    calls = f"{report.replayed} of {report.calls} recorded {_plural('call', report.calls)}"
    return ReplayView(
        job_id=report.job_id,
        tone="green" if report.same else "amber",
        title=found,
        detail=shown(f"{calls} answered from the record. {report.last}", 600),
        versions=_versions(report),
        at=iso(report.at),
        rows=tuple(_row(number, one) for number, one in enumerate(report.differences)),
    )


def obstacle(actor: Actor, job: Job) -> str:
    """Say why ``actor`` cannot replay ``job``; empty when it can be done."""
    if not actor.may(Permission.JOBS_CONTROL):
        return refusal(Permission.JOBS_CONTROL)
    return "" if job.attempts else "This job has never run; there is nothing to replay."


def _row(number: int, one: Difference) -> DifferenceRow:
    return DifferenceRow(
        key=str(number),
        kind=_KINDS[one.kind],
        message=shown(one.message, 600),
        recorded=shown(one.recorded, 600),
        replayed=shown(one.replayed, 600),
    )


def _versions(report: ReplayReport) -> str:
    then, now = report.code_version, report.code_version_now
    if then is None or now is None or then == now:
        return ""
    return f"The handler's code has changed since: {then} → {now}."


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
