"""The rooms keep to their doors, and a worker never loads the web side."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

WEB = ("reflex", "reflex_base", "fastapi", "starlette", "granian", "socketio")


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after ``statement``."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_the_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_loads_nothing_of_the_web() -> None:
    loaded = loaded_by(
        "import agent_console.cli.app, agent_console.cli.worker\n"
        "from agent_console.bootstrap import build\n"
        "from agent_console.settings import Settings\n"
        "build(Settings())"
    )
    assert loaded.isdisjoint(WEB)


def test_the_public_sdk_is_light() -> None:
    loaded = loaded_by("import agent_console")
    assert loaded.isdisjoint({*WEB, "sqlalchemy", "sqlmodel", "apscheduler", "pydantic"})


def test_importing_the_product_starts_no_thread_and_opens_no_database() -> None:
    script = (
        "import threading, agent_console.bootstrap as b\n"
        "from agent_console.settings import Settings\n"
        "console = b.build(Settings())\n"
        "print(threading.active_count(), console.settings.data_dir.exists())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "False"]
