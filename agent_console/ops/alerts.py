"""The Prometheus alert rules: what somebody should be told of, and what to do then."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

CRITICAL, WARNING = "critical", "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule; ``lasts`` is how long ``expr`` has to hold, ``summary`` ends up in a message."""

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    advice: str


ALERTS = (
    Alert(
        name="AgentConsoleDown",
        expr='up{job="agent_console"} == 0 or absent(up{job="agent_console"})',
        lasts="2m",
        severity=CRITICAL,
        summary="The console does not answer the scrape.",
        advice="Run agent-console health on its machine; then agent-console verify.",
    ),
    Alert(
        name="AgentConsoleJobsFailing",
        expr=(
            'sum(increase(agent_jobs_total{status="FAILED"}[30m])) > 5 and '
            'sum(increase(agent_jobs_total{status="FAILED"}[30m])) > '
            '0.2 * sum(increase(agent_jobs_total{status=~"COMPLETED|FAILED"}[30m]))'
        ),
        lasts="5m",
        severity=WARNING,
        summary="More than a fifth of the jobs of the last half hour failed.",
        advice="Open the Jobs page with status FAILED; each job keeps its error.",
    ),
    Alert(
        name="AgentConsoleJobsParked",
        expr='max(agent_jobs_by_status{status="PARKED"}) > 0',
        lasts="10m",
        severity=WARNING,
        summary="{{ $value }} jobs are parked and go on only when somebody looks.",
        advice="The job page says why: no handler, changed code, or a job that kills workers.",
    ),
    Alert(
        name="AgentConsoleQueueStuck",
        expr="max(agent_jobs_oldest_due_seconds) > 900 and max(agent_worker_active_jobs) == 0",
        lasts="2m",
        severity=CRITICAL,
        summary="Jobs are due for a quarter of an hour and nothing runs.",
        advice="Workers page: is a worker alive and started, and does it know the job type?",
    ),
    Alert(
        name="AgentConsoleNoWorker",
        expr="max(agent_workers_running) == 0",
        lasts="5m",
        severity=CRITICAL,
        summary="No worker takes jobs.",
        advice="Start one on the Workers page, or see why agent-console worker ended.",
    ),
    Alert(
        name="AgentConsoleReviewsPileUp",
        expr="max(agent_checkpoints_pending) > 50",
        lasts="30m",
        severity=WARNING,
        summary="{{ $value }} checkpoints wait for a decision.",
        advice="Reviewers are needed, or a policy for low risk (docs/agents.md).",
    ),
    Alert(
        name="AgentConsoleReviewsSlow",
        expr=(
            "histogram_quantile(0.95, sum by (le) "
            "(rate(agent_checkpoint_wait_seconds_bucket[6h]))) > 14400"
        ),
        lasts="30m",
        severity=WARNING,
        summary="One decision in twenty takes longer than four hours.",
        advice="See who reviews, and the deadlines of what waits.",
    ),
    Alert(
        name="AgentConsoleCheckpointsExpire",
        expr='sum(increase(agent_checkpoints_total{status="EXPIRED"}[1h])) > 0',
        lasts="0m",
        severity=WARNING,
        summary="Checkpoints expired in the last hour: nobody decided in time.",
        advice="Their jobs failed, unless the handler provides for it. Retry them when it matters.",
    ),
    Alert(
        name="AgentConsoleCostHigh",
        expr="sum(increase(agent_cost_usd_total[1h])) > 20",
        lasts="0m",
        severity=WARNING,
        summary='Models cost {{ $value | printf "%.2f" }} US dollars in the last hour.',
        advice="The job pages show the usage of each; budgets are part of the task configuration.",
    ),
    Alert(
        name="AgentConsoleExternalWorkerDown",
        expr="max by (host) (agent_http_breaker_state) == 2",
        lasts="10m",
        severity=WARNING,
        summary="{{ $labels.host }} is not called any more: it failed too often.",
        advice="See that worker's own health; jobs that want it sleep until it is back.",
    ),
    Alert(
        name="AgentConsoleMemoryHigh",
        expr='process_resident_memory_bytes{job="agent_console"} > 2e9',
        lasts="15m",
        severity=WARNING,
        summary="A console process holds more than 2 GB.",
        advice="Restart it (running jobs are drained or resumed) and report what it was doing.",
    ),
)


def rules() -> str:
    """Return the rules as the YAML file that Prometheus loads."""
    listed = [
        {
            "alert": alert.name,
            "expr": alert.expr,
            "for": alert.lasts,
            "labels": {"severity": alert.severity},
            "annotations": {"summary": alert.summary, "description": alert.advice},
        }
        for alert in ALERTS
    ]
    document = {"groups": [{"name": "agent_console", "rules": listed}]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
