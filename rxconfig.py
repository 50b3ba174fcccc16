"""Reflex's configuration, derived from the console's own settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

for _name, _value in {
    "REFLEX_USE_NPM": "1",
    "REFLEX_USE_GRANIAN": "true",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "GRANIAN_WORKERS": "1",  # one change feed, one scheduler and one worker per process
}.items():
    os.environ.setdefault(_name, _value)
_BIN = str(Path(sys.executable).parent)  # Node lies beside Python, activated or not
if _BIN not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _BIN + os.pathsep + os.environ.get("PATH", "")

import reflex as rx  # noqa: E402

from agent_console.domain.errors import Misconfigured  # noqa: E402
from agent_console.settings import load_settings  # noqa: E402
from agent_console.ui import theme  # noqa: E402

try:
    _settings = load_settings()
except Misconfigured as error:
    raise SystemExit(f"agent_console cannot start.\n{error.message}") from None

_LOOPBACK = [f"http://{host}:{_settings.port}" for host in ("localhost", "127.0.0.1", "[::1]")]

config = rx.Config(
    app_name="agent_console",
    frontend_port=_settings.port,
    backend_port=_settings.port,
    backend_host=_settings.host,
    api_url=_settings.origin,
    deploy_url=_settings.origin,
    cors_allowed_origins=[_settings.origin]
    if _settings.public_url
    else list(dict.fromkeys([_settings.origin, *_LOOPBACK])),
    trusted_proxy_hops=_settings.trusted_proxy_hops,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    react_strict_mode=False,
    default_color_mode="system",
    plugins=[rx.plugins.RadixThemesPlugin(theme=theme.root())],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
