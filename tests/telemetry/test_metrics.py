from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import WorkerStatus
from agent_console.store import presence
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.liveness import heartbeat
from agent_console.telemetry.metrics import MetricsExporter
from agent_console.testing import FakeClock
from agent_console.testing.draining import _introduce
from tests.support.factories import enqueue, enqueue_many
from tests.support.runs import decide_many, waiting_many

pytestmark = pytest.mark.rows_by_hand

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(exporter: MetricsExporter) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exporter.render().decode())
        for sample in family.samples
    }


def sample(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def record(db: Database, *events: Event) -> None:
    db.write(lambda tx: tx.record(*events))


def job(before: str | None, after: str, **more: object) -> Event:
    return Event(
        action=f"job.{after.lower()}",
        job_id="job_1",
        job_type=str(more.pop("job_type", "noop")),
        before=before,
        after=after,
        **more,  # type: ignore[arg-type]
    )


def checkpoint(before: str | None, after: str, seconds: float | None = None) -> Event:
    return Event(
        action=f"checkpoint.{after.lower()}",
        job_id="job_1",
        checkpoint_id="chk_1",
        before=before,
        after=after,
        seconds=seconds,
    )


def test_every_metric_is_there_with_every_status_before_anything_happened(db: Database) -> None:
    samples = scrape(MetricsExporter(db))
    for job_status in JobStatus:
        assert sample(samples, "agent_jobs_total", status=job_status) == 0
        assert sample(samples, "agent_jobs_by_status", status=job_status) == 0
    for status in CheckpointStatus:
        assert sample(samples, "agent_checkpoints_total", status=status) == 0
    assert sample(samples, "agent_checkpoints_pending") == 0
    assert sample(samples, "agent_worker_active_jobs") == 0
    assert sample(samples, "agent_checkpoint_wait_seconds_count") == 0
    text = MetricsExporter(db).render().decode()
    assert "# TYPE agent_jobs_duration_seconds histogram" in text
    assert "# TYPE agent_jobs_total counter" in text


def test_entries_are_counted_for_ever_and_rows_as_they_are_now(db: Database) -> None:
    enqueue_many(db, 3)
    record(db, job("PENDING", "RUNNING"), job("RUNNING", "FAILED", seconds=2.0))
    record(db, job("FAILED", "QUEUED"))
    samples = scrape(MetricsExporter(db))
    assert sample(samples, "agent_jobs_total", status="PENDING") == 3
    assert sample(samples, "agent_jobs_total", status="FAILED") == 1
    assert sample(samples, "agent_jobs_total", status="QUEUED") == 1
    assert sample(samples, "agent_jobs_by_status", status="PENDING") == 2
    assert sample(samples, "agent_jobs_by_status", status="QUEUED") == 1
    assert sample(samples, "agent_jobs_by_status", status="FAILED") == 0  # it was tried again


def test_durations_fall_into_cumulative_buckets(db: Database) -> None:
    record(
        db,
        *(job("RUNNING", "COMPLETED", seconds=s) for s in (0.1, 0.7, 1.0, 4.0, 9.0, 1e9)),
        job("RUNNING", "FAILED", seconds=3.0, job_type="other-type"),
    )
    samples = scrape(MetricsExporter(db))
    labels = {"status": "COMPLETED", "job_type": "noop"}

    def below(bound: str) -> float:
        return sample(samples, "agent_jobs_duration_seconds_bucket", le=bound, **labels)

    assert [below(b) for b in ("0.1", "1.0", "5.0", "10.0", "+Inf")] == [1, 3, 4, 5, 6]
    assert sample(samples, "agent_jobs_duration_seconds_count", **labels) == 6
    assert sample(samples, "agent_jobs_duration_seconds_sum", **labels) == 1e9 + 14.8
    failed = {"status": "FAILED", "job_type": "other-type"}
    assert sample(samples, "agent_jobs_duration_seconds_count", **failed) == 1


def test_waits_of_checkpoints_are_measured_when_they_are_decided(db: Database) -> None:
    record(db, checkpoint(None, "PENDING"), checkpoint(None, "PENDING"))
    record(db, checkpoint("PENDING", "APPROVED", 30.0), checkpoint("PENDING", "REJECTED", 400.0))
    samples = scrape(MetricsExporter(db))
    assert sample(samples, "agent_checkpoints_total", status="PENDING") == 2
    assert sample(samples, "agent_checkpoints_total", status="APPROVED") == 1
    assert sample(samples, "agent_checkpoint_wait_seconds_count") == 2
    assert sample(samples, "agent_checkpoint_wait_seconds_sum") == 430
    assert sample(samples, "agent_checkpoint_wait_seconds_bucket", le="60.0") == 1


def test_figures_are_true_after_a_restart_and_in_another_process(
    db: Database, database_url: str
) -> None:
    enqueue(db)
    record(db, job("RUNNING", "COMPLETED", seconds=0.2))
    other = Database(database_url)  # another pool
    record(other, job("RUNNING", "COMPLETED", seconds=0.3))
    db.close()
    samples = scrape(MetricsExporter(other))
    other.close()
    assert sample(samples, "agent_jobs_total", status="COMPLETED") == 2
    assert sample(samples, "agent_jobs_by_status", status="COMPLETED") == 2
    assert sample(samples, "agent_jobs_by_status", status="PENDING") == 1


def test_labels_are_bounded_by_the_registered_job_types(db: Database) -> None:
    record(
        db,
        *(job("RUNNING", "COMPLETED", seconds=1.0, job_type=f"gone-{n}") for n in range(50)),
        job("RUNNING", "COMPLETED", seconds=1.0, job_type="noop"),
    )
    samples = scrape(MetricsExporter(db, job_types=lambda: ["noop"]))
    types = {
        dict(labels)["job_type"]
        for name, labels in samples
        if name == "agent_jobs_duration_seconds_count"
    }
    assert types == {"noop", "other"}
    assert (
        sample(samples, "agent_jobs_duration_seconds_count", status="COMPLETED", job_type="other")
        == 50
    )


def test_a_snapshot_serves_scrapes_of_one_second(db: Database) -> None:
    clock = FakeClock()
    exporter = MetricsExporter(db, clock=clock)
    scrape(exporter)
    enqueue(db)
    assert sample(scrape(exporter), "agent_jobs_total", status="PENDING") == 0
    clock.advance(1.0)
    assert sample(scrape(exporter), "agent_jobs_total", status="PENDING") == 1


def test_the_longest_wait_is_of_jobs_that_are_due(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    def waits() -> float:
        return sample(scrape(MetricsExporter(clocked_db)), "agent_jobs_oldest_due_seconds")

    later = fake_clock.now() + timedelta(hours=1)
    enqueue(clocked_db, run_at=later)
    fake_clock.advance(60)
    assert waits() == 0
    enqueue(clocked_db)
    fake_clock.advance(90)
    assert waits() == 90
    assert len(claim(clocked_db, "wrk_1", 5)) == 1
    assert waits() == 0
    fake_clock.advance(3600)
    assert waits() == 150


def test_workers_count_while_they_run_and_are_heard(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    def running() -> float:
        return sample(scrape(MetricsExporter(clocked_db)), "agent_workers_running")

    assert running() == 0
    for name in ("wrk_1", "wrk_2"):
        _introduce(clocked_db, name)
    assert running() == 2
    heartbeat(clocked_db, "wrk_2", (), WorkerStatus.STOPPED)
    assert running() == 1
    fake_clock.advance(61)
    assert running() == 0


def used(job_type: str, tokens: int, micros: int) -> Event:
    data: dict[str, object] = {"inputTokens": tokens, "outputTokens": 1, "costMicros": micros}
    return Event(action="usage.recorded", job_id="job_1", job_type=job_type, data=data)  # type: ignore[arg-type]


def test_tokens_and_cost_are_summed_by_job_type_exactly(db: Database) -> None:
    record(db, *(used("research", 100, 100_000) for _ in range(10)), used("gone", 7, 1))
    samples = scrape(MetricsExporter(db, job_types=lambda: ["research"]))
    tokens = "agent_tokens_total"
    assert sample(samples, tokens, direction="input", job_type="research") == 1000
    assert sample(samples, tokens, direction="output", job_type="research") == 10
    assert sample(samples, tokens, direction="input", job_type="other") == 7
    assert sample(samples, "agent_cost_usd_total", job_type="research") == 1.0
    assert sample(samples, "agent_cost_usd_total", job_type="other") == 0.000001


def test_reviews_are_told_by_stage_outcome_risk_and_type(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    first, _ = waiting_many(clocked_db, 2)
    ana = Actor(kind="user", id="usr_ana", name="Ana")
    fake_clock.advance(40)
    clocked_db.write(lambda tx: presence.look(tx, first, "usr_ana", ana))
    fake_clock.advance(200)
    decide_many(clocked_db, [first])
    exporter = MetricsExporter(clocked_db, job_types=lambda: ["noop"])
    samples = scrape(exporter)
    of = {"risk": "NONE", "job_type": "noop"}
    assert sample(samples, "agent_reviews_total", outcome="approved", **of) == 1
    seconds = "agent_review_seconds"
    assert sample(samples, f"{seconds}_sum", stage="seen", **of) == 40
    assert sample(samples, f"{seconds}_sum", stage="decided", **of) == 200
    assert sample(samples, f"{seconds}_bucket", stage="seen", le="30.0", **of) == 0
    assert sample(samples, f"{seconds}_bucket", stage="seen", le="60.0", **of) == 1
    ages = {
        age: sample(samples, "agent_checkpoints_pending_by_age", age=age)
        for age in ("5m", "1h", "4h", "1d", "older")
    }
    assert ages == {"5m": 1, "1h": 0, "4h": 0, "1d": 0, "older": 0}
    fake_clock.advance(2 * 86_400)
    assert sample(
        scrape(MetricsExporter(clocked_db)), "agent_checkpoints_pending_by_age", age="older"
    )
