from __future__ import annotations

import pytest

from agent_console.domain.jobs import JobStatus
from agent_console.domain.sessions import (
    EXECUTABLE,
    STATUS_OF,
    SessionStatus,
    context_ids,
    job_statuses,
)

# Written out once more, by hand.
SEEN_AS = {
    "INITIALIZED": "initialized",
    "PENDING": "in_progress",
    "QUEUED": "in_progress",
    "RUNNING": "in_progress",
    "WAITING": "pending_review",
    "PAUSED": "paused",
    "PARKED": "paused",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "canceled",
}


def test_every_job_status_is_seen_as_one_session_status() -> None:
    assert {job.value: seen.value for job, seen in STATUS_OF.items()} == SEEN_AS
    assert set(STATUS_OF) == set(JobStatus)
    assert set(STATUS_OF.values()) == set(SessionStatus)


def test_the_way_back_finds_every_job_status_once() -> None:
    found = [job for seen in SessionStatus for job in job_statuses(seen)]
    assert sorted(found) == sorted(JobStatus)
    assert job_statuses(SessionStatus.PAUSED) == (JobStatus.PAUSED, JobStatus.PARKED)


def test_only_what_has_not_begun_or_is_held_can_be_executed() -> None:
    assert {one.value for one in EXECUTABLE} == {"initialized", "paused"}


@pytest.mark.parametrize(
    ("first", "metadata", "expected"),
    [
        (None, {}, ()),
        ("a", {}, ("a",)),
        ("a", {"contextDocumentIds": ["a", "b", "b", "c"]}, ("a", "b", "c")),
        ("a", {"contextDocumentIds": ["b"]}, ("a", "b")),
        ("a", {"contextDocumentIds": "b"}, ("a",)),
        ("a", {"contextDocumentIds": [1, None, "b"]}, ("a", "b")),
        (None, {"contextDocumentIds": ["b"]}, ()),
        ("a", {"contextDocumentIds": [str(n) for n in range(99)]}, None),
    ],
)
def test_documents_of_a_job_are_the_first_and_those_in_its_metadata(
    first: str | None, metadata: dict[str, object], expected: tuple[str, ...] | None
) -> None:
    found = context_ids(first, metadata)  # type: ignore[arg-type]
    if expected is None:
        assert len(found) == 50
        assert found[0] == first
    else:
        assert found == expected
