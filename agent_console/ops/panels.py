"""How each metric is drawn. A metric without a hint gets the panel that suits its kind."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.core import Metric

JOBS, REVIEW, MODELS, CALLS = "Jobs", "Review", "Models", "External workers"
FIGURES = "Review figures"
PROCESS, OTHER = "Process", "More"
ROWS = (JOBS, REVIEW, FIGURES, MODELS, CALLS, OTHER, PROCESS)
SECONDS, DOLLARS, BYTES, SHARE = "s", "currencyUSD", "bytes", "percentunit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A PromQL expression and what its lines are called; ``__auto``: by their labels."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. ``unit`` is Grafana's name of a unit; ``stat``: one big number."""

    title: str
    row: str
    queries: tuple[Query, ...]
    unit: str = "short"
    description: str = ""
    stat: bool = False


def _rate(name: str, by: str) -> str:
    return f'sum by ({by}) (rate({name}{{job=~"$job"}}[$__rate_interval]))'


def _quantiles(name: str, by: str = "") -> tuple[Query, ...]:
    group = f"le, {by}" if by else "le"
    tail = f" {{{{{by}}}}}" if by else ""
    return tuple(
        Query(
            expr=(
                f"histogram_quantile({share}, sum by ({group}) "
                f'(rate({name}_bucket{{job=~"$job"}}[$__rate_interval])))'
            ),
            legend=f"p{round(share * 100)}{tail}",
        )
        for share in (0.5, 0.95)
    )


def _share(part: str, whole: str) -> str:
    return (
        f'sum(increase(agent_reviews_total{{job=~"$job",outcome="{part}"}}[1d])) / '
        f'sum(increase(agent_reviews_total{{job=~"$job",outcome=~"{whole}"}}[1d]))'
    )


_PEOPLE = "approved|edited|changes_requested|rejected"
_WAITED = f"{_PEOPLE}|expired"

_HINTS: dict[str, Panel] = {
    "agent_jobs": Panel(
        title="Entries into a status, per second",
        row=JOBS,
        queries=(Query(expr=_rate("agent_jobs_total", "status"), legend="{{status}}"),),
        unit="ops",
    ),
    "agent_jobs_by_status": Panel(
        title="Jobs not at their end",
        row=JOBS,
        queries=(
            Query(
                expr=(
                    'max by (status) (agent_jobs_by_status{job=~"$job",'
                    'status!~"COMPLETED|FAILED|CANCELED"})'
                ),
                legend="{{status}}",
            ),
        ),
    ),
    "agent_jobs_duration_seconds": Panel(
        title="Duration of jobs by type",
        row=JOBS,
        queries=_quantiles("agent_jobs_duration_seconds", "job_type"),
        unit=SECONDS,
        description="From a job's start to its end, waits for people included.",
    ),
    "agent_jobs_oldest_due_seconds": Panel(
        title="Longest wait for a worker",
        row=JOBS,
        queries=(Query(expr='max(agent_jobs_oldest_due_seconds{job=~"$job"})', legend="due"),),
        unit=SECONDS,
        stat=True,
    ),
    "agent_jobs_held": Panel(
        title="Held by limits and pauses",
        row=JOBS,
        queries=(
            Query(expr='max by (job_type) (agent_jobs_held{job=~"$job"})', legend="{{job_type}}"),
        ),
    ),
    "agent_workers_running": Panel(
        title="Workers",
        row=JOBS,
        queries=(Query(expr='max(agent_workers_running{job=~"$job"})', legend="workers"),),
        stat=True,
    ),
    "agent_worker_active_jobs": Panel(
        title="Running now",
        row=JOBS,
        queries=(Query(expr='max(agent_worker_active_jobs{job=~"$job"})', legend="running"),),
        stat=True,
    ),
    "agent_checkpoints_pending": Panel(
        title="Waiting for a person",
        row=REVIEW,
        queries=(Query(expr='max(agent_checkpoints_pending{job=~"$job"})', legend="waiting"),),
        stat=True,
    ),
    "agent_checkpoints": Panel(
        title="Checkpoints per second",
        row=REVIEW,
        queries=(Query(expr=_rate("agent_checkpoints_total", "status"), legend="{{status}}"),),
        unit="ops",
    ),
    "agent_checkpoint_wait_seconds": Panel(
        title="Time until a decision",
        row=REVIEW,
        queries=_quantiles("agent_checkpoint_wait_seconds"),
        unit=SECONDS,
    ),
    "agent_review_seconds": Panel(
        title="Stages of reviews",
        row=FIGURES,
        queries=_quantiles("agent_review_seconds", "stage"),
        unit=SECONDS,
        description="Asked to first seen, seen to decided, approved to gone on.",
    ),
    "agent_reviews": Panel(
        title="Reviews that ended, per hour",
        row=FIGURES,
        queries=(
            Query(
                expr='sum by (outcome) (increase(agent_reviews_total{job=~"$job"}[1h]))',
                legend="{{outcome}}",
            ),
        ),
    ),
    "agent_checkpoints_pending_by_age": Panel(
        title="Waiting, by age",
        row=FIGURES,
        queries=(
            Query(
                expr='max by (age) (agent_checkpoints_pending_by_age{job=~"$job"})',
                legend="{{age}}",
            ),
        ),
    ),
    "agent_tokens": Panel(
        title="Tokens per second",
        row=MODELS,
        queries=(Query(expr=_rate("agent_tokens_total", "direction, job_type")),),
    ),
    "agent_http_breaker_state": Panel(
        title="Circuit breakers",
        row=CALLS,
        queries=(
            Query(expr='max by (host) (agent_http_breaker_state{job=~"$job"})', legend="{{host}}"),
        ),
        description="0 closed, 1 half-open, 2 open: the host is left alone for a while.",
    ),
    "agent_cost_usd": Panel(
        title="Cost per hour",
        row=MODELS,
        queries=(
            Query(
                expr='sum by (job_type) (increase(agent_cost_usd_total{job=~"$job"}[1h]))',
                legend="{{job_type}}",
            ),
        ),
        unit=DOLLARS,
    ),
}

