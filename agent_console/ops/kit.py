"""The whole kit: every file by name, for the repository and for an operator's own folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from agent_console.ops.alerts import rules
from agent_console.ops.dashboard import dashboard

FILES = Path(__file__).resolve().parent / "files"
ROOT = FILES.parents[2]
TARGET = "localhost:3000"
# Made from the metrics; the other files of the folder are written by hand.
GENERATED = ("alerts.yml", "dashboard.json", "prometheus.yml")


def scrape(target: str = TARGET, *, scheme: str = "http", token: bool = False) -> str:
    """Return the Prometheus configuration that scrapes the console at ``target`` (host:port).

    ``token``: the console asks for one; it is read from a file beside the configuration.
    """
    job: dict[str, object] = {
        "job_name": "agent_console",
        "metrics_path": "/metrics",
        "scheme": scheme,
        "static_configs": [{"targets": [target]}],
    }
    if token:
        job["authorization"] = {"credentials_file": "metrics-token"}
    document = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [job],
    }
    return yaml.safe_dump(document, sort_keys=False)


def generated(origin: str = f"http://{TARGET}", *, token: bool = False) -> dict[str, str]:
    """Return the files that are made from the metrics; ``origin`` is the console's address."""
    parts = urlsplit(origin)
    scheme = parts.scheme or "http"
    port = parts.port or (443 if scheme == "https" else 80)
    return {
        "alerts.yml": rules(),
        "dashboard.json": dashboard(),
        "prometheus.yml": scrape(f"{parts.hostname}:{port}", scheme=scheme, token=token),
    }


def everything(origin: str, *, token: bool) -> dict[str, str]:
    """Return every file of the kit for the console at ``origin``, by name."""
    written = {
        # Elsewhere, the way back to the checkout is another one.
        path.name: path.read_text("utf-8").replace("context: ../../..", f"context: {ROOT}")
        for path in sorted(FILES.iterdir())
        if path.is_file() and path.name not in GENERATED
    }
    return written | generated(origin, token=token)
