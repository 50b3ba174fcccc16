"""The observability kit speaks of metrics that exist, and is what the sources make of them."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agent_console.domain.events import Event
from agent_console.ops.alerts import ALERTS
from agent_console.ops.dashboard import dashboard, panels
from agent_console.ops.kit import FILES, generated
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.telemetry.metrics import MetricsExporter, catalogue
from tests.cli.conftest import Terminal
from tests.ops.expressions import Selected, grouped, parsed, selected

ROOT = Path(__file__).resolve().parents[2]
# Prometheus adds these itself: to every series, and one series for every target.
ADDED_LABELS = {"job", "instance", "le"}
ADDED_METRICS = {"up": set[str]()}


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression of the kit with the name of the place it stands in."""
    for panel in panels():
        for query in panel.queries:
            yield f"panel {panel.title}", query.expr
    for alert in ALERTS:
        yield f"alert {alert.name}", alert.expr


@pytest.fixture
def metrics(db: Database) -> dict[str, set[str]]:
    """Return the labels of every metric that a console renders once it has done some work."""
    job: dict[str, Any] = {"job_id": "job_1", "job_type": "noop"}
    used: dict[str, Any] = {"inputTokens": 1, "outputTokens": 1, "costMicros": 1}
    db.write(
        lambda tx: tx.record(
            Event(action="job.created", after="PENDING", **job),
            Event(action="job.completed", before="RUNNING", after="COMPLETED", seconds=1.0, **job),
            Event(action="usage.recorded", data=used, **job),
            Event(action="checkpoint.approved", data={"unseenSeconds": 1.0}, **job),
        )
    )
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(
        MetricsExporter(db, job_types=lambda: ["noop"], hosts=["w.example.com"]).render().decode()
    ):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found | ADDED_METRICS


@pytest.mark.rows_by_hand
def test_every_expression_names_real_metrics_and_labels(metrics: dict[str, set[str]]) -> None:
    found = list(expressions())
    assert len(found) >= len(catalogue()) + len(ALERTS)
    wrong: list[str] = []
    for place, expr in found:
        tree = parsed(expr)
        read = list(selected(tree))
        assert read, f"{place} reads no metric"
        wrong += [f"{place}: {s.name}" for s in read if s.name not in metrics]
        wrong += [
            f"{place}: {s}" for s in read if s.labels - metrics.get(s.name, set()) - ADDED_LABELS
        ]
        for labels, names in grouped(tree):
            known = set().union(*(metrics.get(name, set()) for name in names)) | ADDED_LABELS
            wrong += [f"{place}: by {sorted(labels - known)}"] if labels - known else []
    assert wrong == []


@pytest.mark.rows_by_hand
def test_a_made_up_metric_would_be_noticed(metrics: dict[str, set[str]]) -> None:
    tree = parsed(
        'sum by (le) (rate(agent_made_up_total{job=~"$job", mood="x"}[$__rate_interval]))'
    )
    (read,) = selected(tree)
    assert read == Selected("agent_made_up_total", frozenset({"job", "mood"}))
    assert read.name not in metrics


def test_every_metric_of_the_console_has_a_panel() -> None:
    drawn = {s.name for panel in panels() for q in panel.queries for s in selected(parsed(q.expr))}
    for family in catalogue():
        names = {family.name, f"{family.name}_total", f"{family.name}_bucket"}
        assert names & drawn, family.name


def test_a_metric_without_a_hint_gets_the_panel_of_its_kind() -> None:
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    from agent_console.ops.panels import panel_of

    counter = panel_of(CounterMetricFamily("agent_new", "New ones."))
    assert [q.expr for q in counter.queries] == [
        'rate(agent_new_total{job=~"$job"}[$__rate_interval])'
    ]
    gauge = panel_of(GaugeMetricFamily("agent_new_state", "The state."))
    assert (gauge.title, gauge.queries[0].expr) == ("The state", 'agent_new_state{job=~"$job"}')
    histogram = panel_of(HistogramMetricFamily("agent_new_seconds", "How long."))
    assert (histogram.unit, len(histogram.queries)) == ("s", 2)


def test_the_committed_files_are_those_that_are_made_now() -> None:
    for name, text in generated().items():
        assert (FILES / name).read_text("utf-8") == text, f"{name}: run make ops"


