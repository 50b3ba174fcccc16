"""The two transition tables: every pair of status and verb, and a model walked at random."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain import checkpoints, jobs
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import CLAIMABLE, FINISHED, LIVE, JobStatus, JobVerb

# Written out once more, by hand: the table in the product and this one must agree.
JOBS = {
    "INITIALIZED": {"execute": "PENDING", "cancel": "CANCELED"},
    "PENDING": {"claim": "RUNNING", "pause": "PAUSED", "cancel": "CANCELED"},
    "QUEUED": {
        "claim": "RUNNING",
        "unwake": "WAITING",
        "pause": "PAUSED",
        "cancel": "CANCELED",
    },
    "RUNNING": {
        "wait": "WAITING",
        "complete": "COMPLETED",
        "fail": "FAILED",
        "retry_later": "QUEUED",
        "sleep": "QUEUED",
        "release": "QUEUED",
        "rescue": "QUEUED",
        "park": "PARKED",
        "return": "WAITING",
        "pause": "PAUSED",
        "cancel": "CANCELED",
    },
    "WAITING": {"wake": "QUEUED", "pause": "PAUSED", "cancel": "CANCELED"},
    "PAUSED": {
        "execute": "QUEUED",
        "resume": "QUEUED",
        "resume_waiting": "WAITING",
        "cancel": "CANCELED",
    },
    "PARKED": {"resume": "QUEUED", "retry": "QUEUED", "fail": "FAILED", "cancel": "CANCELED"},
    "COMPLETED": {},
    "FAILED": {"retry": "QUEUED"},
    "CANCELED": {"retry": "QUEUED"},
}
CHECKPOINTS = {
    "PENDING": {
        "approve": "APPROVED",
        "answer": "APPROVED",
        "reject": "REJECTED",
        "request_changes": "CHANGES_REQUESTED",
        "expire": "EXPIRED",
        "cancel": "CANCELED",
    },
    "APPROVED": {"reopen": "PENDING", "undo": "PENDING"},
    "REJECTED": {"undo": "PENDING"},
    "CHANGES_REQUESTED": {"undo": "PENDING"},
}


@pytest.mark.parametrize(("status", "verb"), list(itertools.product(JobStatus, JobVerb)))
def test_every_pair_of_job_status_and_verb(status: JobStatus, verb: JobVerb) -> None:
    expected = JOBS[status].get(verb)
    if expected is None:
        with pytest.raises(Conflict) as refused:
            jobs.after(status, verb)
        assert refused.value.context["currentStatus"] == status.value
        assert status in refused.value.message
    else:
        assert jobs.after(status, verb) == expected


@pytest.mark.parametrize(
    ("status", "verb"), list(itertools.product(CheckpointStatus, CheckpointVerb))
)
def test_every_pair_of_checkpoint_status_and_verb(
    status: CheckpointStatus, verb: CheckpointVerb
) -> None:
    expected = CHECKPOINTS.get(status, {}).get(verb)
    if expected is None:
        with pytest.raises(Conflict) as refused:
            checkpoints.after(status, verb)
        assert refused.value.context["currentStatus"] == status.value
    else:
        assert checkpoints.after(status, verb) == expected


@pytest.mark.parametrize("verb", list(JobVerb))
def test_sources_are_exactly_the_statuses_a_verb_is_legal_in(verb: JobVerb) -> None:
    assert {*jobs.sources(verb)} == {status for status in JobStatus if verb in JOBS[status]}


def test_statuses_are_sorted_into_claimable_live_and_finished() -> None:
    assert {s for s in JobStatus if "claim" in JOBS[s]} == CLAIMABLE
    assert set(JobStatus) == LIVE | FINISHED
    assert not LIVE & FINISHED
    assert {s for s in JobStatus if "cancel" in JOBS[s]} == LIVE


def test_every_status_is_reached_and_every_live_one_can_end() -> None:
    reached = {JobStatus.INITIALIZED}
    for _ in JobStatus:
        reached |= {jobs.after(s, v) for s, v in jobs.TRANSITIONS if s in reached}
    assert reached == set(JobStatus)
    for status in LIVE:
        assert jobs.after(status, JobVerb.CANCEL) in FINISHED


@given(st.lists(st.sampled_from(list(JobVerb)), max_size=60))
def test_no_sequence_of_verbs_breaks_the_life_of_a_job(verbs: list[JobVerb]) -> None:
    status = JobStatus.INITIALIZED
    canceled = claimed = False
    for verb in verbs:
        try:
            following = jobs.after(status, verb)
        except Conflict:
            continue
        if status in FINISHED:
            assert verb is JobVerb.RETRY, "what has ended comes back by a retry only"
            canceled = False
        if following is JobStatus.RUNNING:
            assert status in CLAIMABLE
            claimed = True
        if following in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.WAITING}:
            held = status is JobStatus.PAUSED or verb is JobVerb.UNWAKE
            assert claimed or held, "nothing ends that never ran"
        canceled = canceled or following is JobStatus.CANCELED
        assert not canceled or following is JobStatus.CANCELED, "cancel is sticky"
        status = following


@given(st.lists(st.sampled_from(list(CheckpointVerb)), max_size=30))
def test_no_sequence_of_verbs_decides_a_checkpoint_twice(verbs: list[CheckpointVerb]) -> None:
    status = CheckpointStatus.PENDING
    decisions = reopened = 0
    for verb in verbs:
        try:
            following = checkpoints.after(status, verb)
        except Conflict:
            continue
        reopened += verb in {CheckpointVerb.REOPEN, CheckpointVerb.UNDO}
        decisions += following is not CheckpointStatus.PENDING
        status = following
    assert decisions <= reopened + 1
