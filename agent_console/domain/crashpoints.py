"""Named places where the kill harness may end the process.

Off unless ``arm`` was called: in production a crash point is one global read.
"""

from __future__ import annotations

from collections.abc import Callable

LABELS = (
    "enqueue.before_commit",
    "enqueue.committed",
    "begin.before_commit",
    "begin.committed",
    "admit.opened",
    "claim.before_commit",
    "claim.committed",
    "run.started",
    "step.effect_done",
    "step.before_commit",
    "step.committed",
    "note.committed",
    "artifact.committed",
    "suspend.before_commit",
    "suspend.committed",
    "sleep.before_commit",
    "sleep.committed",
    "policy.before_commit",
    "policy.committed",
    "usage.committed",
    "decide.before_commit",
    "decide.committed",
    "resume.decision_read",
    "finish.before_commit",
    "finish.committed",
    "rescue.before_commit",
    "expire.before_commit",
    "release.before_commit",
    "schedule.before_commit",
    "schedule.committed",
    "job_type.before_commit",
    "job_type.committed",
)

_hook: Callable[[str], None] | None = None


def arm(hook: Callable[[str], None] | None) -> None:
    """Call ``hook`` with the label of every crash point passed; None turns them off."""
    global _hook  # noqa: PLW0603 - one switch for the process, thrown by the harness
    _hook = hook


def crashpoint(label: str) -> None:
    """Mark a place where a crash must do no harm; ``label`` is one of ``LABELS``."""
    if _hook is not None:
        _hook(label)