def test_the_dashboard_is_one_that_grafana_can_place() -> None:
    document = json.loads(dashboard())
    places = [panel["gridPos"] for panel in document["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    ids = [panel["id"] for panel in document["panels"]]
    assert len(ids) == len(set(ids))
    variables = {f"${{{each['name']}}}" for each in document["templating"]["list"]}
    used = {p["datasource"]["uid"] for p in document["panels"] if "datasource" in p}
    assert used <= variables


def test_rules_have_what_a_message_needs() -> None:
    (group,) = yaml.safe_load((FILES / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert re.fullmatch(r"\d+[mh]", rule["for"])
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names))


def test_every_alert_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert {alert.name for alert in ALERTS} == set(
        re.findall(r"^\| `(AgentConsole\w+)`", text, re.MULTILINE)
    )


def promtool() -> str | None:
    """Return promtool: of the virtual environment, else the system's."""
    beside = Path(sys.executable).with_name("promtool")
    return str(beside) if beside.exists() else shutil.which("promtool")


def test_prometheus_own_tool_takes_rules_and_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without promtool this says so; the expressions have then been read by a parser only."""
    tool = promtool()
    if tool is None:
        with capsys.disabled():
            sys.stderr.write("\npromtool is absent: the rules were parsed, not checked\n")
        assert all(parsed(alert.expr) for alert in ALERTS)
        return
    for name, text in generated("https://console.example.com", token=True).items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "metrics-token").write_text("token", "utf-8")
    scenarios = (Path(__file__).parent / "alerts_test.yml").read_text("utf-8")
    (tmp_path / "scenarios.yml").write_text(
        scenarios.replace("RULES", str(tmp_path / "alerts.yml")), "utf-8"
    )
    for words in (
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "scenarios.yml"),
    ):
        done = subprocess.run(
            [tool, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_scrape_takes_what_promtool_says_of_real_metrics(db: Database) -> None:
    tool = promtool()
    text = MetricsExporter(db).render()
    assert b"agent_jobs_total" in text
    if tool is not None:
        done = subprocess.run(
            [tool, "check", "metrics"], input=text, capture_output=True, check=False
        )
        complaints = [
            line for line in done.stderr.decode().splitlines() if line.startswith("agent_")
        ]
        assert complaints == []


@pytest.mark.parametrize("name", ["agent-console.service", "agent-console-worker@.service"])
def test_units_drain_and_are_confined(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FILES / name)
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    drain = Settings.model_fields["drain_timeout"].default
    assert int(service["TimeoutStopSec"]) > drain + 30  # the server's own margin is 15 s
    assert service["User"] == "agent-console"
    assert service["NoNewPrivileges"] == "true"
    command = "worker" if "@" in name else "serve"
    assert service["ExecStart"].endswith(f"/agent-console {command}")


def test_systemd_takes_the_units_where_it_is_installed(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    here = Path(sys.executable)
    for file in sorted(FILES.glob("*.service")):
        text = file.read_text("utf-8").replace(
            "/opt/agent-console/.venv/bin/agent-console", str(here)
        )
        assert str(here) in text
        (tmp_path / file.name).write_text(text, "utf-8")
        if tool is not None:
            done = subprocess.run(
                [tool, "verify", str(tmp_path / file.name)],
                capture_output=True,
                text=True,
                check=False,
            )
            mine = [line for line in done.stderr.splitlines() if "agent-console" in line]
            assert mine == []


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (FILES / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_made_with_care() -> None:
    steps = instructions()
    base = next(rest for word, rest in steps if word == "FROM")
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", base)  # a version, never `latest`
    words = [word for word, _ in steps]
    users = [index for index, word in enumerate(words) if word == "USER"]
    assert users
    assert steps[users[-1]][1] == "10001:10001"
    assert all(rest.startswith("[") for word, rest in steps if word == "CMD")
    assert words.count("HEALTHCHECK") == 1
    assert "ADD" not in words
    for word, rest in steps:
        if word == "RUN" and "pip install" in rest:
            assert "--no-cache-dir" in rest
        if word == "COPY":
            *sources, _target = [part for part in rest.split() if not part.startswith("--")]
            assert all((ROOT / source).exists() for source in sources), sources
    assert not re.search(r"(?i)password|secret|token", "\n".join(rest for _, rest in steps))


def test_compose_keeps_secrets_out_and_ports_on_the_machine() -> None:
    document = yaml.safe_load((FILES / "compose.yaml").read_text("utf-8"))
    services = document["services"]
    assert services["console"]["ports"] == ["127.0.0.1:3000:3000"]
    assert "ports" not in services["database"]
    for name, service in services.items():
        image = service["image"]
        assert name in {"console", "worker"} or re.search(r":v?\d", image), image
        environment = service.get("environment", {})
        assert not [key for key in environment if key.endswith("PASSWORD")]
    assert services["worker"]["healthcheck"]["test"][1:] == ["agent-console", "health", "--worker"]
    context = (FILES / document["x-console"]["build"]["context"]).resolve()
    assert context == ROOT


def test_the_command_writes_the_kit_for_this_console(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://console.example.com")
    monkeypatch.setenv("AGENT_CONSOLE_METRICS_TOKEN", "a-token-of-the-test")
    folder = tmp_path / "kit"
    written = terminal.json("ops", "write", str(folder))
    assert set(written["files"]) == {path.name for path in folder.iterdir()}
    assert set(written["files"]) == {path.name for path in FILES.iterdir() if path.is_file()}
    (scrape,) = yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["console.example.com:443"]}]
    assert scrape["scheme"] == "https"
    assert scrape["authorization"] == {"credentials_file": "metrics-token"}
    assert not any("a-token-of-the-test" in p.read_text("utf-8") for p in folder.iterdir())
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    assert compose["x-console"]["build"]["context"] == str(ROOT)


def test_the_command_replaces_changed_files_only_when_told(
    terminal: Terminal, tmp_path: Path
) -> None:
    folder = tmp_path / "kit"
    terminal.done("ops", "write", str(folder))
    terminal.done("ops", "write", str(folder))  # the same again does no harm
    (folder / "alerts.yml").write_text("my own rules", "utf-8")
    assert "alerts.yml" in terminal.refused("ops", "write", str(folder))
    assert (folder / "alerts.yml").read_text("utf-8") == "my own rules"
    terminal.done("ops", "write", str(folder), "--force")
    assert (folder / "alerts.yml").read_text("utf-8") != "my own rules"


def test_the_steps_of_ci_can_be_run() -> None:
    for name in ("run", "browser", "promtool"):
        assert (ROOT / ".ci" / name).stat().st_mode & stat.S_IXUSR, name
