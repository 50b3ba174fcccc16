"""``serve``: migrations, pages, then the server, on one port."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import NoReturn

from agent_console.cli import frontend, supervisor
from agent_console.cli.output import fail, note
from agent_console.settings import Settings, load_settings

STOP_MARGIN = 15  # seconds the server gets beyond the drain before its worker is killed


def serve() -> None:
    """Start the console: migrations, pages, web server and (unless turned off) a worker."""
    began = time.monotonic()
    settings = load_settings()
    _refuse_taken_port(settings)
    _stay_here(settings)
    from agent_console.bootstrap import prepare

    prepare(settings)
    if not frontend.is_fresh(settings):
        note("Building the pages (about 20 seconds, once per version and address) …")
        frontend.build(settings)
        note(f"Pages built after {time.monotonic() - began:.0f} s.")
        _refuse_taken_port(settings)
    _run(settings)


def _refuse_taken_port(settings: Settings) -> None:
    """Say so now: the server itself would share the port with another instance of itself."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            fail(
                f"HOST={settings.host} PORT={settings.port} cannot be used: {error.strerror}. "
                "Stop what listens there, or set PORT to a free one."
            )


def _stay_here(settings: Settings) -> None:
    """Reflex works in the checkout; keep what was given relative to the caller's folder."""
    os.environ["AGENT_CONSOLE_DATA_DIR"] = str(settings.data_dir.resolve())
    os.environ["AGENT_CONSOLE_WORKSPACE"] = str(settings.workspace_root)
    os.environ["DATABASE_URL"] = settings.database
    if settings.keystore_key_file is not None:
        key_file = settings.keystore_key_file.expanduser().resolve()
        os.environ["AGENT_CONSOLE_KEYSTORE_KEY_FILE"] = str(key_file)
    if settings.agents is not None:
        os.environ["AGENT_CONSOLE_AGENTS"] = str(settings.agents.expanduser().resolve())
    if settings.handlers:
        os.environ["AGENT_CONSOLE_HANDLERS"] = ",".join(
            str(Path(name).resolve()) if name.endswith(".py") else name
            for name in settings.handlers
        )


def _run(settings: Settings) -> NoReturn:
    os.chdir(frontend.ROOT)
    os.environ.update(frontend.environment(settings))
    # Serve what was built; compiling again at each start would take 5 s and need Node.
    os.environ["__REFLEX_SKIP_COMPILE"] = "true"
    os.environ["__REFLEX_MOUNT_FRONTEND_COMPILED_APP"] = "true"

    supervisor.become(settings.host, settings.port, int(settings.drain_timeout) + STOP_MARGIN)
