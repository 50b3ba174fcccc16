"""The look, in one place: Radix tokens, sizes, and how a status is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import reflex as rx

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.jobs import JobStatus
from agent_console.domain.notifications import DeliveryStatus
from agent_console.domain.records import BreakerState, LogLevel, WorkerStatus
from agent_console.domain.sessions import SessionStatus

Tone = Literal["gray", "amber", "blue", "green", "red", "iris"]

TEXT = "2"  # Radix size of body text, 14 px
META = "1"  # Radix size of secondary text, 12 px
MONO = "var(--code-font-family)"
LIST_WIDTH = "24rem"  # of a list beside its card
GAP = MappingProxyType({"tight": "1", "row": "2", "block": "4", "section": "6"})


def root() -> rx.Component:
    """Return the theme that wraps every page."""
    return rx.theme(
        accent_color="iris",
        gray_color="slate",
        radius="medium",
        scaling="95%",
        has_background=True,
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """How a status is shown besides its word: a colour that means something, and an icon."""

    tone: Tone
    icon: str
    spins: bool = False


JOB_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        JobStatus.INITIALIZED: Mark("gray", "circle_dashed"),
        JobStatus.PENDING: Mark("gray", "clock"),
        JobStatus.QUEUED: Mark("gray", "list_restart"),
        JobStatus.RUNNING: Mark("blue", "loader_circle", spins=True),
        JobStatus.WAITING: Mark("amber", "hand"),
        JobStatus.PAUSED: Mark("gray", "circle_pause"),
        JobStatus.PARKED: Mark("amber", "triangle_alert"),
        JobStatus.COMPLETED: Mark("green", "circle_check"),
        JobStatus.FAILED: Mark("red", "circle_x"),
        JobStatus.CANCELED: Mark("gray", "ban"),
    }
)
SESSION_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        SessionStatus.INITIALIZED: Mark("gray", "circle_dashed"),
        SessionStatus.IN_PROGRESS: Mark("blue", "loader_circle", spins=True),
        SessionStatus.PENDING_REVIEW: Mark("amber", "hand"),
        SessionStatus.PAUSED: Mark("gray", "circle_pause"),
        SessionStatus.COMPLETED: Mark("green", "circle_check"),
        SessionStatus.FAILED: Mark("red", "circle_x"),
        SessionStatus.CANCELED: Mark("gray", "ban"),
    }
)
CHECKPOINT_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        CheckpointStatus.PENDING: Mark("amber", "clock"),
        CheckpointStatus.APPROVED: Mark("green", "circle_check"),
        CheckpointStatus.REJECTED: Mark("red", "circle_x"),
        CheckpointStatus.CHANGES_REQUESTED: Mark("amber", "message_square_reply"),
        CheckpointStatus.EXPIRED: Mark("gray", "timer_off"),
        CheckpointStatus.CANCELED: Mark("gray", "ban"),
    }
)
CHECKPOINT_TYPE_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        CheckpointType.APPROVAL_REQUIRED: Mark("amber", "shield_question"),
        CheckpointType.INFO: Mark("gray", "info"),
        CheckpointType.ERROR: Mark("red", "circle_alert"),
    }
)
WORKER_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        WorkerStatus.RUNNING: Mark("blue", "activity"),
        WorkerStatus.DRAINING: Mark("amber", "hourglass"),
        WorkerStatus.STOPPED: Mark("gray", "circle_stop"),
        WorkerStatus.DEAD: Mark("red", "heart_crack"),
    }
)
SUBSCRIPTION_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        "On": Mark("green", "circle_check"),
        "Failing": Mark("amber", "triangle_alert"),
        "Off": Mark("gray", "bell_off"),
    }
)
DELIVERY_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        DeliveryStatus.PENDING: Mark("amber", "clock"),
        DeliveryStatus.SENT: Mark("green", "circle_check"),
        DeliveryStatus.FAILED: Mark("red", "circle_x"),
        DeliveryStatus.DROPPED: Mark("gray", "ban"),
    }
)
BREAKER_MARKS: Mapping[str, Mark] = MappingProxyType(
    {
        BreakerState.CLOSED: Mark("green", "circle_check"),
        BreakerState.HALF_OPEN: Mark("amber", "circle_dashed"),
        BreakerState.OPEN: Mark("red", "circle_slash"),
    }
)
LOG_TONES: Mapping[str, Tone] = MappingProxyType(
    {
        LogLevel.DEBUG: "gray",
        LogLevel.INFO: "gray",
        LogLevel.WARNING: "amber",
        LogLevel.ERROR: "red",
    }
)
