"""From the services' answers to the view models of the desk; pure functions, no Reflex."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from agent_console.domain.access import POLICY
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointSummary,
    CheckpointType,
    Round,
    changes_refusal,
)
from agent_console.domain.records import Artifact, LogLine
from agent_console.domain.review_claims import ReviewClaim
from agent_console.domain.versions import kind_text
from agent_console.domain.visible import reveal
from agent_console.services.review import CheckpointDetail
from agent_console.ui import theme
from agent_console.ui.answer_forms import MAX_WORDS, words
from agent_console.ui.components.review_changes import change_views, summary, unreadable
from agent_console.ui.components.review_json import json_document
from agent_console.ui.components.review_models import (
    ArtifactView,
    BodyView,
    ContextView,
    LogView,
    RoundView,
    RowView,
    RulingView,
)
from agent_console.ui.components.review_risk import finding_views, risk_words
from agent_console.ui.evidence_rounds import since
from agent_console.ui.evidence_views import evidence_of
from agent_console.ui.job_views import round_word
from agent_console.ui.policy_views import asked
from agent_console.ui.views import iso, shown

TYPE_WORDS = {
    CheckpointType.APPROVAL_REQUIRED: "Approval required",
    CheckpointType.INFO: "Info",
    CheckpointType.ERROR: "Error",
}
QUESTION = "Question"
LABEL_LENGTH = 160  # characters of a message in an accessible name
NAMED_FILES = 3  # that changed, before the rest is counted
NAMED = 2  # people who are named before the rest is counted
REMEMBERED = 64  # rendered bodies: what a few dozen reviewers look at


def label(job_type: str, message: str) -> str:
    """Return the accessible name of a card: job type and message."""
    return f"{reveal(job_type).text}: {reveal(message).text[:LABEL_LENGTH]}"


def row(item: CheckpointSummary, href: str, claim: ReviewClaim | None = None) -> RowView:
    """Return the list row of ``item``, linked to ``href``; ``claim`` holds now."""
    mark = theme.CHECKPOINT_TYPE_MARKS[item.checkpoint_type]
    word = QUESTION if item.asks else TYPE_WORDS[item.checkpoint_type]
    return RowView(
        id=item.id,
        href=href,
        label=f"{label(item.job_type, item.message)} ({word}, {item.status})",
        message=reveal(item.message).text,
        work=shown(" · ".join(filter(None, (item.job_type, item.task_description))), 200),
        type=item.checkpoint_type.value,
        type_tone=mark.tone,
        type_word=word,
        status=item.status.value,
        note=item.checkpoint_type is not CheckpointType.APPROVAL_REQUIRED,
        pending=item.status is CheckpointStatus.PENDING,
        created_at=iso(item.created_at),
        expires_at=iso(item.expires_at),
        decided_at=iso(item.decided_at),
        claimed_by="" if claim is None else reveal(claim.user_name).text,
    )


def steady(shown: Sequence[RowView], fresh: Sequence[RowView]) -> tuple[list[RowView], int]:
    """Return the rows of ``shown`` in their places, as ``fresh`` has them, and how many are new."""
    now = {one.id: one for one in fresh}
    kept = [now.get(one.id) or replace(one, pending=False, gone=True) for one in shown]
    return kept, len({*now} - {one.id for one in shown})


def body(detail: CheckpointDetail, checks: Sequence[str] = ()) -> BodyView:
    """Return what the checkpoint of ``detail`` asks; the same object for the same payload.

    ``checks`` are what the documents say to its quotations (``ui.quote_checks``).
    """
    return _body(_Asked(detail, tuple(checks)))


class _Asked:
    """A key for the cache: what was asked never changes under one id and digest."""

    def __init__(self, detail: CheckpointDetail, checks: tuple[str, ...]) -> None:
        self.checkpoint = checkpoint = detail.checkpoint
        self.task = task = detail.job.task_description
        self.checks = checks
        self.since = detail.since_last
        if detail.previous is not None:
            self.since = since(detail.previous, checkpoint, detail.since_last)
        self._key = (checkpoint.id, checkpoint.payload_digest, checkpoint.message, task, checks)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key


@lru_cache(maxsize=REMEMBERED)
def _body(asked: _Asked) -> BodyView:
    point = asked.checkpoint
    changes, hidden = change_views(point.changes, f"/api/agent-checkpoints/{point.id}/images")
    differences, _ = change_views(asked.since)
    findings = finding_views(point.findings)
    action, message, task = reveal(point.action), reveal(point.message), reveal(asked.task)
    data = json.dumps(point.data, ensure_ascii=False)
    return BodyView(
        id=point.id,
        href=f"/admin/agent-checkpoints/{point.id}",
        digest=point.payload_digest,
        label=label(point.job_type, point.message),
        job_id=point.job_id,
        job_href=f"/jobs/{point.job_id}",
        job_type=reveal(point.job_type).text,
        type=point.checkpoint_type.value,
        note=point.checkpoint_type is not CheckpointType.APPROVAL_REQUIRED,
        action=action.text or (QUESTION if point.asks else TYPE_WORDS[point.checkpoint_type]),
        message=message.text,
        message_note=_hidden(message.hidden),
        hidden_note=_hidden(hidden + action.hidden + reveal(data).hidden),
        changes=changes,
        summary=summary(changes),
        uninspectable=unreadable(changes),
        findings=findings,
        risk=risk_words(findings),
        evidence=evidence_of(point.data, asked.checks),
        data=json_document(point.data),
        metadata=json_document(point.metadata),
        requester=reveal(point.requested_by_name or "").text,
        task=task.text,
        created_at=iso(point.created_at),
        editable=point.editable,
        edit_text=json.dumps(point.data, indent=2, ensure_ascii=False) if point.editable else "",
        round_word=round_word(point),
        since=differences,
        question=point.asks,
        since_word=f"What changed since round {point.round - 1}" if point.previous_id else "",
    )


def _hidden(count: int) -> str:
    return f"{count:,} hidden character{'' if count == 1 else 's'}" if count else ""


_HEADLINES = {
    CheckpointStatus.APPROVED: "Approved",
    CheckpointStatus.REJECTED: "Rejected",
    CheckpointStatus.CHANGES_REQUESTED: "Changes requested",
    CheckpointStatus.EXPIRED: "Expired: nobody decided in time",
    CheckpointStatus.CANCELED: "Canceled together with its job",
}


def ruling(detail: CheckpointDetail) -> RulingView:
    """Return where the checkpoint stands and what the reader may do."""
    point = detail.checkpoint
    note = point.checkpoint_type is not CheckpointType.APPROVAL_REQUIRED
    mark = theme.CHECKPOINT_MARKS[point.status]
    pending = point.status is CheckpointStatus.PENDING
    return RulingView(
        id=point.id,
        status=point.status.value,
        pending=pending,
        may_decide=detail.may_decide,
        refusal=detail.refusal,
        self_approval=detail.self_approval,
        changes_refusal=changes_refusal(point),
        rounds=[_round(one, point.id) for one in detail.chain],
        expires_at=iso(point.expires_at),
        headline="" if pending else _headline(point),
        tone="gray" if note else mark.tone,
        decided_at=iso(point.decided_at),
        reason=reveal(point.rejection_reason or "").text,
        feedback=reveal(point.feedback or "").text,
        was_edited=point.edited_data is not None,
        edited=json_document(point.edited_data),
        **_answer(point),
        asked=asked(detail),
        moved=moved(detail.moved),
        watched=watched([reveal(one.user_name).text for one in detail.others]),
        **_claim(detail),
    )


def _answer(point: Checkpoint) -> dict[str, Any]:
    given = point.response
    if not point.asks or given is None:
        return {}
    if isinstance(given, dict) or (isinstance(given, str) and len(given) > MAX_WORDS):
        return {"answer": json_document(given)}
    return {"answer_text": words(given)}


def _claim(detail: CheckpointDetail) -> dict[str, Any]:
    claim = detail.claim
    return {
        "claimed_by": "" if claim is None else reveal(claim.user_name).text,
        "claimed_until": "" if claim is None else iso(claim.until),
        "claim_own": detail.claim_own,
        "may_claim": detail.may_claim,
    }


def moved(paths: Sequence[str]) -> str:
    """Return the sentence that names files which changed since: a few, then how many more."""
    named = ", ".join(reveal(one).text for one in paths[:NAMED_FILES])
    more = len(paths) - NAMED_FILES
    return named + (f" and {more} more" if more > 0 else "")


def watched(names: Sequence[str]) -> str:
    """Return the sentence that says who else looks at a card: two by name, then how many more."""
    if len(names) <= NAMED:
        listed = " and ".join(names)
    else:
        more = len(names) - NAMED
        listed = f"{', '.join(names[:NAMED])} and {more} other{'' if more == 1 else 's'}"
    return f"{listed} {'is' if len(names) == 1 else 'are'} looking at this" if names else ""


def _round(one: Round, current: str) -> RoundView:
    return RoundView(
        id=one.id,
        href=f"/admin/agent-checkpoints/{one.id}",
        name=f"Round {one.round}",
        status=one.status.value,
        who=reveal(one.decided_by_name or "").text,
        said=reveal(one.said).text,
        at=iso(one.decided_at or one.created_at),
        current=one.id == current,
    )


def _headline(point: Checkpoint) -> str:
    if point.checkpoint_type is not CheckpointType.APPROVAL_REQUIRED:
        return "For your information: nobody has to decide"
    said = _HEADLINES[point.status]
    if point.asks and point.status is CheckpointStatus.APPROVED:
        if point.decided_by == POLICY:
            return "Answered by default: nobody answered in time"
        said = "Answered"
    return f"{said} by {point.decided_by_name}" if point.decided_by_name else said


def context(detail: CheckpointDetail) -> ContextView:
    """Return the job around the checkpoint."""
    job = detail.job
    progress = job.progress
    parts = [] if progress is None else [_percent(progress.fraction), reveal(progress.message).text]
    return ContextView(
        job_status=job.status.value,
        attempt=f"{job.attempts} of {job.max_attempts}",
        progress=" ".join(filter(None, parts)),
        logs=[_log(line) for line in detail.logs],
        artifacts=[_artifact(one) for one in detail.artifacts],
    )


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction:.0%}"


def _log(line: LogLine) -> LogView:
    return LogView(
        id=str(line.id),
        at=line.at.strftime("%H:%M:%S"),
        level=line.level.value,
        tone=theme.LOG_TONES[line.level],
        message=reveal(line.message).text,
    )


def _artifact(one: Artifact) -> ArtifactView:
    return ArtifactView(
        id=one.id,
        name=reveal(one.name).text,
        kind=kind_text(one),
        size=_bytes(one.size),
        href=f"/artifacts/{one.id}",
    )


def _bytes(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:,.1f} KiB"
