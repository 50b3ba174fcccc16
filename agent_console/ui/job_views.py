"""What the job page shows, made from the domain's values: pure functions, no Reflex."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointType,
    CheckpointVerb,
)
from agent_console.domain.events import JournalEntry
from agent_console.domain.handover import findings_of
from agent_console.domain.jobs import Job, Json
from agent_console.domain.records import Artifact, LogLine, Step
from agent_console.domain.schedules import JobOrigin
from agent_console.domain.usage import MICROS, JobUsage, Usage
from agent_console.domain.versions import kind_text
from agent_console.ui.answer_forms import words as answer_words
from agent_console.ui.params import SessionsParams, handover
from agent_console.ui.views import iso, percent, shown, starts_at

MAX_JSON = 20_000  # characters of a document shown on the page
MAX_LOG = 2_000  # characters of one log line


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the timeline. ``since`` and ``until`` span what ``span`` names."""

    key: str
    tone: str
    icon: str
    title: str
    detail: str
    actor: str
    at: str
    span: str
    since: str
    until: str
    href: str


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint of the job, with its permanent link."""

    id: str
    href: str
    kind: str
    status: str
    message: str
    created_at: str
    decided_at: str
    decided_by: str
    expires_at: str
    open: bool
    round: str


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of the log; ``clock`` is UTC time of day."""

    id: int
    at: str
    clock: str
    level: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """An artifact of the job; its content is read when somebody opens it."""

    id: str
    name: str
    kind: str
    media_type: str
    size: str
    href: str
    page: str
    created_at: str


@dataclass(frozen=True, slots=True)
class JobView:
    """The head and the facts of a job."""

    id: str = ""
    title: str = ""
    job_type: str = ""
    status: str = ""
    user: str = ""
    attempts: str = ""
    priority: str = ""
    worker: str = ""
    code_version: str = ""
    unique_key: str = ""
    project: str = ""
    project_href: str = ""
    findings_href: str = ""
    schedule: str = ""
    schedule_href: str = ""
    starts_at: str = ""
    created_at: str = ""
    started_at: str = ""
    completed_at: str = ""
    run_at: str = ""
    progress: int = -1
    progress_text: str = ""
    park_reason: str = ""
    error_type: str = ""
    error_message: str = ""
    traceback: str = ""
    input: str = ""
    output: str = ""
    open_checkpoint: str = ""
    held: str = ""
    usage: str = ""
    usage_detail: str = ""


def pretty(value: Json) -> str:
    """Return ``value`` as indented JSON with hidden characters visible; empty for None."""
    if value is None:
        return ""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    note = "\n… cut; the API has the whole document." if len(text) > MAX_JSON else ""
    return shown(text, MAX_JSON) + note


def usage_words(used: Usage) -> str:
    """Return tokens and cost for people; empty when nothing was used."""
    if used == Usage():
        return ""
    dollars = used.cost_micros / MICROS
    cost = f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.4f}"
    return f"{used.input_tokens:,} in, {used.output_tokens:,} out · {cost}"


