"""What the audit page shows of the journal: pure functions, no Reflex."""

from __future__ import annotations

from dataclasses import dataclass

from agent_console.domain.events import JournalEntry
from agent_console.ui.audit_params import AuditParams
from agent_console.ui.job_views import pretty
from agent_console.ui.views import iso, shown

KNOWN = (  # offered while typing; any other may be typed
    "artifact.saved", "backup.restored", "backup.started", "chat.opened", "checkpoint.approved",
    "checkpoint.canceled", "checkpoint.created", "checkpoint.escalated", "checkpoint.expired",
    "checkpoint.extended", "checkpoint.rejected", "checkpoint.reminded", "checkpoint.reopened",
    "checkpoint.reused", "checkpoint.vote_withdrawn", "checkpoint.voted", "context.created",
    "context.versioned",
    "job.called_back", "job.canceled", "job.completed", "job.copied", "job.created",
    "job.executed", "job.failed", "job.forked", "job.parked",
    "job.paused", "job.released", "job.replayed", "job.rescued", "job.resumed", "job.retried",
    "job.retrying", "job.returned", "job.sleeping", "job.started", "job.waiting", "job.woken",
    "review_delegation.created", "review_delegation.revoked", "review_policy.removed",
    "review_policy.saved", "reviewer_group.changed", "reviewer_group.created",
    "reviewer_group.deleted",
    "saved_query.changed", "saved_query.created", "saved_query.deleted", "secret.deleted",
    "secret.revealed", "secret.rotated", "secret.set", "template.created", "template.deleted",
    "token.created", "token.revoked", "usage.recorded", "user.created", "user.disabled",
    "user.enabled", "user.password_changed", "user.role_changed", "user.sign_in_failed",
    "user.signed_in", "user.signed_out", "worker.configured", "worker.died", "worker.registered",
    "worker.start_requested", "worker.stop_requested",
)  # fmt: skip
_TONES = (
    (("failed", "rejected", "died"), "red"),
    (("approved", "completed"), "green"),
    (("parked", "expired", "reopened", "rescued", "returned", "retrying"), "amber"),
)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the journal. Addresses are empty where there is nothing to lead to."""

    key: str
    at: str
    action: str
    action_href: str
    tone: str
    actor: str
    actor_kind: str
    actor_href: str
    change: str
    job: str
    job_href: str
    checkpoint: str
    checkpoint_href: str
    subject: str
    data: str


def audit_row(entry: JournalEntry, params: AuditParams) -> AuditRow:
    """Return the row for ``entry``; its links narrow ``params`` down."""
    actor = entry.actor_id or ""
    return AuditRow(
        key=str(entry.seq),
        at=iso(entry.at),
        action=shown(entry.action, 100),
        action_href=params.url(action=entry.action, cursor=""),
        tone=_tone(entry.action),
        actor=shown(entry.actor_name or entry.actor_kind, 100),
        actor_kind=entry.actor_kind,
        actor_href=params.url(actor=actor, cursor="") if actor else "",
        change=_change(entry),
        job=entry.job_id or "",
        job_href=f"/jobs/{entry.job_id}" if entry.job_id else "",
        checkpoint=entry.checkpoint_id or "",
        checkpoint_href=(
            f"/admin/agent-checkpoints/{entry.checkpoint_id}" if entry.checkpoint_id else ""
        ),
        subject=shown(entry.subject_id or "", 200),
        data=pretty(entry.data) if entry.data else "",
    )


def _change(entry: JournalEntry) -> str:
    if entry.before and entry.after and entry.before != entry.after:
        return f"{entry.before} → {entry.after}"
    return entry.after or entry.verdict or ""


def _tone(action: str) -> str:
    verb = action.rsplit(".", 1)[-1]
    return next((tone for verbs, tone in _TONES if verb.endswith(verbs)), "gray")