EXTRA = (
    Panel(
        title="Success in the last hour",
        row=JOBS,
        queries=(
            Query(
                expr=(
                    'sum(increase(agent_jobs_total{job=~"$job",status="COMPLETED"}[1h])) / '
                    'sum(increase(agent_jobs_total{job=~"$job",status=~"COMPLETED|FAILED"}[1h]))'
                ),
                legend="completed",
            ),
        ),
        unit=SHARE,
        stat=True,
    ),
    *(
        Panel(
            title=title,
            row=FIGURES,
            queries=(Query(expr=_share(part, whole), legend=part),),
            unit=SHARE,
            stat=True,
        )
        for title, part, whole in (
            ("Expired in the last day", "expired", _WAITED),
            ("Edited in the last day", "edited", "approved|edited"),
            ("Changes requested in the last day", "changes_requested", _PEOPLE),
            ("Decided on one's own in the last day", "self", _PEOPLE),
        )
    ),
    Panel(
        title="Memory",
        row=PROCESS,
        queries=(Query(expr='process_resident_memory_bytes{job=~"$job"}', legend="{{instance}}"),),
        unit=BYTES,
    ),
    Panel(
        title="Processor time",
        row=PROCESS,
        queries=(
            Query(
                expr='rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])',
                legend="{{instance}}",
            ),
        ),
        unit=SHARE,
    ),
    Panel(
        title="Open files",
        row=PROCESS,
        queries=(Query(expr='process_open_fds{job=~"$job"}', legend="{{instance}}"),),
    ),
)


def panel_of(family: Metric) -> Panel:
    """Return the panel of a metric family: its hint's, else what suits its kind."""
    if family.name in _HINTS:
        return _HINTS[family.name]
    unit = SECONDS if family.name.endswith("_seconds") else "short"
    if family.type == "histogram":
        queries = _quantiles(family.name)
    elif family.type == "counter":
        expr = f'rate({family.name}_total{{job=~"$job"}}[$__rate_interval])'
        queries = (Query(expr=expr),)
    else:
        queries = (Query(expr=f'{family.name}{{job=~"$job"}}'),)
    title = family.documentation.rstrip(".")
    return Panel(title=title, row=OTHER, queries=queries, unit=unit)