def job_view(
    job: Job,
    checkpoints: Sequence[Checkpoint],
    usage: JobUsage,
    origin: JobOrigin | None = None,
    held: str = "",
) -> JobView:
    """Return the head and facts of ``job``.

    ``origin`` is the schedule that made it, if one did; ``held`` why it is not let in.
    """
    waiting = next((c.id for c in checkpoints if c.status == CheckpointStatus.PENDING), "")
    progress = job.progress if job.status == "RUNNING" else None
    error = job.error
    return JobView(
        id=job.id,
        title=shown(job.task_description, 300) or job.job_type,
        job_type=job.job_type,
        status=job.status.value,
        user=job.user_name or job.user_id or "nobody",
        attempts=f"{job.attempts} of {job.max_attempts}",
        priority=str(job.priority),
        worker=job.worker_id or "",
        code_version=job.code_version or "",
        unique_key=shown(job.unique_key or "", 200),
        project=shown(job.project_id or "", 100),
        project_href=SessionsParams(project=job.project_id).url() if job.project_id else "",
        findings_href=_findings_href(job),
        schedule=(shown(origin.name, 200) or "a schedule since deleted") if origin else "",
        schedule_href=f"/schedules/edit?id={origin.schedule_id}" if origin and origin.name else "",
        starts_at=starts_at(job),
        created_at=iso(job.created_at),
        started_at=iso(job.started_at),
        completed_at=iso(job.completed_at),
        run_at=iso(job.run_at) if job.status == "QUEUED" and job.run_at > job.updated_at else "",
        progress=percent(progress.fraction if progress else None),
        progress_text=shown(progress.message if progress else "", 200),
        park_reason=shown(job.park_reason or "", 1000),
        error_type=error.type if error else "",
        error_message=shown(error.message, 2000) if error else "",
        traceback=shown(error.traceback or "", 8000) if error else "",
        input=pretty(job.input_data),
        output=pretty(job.output_data),
        open_checkpoint=f"/admin/agent-checkpoints/{waiting}" if waiting else "",
        held=shown(held, 1000),
        usage=usage_words(usage.total),
        usage_detail="; ".join(
            f"{shown(one.model, 200)}: {one.calls} × {usage_words(one.used)}"
            for one in usage.models
        ),
    )


def _findings_href(job: Job) -> str:
    """Return where the job's findings can be used, if it is a finished session that has any."""
    over = job.status == "COMPLETED" and job.project_id
    return handover(job.project_id or "", job.id) if over and findings_of(job.output_data) else ""


def checkpoint_row(checkpoint: Checkpoint) -> CheckpointRow:
    """Return the row for ``checkpoint``; nobody has to act on notes, so they have no status."""
    blocking = checkpoint.checkpoint_type == CheckpointType.APPROVAL_REQUIRED
    return CheckpointRow(
        id=checkpoint.id,
        href=f"/admin/agent-checkpoints/{checkpoint.id}",
        kind=checkpoint.checkpoint_type.value,
        status=checkpoint.status.value if blocking else "",
        message=shown(checkpoint.message),
        created_at=iso(checkpoint.created_at),
        decided_at=iso(checkpoint.decided_at) if blocking else "",
        decided_by=checkpoint.decided_by_name or "",
        expires_at=iso(checkpoint.expires_at),
        open=checkpoint.status == CheckpointStatus.PENDING,
        round=round_word(checkpoint),
    )


def round_word(checkpoint: Checkpoint) -> str:
    """Return which of how many rounds this is; empty where there is only one."""
    return f"Round {checkpoint.round} of {checkpoint.rounds}" if checkpoint.rounds else ""


_TONES = {"DEBUG": "gray", "INFO": "gray", "WARNING": "amber", "ERROR": "red"}


def log_row(line: LogLine) -> LogRow:
    """Return the row for ``line``; its data follows the message as compact JSON."""
    data = f"  {json.dumps(line.data, ensure_ascii=False)}" if line.data else ""
    return LogRow(
        id=line.id,
        at=iso(line.at),
        clock=line.at.strftime("%H:%M:%S.%f")[:-3],
        level=line.level.value,
        tone=_TONES.get(line.level.value, "gray"),
        text=shown(line.message + data, MAX_LOG),
    )


