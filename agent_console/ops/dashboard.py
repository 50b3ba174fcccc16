"""The Grafana dashboard, as the JSON that Grafana imports."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent_console.ops.panels import EXTRA, ROWS, Panel, panel_of
from agent_console.telemetry.metrics import catalogue

UID = "agent-console"
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH, _HEIGHT, _STAT_WIDTH, _STAT_HEIGHT = 12, 8, 6, 4  # of a grid that is 24 wide


def dashboard() -> str:
    """Return the dashboard: a row per subject, a panel for every metric of the console."""
    document = {
        "uid": UID,
        "title": "agent_console",
        "description": "Jobs, reviews, models and processes of agent_console.",
        "tags": ["agent-console"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_source_variable(), _job_variable()]},
        "panels": list(_panels()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def panels() -> list[Panel]:
    """Return every panel, big numbers first within their row."""
    drawn = [*(panel_of(family) for family in catalogue()), *EXTRA]
    return sorted(drawn, key=lambda panel: (ROWS.index(panel.row), not panel.stat))


def _panels() -> Iterator[dict[str, object]]:
    number, x, y, tallest = 0, 0, 0, 0
    row = ""
    for panel in panels():
        if panel.row != row:
            row, x, y, tallest = panel.row, 0, y + tallest, 0
            number += 1
            yield _row(number, row, y)
            y += 1
        width, height = (_STAT_WIDTH, _STAT_HEIGHT) if panel.stat else (_WIDTH, _HEIGHT)
        if x + width > 24 or (tallest and tallest != height):
            x, y, tallest = 0, y + tallest, 0
        number += 1
        yield _panel(number, panel, {"h": height, "w": width, "x": x, "y": y})
        x, tallest = x + width, height


def _row(number: int, title: str, y: int) -> dict[str, object]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"h": 1, "w": 24, "x": 0, "y": y},
        "panels": [],
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, object]:
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "range": True,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _source_variable() -> dict[str, object]:
    return {
        "name": "source",
        "label": "Source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
    }


def _job_variable() -> dict[str, object]:
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": "label_values(agent_jobs_by_status, job)", "refId": "job"},
        "definition": "label_values(agent_jobs_by_status, job)",
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }
