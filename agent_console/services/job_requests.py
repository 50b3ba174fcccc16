"""What may be enqueued: bounds, known values, and inputs that fit their handler."""

from __future__ import annotations

from dataclasses import asdict, replace

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.clock import to_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import MAX_PRIORITY, MIN_PRIORITY, NewJob
from agent_console.domain.payload import check_json, digest, dumps
from agent_console.domain.uniqueness import OnConflict
from agent_console.domain.usage import budget_of
from agent_console.services.catalog import Catalog
from agent_console.store.job_writes import RequestKey

MAX_DESCRIPTION = 4_000  # characters
MAX_NAME = 200  # characters of ids and names that come from outside
MAX_ATTEMPTS = 100
MAX_METADATA = 65_536  # bytes
MAX_DELAY = 315_360_000  # seconds
_ALSO_NEEDED = {
    OnConflict.REPLACE: Permission.JOBS_CONTROL,
    OnConflict.EXISTING: Permission.JOBS_READ,
}
APPROVAL_STRATEGIES = ("checkpoint_required", "final_only", "auto_approve_low_risk")


def checked(new: NewJob, catalog: Catalog) -> tuple[NewJob, int]:
    """Return the request with its input's defaults bound, and how often it may be attempted.

    Raises:
        Invalid: a field is not acceptable; it says which.
        TooLarge: a JSON field is.
    """
    handler = catalog.describe(new.job_type)
    if handler is None:
        listed = ", ".join(sorted(h.job_type for h in catalog.handlers())) or "none"
        raise Invalid.field("jobType", f"unknown job type; known are {listed}.")
    _check_texts(new)
    _check_numbers(new)
    check_json(new.input_data, "inputData")
    if new.task_configuration is not None:
        check_json(new.task_configuration, "taskConfiguration")
        budget_of(new.task_configuration)
    if new.metadata:
        check_json(new.metadata, "metadata", limit=MAX_METADATA)
    data = catalog.validate(new.job_type, new.input_data)
    lane = catalog.lane(new.job_type, data)
    unique = new.unique
    if unique is None and handler.unique is not None:
        unique = handler.unique(data)
    if unique is not None:
        unique.settled()
    attempts = new.max_attempts or handler.max_attempts
    if data is new.input_data and lane == new.lane and unique is new.unique:
        return new, attempts  # as most requests are; a copy costs more than the checks
    return replace(new, input_data=data, lane=lane, unique=unique), attempts


def allow(actor: Actor, new: NewJob, catalog: Catalog) -> None:
    """Refuse what ``new`` (as ``checked`` returned it) needs beside creating jobs.

    Raises:
        Forbidden: the type needs more; the policy of its key cancels jobs, or answers with one.
    """
    handler = catalog.describe(new.job_type)
    if handler is not None and handler.needs is not None:
        authorize(actor, handler.needs)
    if new.unique is not None and new.unique.on_conflict in _ALSO_NEEDED:
        authorize(actor, _ALSO_NEEDED[new.unique.on_conflict])


def _check_texts(new: NewJob) -> None:
    text("taskDescription", new.task_description, MAX_DESCRIPTION)
    text("projectId", new.project_id, MAX_NAME)
    text("contextDocumentId", new.context_document_id, MAX_NAME)
    check_strategy(new.approval_strategy)


def check_strategy(strategy: str | None) -> None:
    """Refuse an approval strategy that there is not; None is none chosen.

    Raises:
        Invalid: lists the known ones.
    """
    if strategy is not None and strategy not in APPROVAL_STRATEGIES:
        listed = ", ".join(APPROVAL_STRATEGIES)
        raise Invalid.field("approvalStrategy", f"unknown value; known are {listed}.")


def _check_numbers(new: NewJob) -> None:
    if not MIN_PRIORITY <= new.priority <= MAX_PRIORITY:
        message = f"must be between {MIN_PRIORITY} and {MAX_PRIORITY}."
        raise Invalid.field("priority", message)
    if new.max_attempts is not None and not 1 <= new.max_attempts <= MAX_ATTEMPTS:
        raise Invalid.field("maxAttempts", f"must be between 1 and {MAX_ATTEMPTS}.")
    if new.run_at is not None and new.run_at.tzinfo is None:
        raise Invalid.field("runAt", "must have a time zone.")
    _check_delay(new)


def _check_delay(new: NewJob) -> None:
    if new.delay_seconds is None:
        return
    if new.run_at is not None:
        raise Invalid.field("delaySeconds", "cannot be combined with runAt; send one of them.")
    if not 0 <= new.delay_seconds <= MAX_DELAY:
        raise Invalid.field("delaySeconds", f"must be between 0 and {MAX_DELAY:,} (ten years).")


def text(field: str, value: str | None, limit: int) -> None:
    """Refuse a text that is longer than ``limit`` characters, or that no database stores."""
    if value is None:
        return
    if len(value) > limit:
        raise Invalid.field(field, f"must have at most {limit:,} characters.")
    if not value.isascii() or "\x00" in value:  # all else can be stored
        check_json(value, field)


def request_key(actor: Actor, operation: str, key: str | None, body: object) -> RequestKey | None:
    """Return ``key`` bound to who asks, for what and with which ``body``; None for None.

    Raises:
        Invalid: the key is empty, too long or not printable ASCII.
    """
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Invalid.field("Idempotency-Key", "must be 1 to 255 printable ASCII characters.")
    return RequestKey(scope=f"{who(actor)} {operation}", key=key, digest=digest(dumps(body)))


def who(actor: Actor) -> str:
    """Return what tells one actor from another."""
    return actor.who


def body_of(new: NewJob) -> dict[str, object]:
    """Return the request as JSON, for the digest that tells a repetition from another request."""
    body = asdict(new)
    del body["lane"]  # follows from the rest
    if new.unique is None:  # reads as before there was such a field: keys outlive versions
        del body["unique"]
    return {**body, "run_at": None if new.run_at is None else to_micros(new.run_at)}