def size_text(count: int) -> str:
    """Return ``count`` bytes for people."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1_048_576 else f"{count / 1_048_576:.1f} MiB"


def artifact_row(artifact: Artifact) -> ArtifactRow:
    """Return the row for ``artifact``."""
    return ArtifactRow(
        id=artifact.id,
        name=shown(artifact.name, 200),
        kind=kind_text(artifact),
        media_type=artifact.media_type,
        size=size_text(artifact.size),
        href=f"/api/artifacts/{artifact.id}/download",
        page=f"/artifacts/{artifact.id}",
        created_at=iso(artifact.created_at),
    )


_HAPPENINGS = {  # action: (tone, icon, sentence)
    "job.created": ("gray", "circle_plus", "Created"),
    "schedule.fired": ("gray", "calendar_clock", "Made by its schedule"),
    "job.executed": ("gray", "play", "Let into the queue"),
    "job.started": ("blue", "play", "Run started"),
    "job.claimed": ("blue", "play", "Run started"),
    "job.completed": ("green", "circle_check", "Completed"),
    "job.failed": ("red", "circle_x", "Failed"),
    "job.canceled": ("gray", "ban", "Canceled"),
    "job.paused": ("gray", "circle_pause", "Paused"),
    "job.sleeping": ("gray", "moon", "Asleep"),
    "job.called_back": ("green", "phone_incoming", "Called back"),
    "job.woken": ("gray", "play", "Back in the queue"),
    "job.resumed": ("gray", "play", "Resumed"),
    "job.replayed": ("gray", "history", "Replayed"),
    "job.retried": ("gray", "rotate_ccw", "Retried"),
    "job.retrying": ("amber", "rotate_ccw", "Attempt failed; another is due"),
    "job.rescued": ("amber", "life_buoy", "Rescued from a dead worker"),
    "job.released": ("gray", "undo_2", "Given back by its worker"),
    "job.parked": ("amber", "triangle_alert", "Parked: needs attention"),
    "job.returned": ("amber", "hand", "Back to review"),
    "job.forked": ("gray", "git_fork", "Forked"),
    "job.copied": ("gray", "git_fork", "Began with a copy of another job's record"),
    "checkpoint.reused": ("gray", "copy_check", "Decision taken over from the original"),
    "checkpoint.created": ("amber", "hand", "Asked for a decision"),
    "checkpoint.approved": ("green", "circle_check", "Approved"),
    "checkpoint.changes_requested": ("amber", "message_square_reply", "Changes requested"),
    "checkpoint.rejected": ("red", "circle_x", "Rejected"),
    "checkpoint.voted": ("amber", "users", "One of several said"),
    "checkpoint.vote_withdrawn": ("gray", "undo_2", "Word withdrawn"),
    "checkpoint.reminded": ("amber", "bell", "Deadline near"),
    "checkpoint.extended": ("amber", "timer_reset", "Deadline extended"),
    "checkpoint.escalated": ("amber", "timer_reset", "Escalated: others are asked"),
    "checkpoint.expired": ("gray", "timer_off", "Checkpoint expired"),
    "checkpoint.canceled": ("gray", "ban", "Checkpoint canceled"),
    "checkpoint.reopened": ("amber", "shield_question", "Checkpoint reopened"),
    "artifact.saved": ("gray", "file_text", "Artifact saved"),
}
_ENDINGS = {
    f"checkpoint.{one}"
    for one in ("approved", "changes_requested", "rejected", "expired", "canceled")
}
_STEP_ICONS = {
    "step": "footprints",
    "failed": "circle_x",
    "info": "info",
    "error": "circle_alert",
    "artifact": "file_text",
    "usage": "coins",
}
_TOLD_ELSEWHERE = {
    "artifact.saved",
    "job.waiting",
    "usage.recorded",
}  # by a step, by the checkpoint


def timeline(
    entries: Iterable[JournalEntry], steps: Iterable[Step], checkpoints: Iterable[Checkpoint]
) -> list[Happening]:
    """Return everything that happened to a job, oldest first; waits are shown as waits."""
    messages = {c.id: c for c in checkpoints}
    told = [
        (entry.at, _entry(entry, messages))
        for entry in entries
        if entry.action not in _TOLD_ELSEWHERE and not _is_note(entry, messages)
    ]
    notes = {c.position: c for c in messages.values()}
    told += [
        (step.finished_at, _step(step, notes.get(step.position)))
        for step in steps
        if step.kind in _STEP_ICONS
    ]
    return [happening for _, happening in sorted(told, key=lambda pair: pair[0])]


def _is_note(entry: JournalEntry, checkpoints: dict[str, Checkpoint]) -> bool:
    found = checkpoints.get(entry.checkpoint_id or "")
    return bool(found and found.checkpoint_type != CheckpointType.APPROVAL_REQUIRED)


def _entry(entry: JournalEntry, checkpoints: dict[str, Checkpoint]) -> Happening:
    words = entry.action.replace(".", " ").replace("_", " ").capitalize()
    tone, icon, title = _HAPPENINGS.get(entry.action, ("gray", "dot", words))
    if entry.verdict == CheckpointVerb.ANSWER and entry.action == "checkpoint.approved":
        title = "Answered" if entry.actor_kind != "policy" else "Answered by default"
    checkpoint = checkpoints.get(entry.checkpoint_id or "")
    since, until = _wait(entry, checkpoint)
    return Happening(
        key=f"e{entry.seq}",
        tone=tone,
        icon=icon,
        title=title,
        detail=shown(_detail(entry, checkpoint), 300),
        actor=entry.actor_name if entry.actor_kind in {"user", "token", "cli", "policy"} else "",
        at=iso(entry.at),
        span="waited" if until else "waiting for",
        since=since,
        until=until,
        href=f"/admin/agent-checkpoints/{checkpoint.id}" if checkpoint else "",
    )


def _detail(entry: JournalEntry, checkpoint: Checkpoint | None) -> str:
    data = entry.data
    for name in ("reason", "rejectionReason", "error", "message", "parkReason"):
        if isinstance(value := data.get(name), str) and value:
            return value
    if entry.verdict == CheckpointVerb.ANSWER and "answer" in data:
        return answer_words(data["answer"])
    if entry.action in {"job.forked", "job.copied"}:
        return _forked(data)
    if entry.action == "job.replayed":
        count = data.get("differences")
        return f"{count} {'difference' if count == 1 else 'differences'}" if count else "as before"
    if entry.action == "job.sleeping":
        return f"for {_planned(entry)}{', or until called back' if 'callback' in data else ''}"
    if checkpoint is not None:
        asked = entry.action == "checkpoint.created"
        return checkpoint.message if asked else checkpoint.feedback or ""
    if isinstance(attempt := data.get("attempt"), int):
        return f"attempt {attempt}"
    return ""


def _forked(data: Mapping[str, Json]) -> str:
    """Return which job a fork came from or went to, and at which step."""
    other = data.get("fork") or data.get("forkedFrom") or ""
    position = data.get("fromPosition")
    return f"{other}, at step {position + 1}" if isinstance(position, int) else str(other)


def _planned(entry: JournalEntry) -> str:
    """Return for how long a job lay down to sleep, in its two largest units."""
    until = datetime.fromisoformat(str(entry.data["until"]))
    left = max(0, round((until - entry.at).total_seconds()))
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "a moment"


def _wait(entry: JournalEntry, checkpoint: Checkpoint | None) -> tuple[str, str]:
    """Return the span a decided checkpoint waited, or an open one still waits."""
    if checkpoint is None or checkpoint.checkpoint_type != CheckpointType.APPROVAL_REQUIRED:
        return "", ""
    if entry.action == "checkpoint.created" and checkpoint.decided_at is None:
        still_open = checkpoint.status == CheckpointStatus.PENDING
        return (iso(checkpoint.created_at), "") if still_open else ("", "")
    if entry.action in _ENDINGS:
        return iso(checkpoint.created_at), iso(entry.at)
    return "", ""


def _step(step: Step, note: Checkpoint | None) -> Happening:
    """Return the line of a recorded call; a note has its whole text in its checkpoint."""
    kinds = {
        "info": "Note",
        "error": "Error note",
        "artifact": "Artifact",
        "step": "Step",
        "failed": "Failed step, survived",
        "usage": "Model used",
    }
    return Happening(
        key=f"s{step.position}",
        tone="red" if step.kind in {"error", "failed"} else "gray",
        icon=_STEP_ICONS[step.kind],
        title=f"{kinds[step.kind]}: {shown(note.message if note else step.name, 300)}",
        detail=f"attempt {step.attempt}" if step.attempt > 1 else "",
        actor="",
        at=iso(step.finished_at),
        span="took",
        since=iso(step.started_at) if step.kind in {"step", "failed"} else "",
        until=iso(step.finished_at),
        href=f"/admin/agent-checkpoints/{note.id}" if note else "",
    )
