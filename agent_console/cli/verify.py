"""``verify``: a line PASS or FAIL for each area this installation depends on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agent_console.cli import frontend
from agent_console.cli.output import JSON_OPTION, document, say, sentences
from agent_console.cli.session import quiet
from agent_console.domain.errors import ConsoleError, Misconfigured
from agent_console.settings import Settings, load_settings

MIN_NODE = (22, 22)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one area: what was found, or what is wrong."""

    area: str
    passed: bool
    detail: str


def verify(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Check every area; exits 1 when one fails."""
    findings = examine(quiet(load_settings()))
    if as_json:
        rows = [{"area": f.area, "passed": f.passed, "detail": f.detail} for f in findings]
        document({"passed": all(f.passed for f in findings), "areas": rows})
    else:
        for finding in findings:
            say(f"{'PASS' if finding.passed else 'FAIL'}  {finding.area}: {finding.detail}")
    if not all(f.passed for f in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Finding]:
    """Return a finding per area, in the order in which they depend on each other."""
    return [_look(area, check, settings) for area, check in CHECKS.items()]


def _look(area: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(area, passed=True, detail=check(settings))
    except ConsoleError as error:
        return Finding(area, passed=False, detail="; ".join(sentences(error)))
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(area, passed=False, detail=str(error))


def _settings(settings: Settings) -> str:
    return f"address {settings.origin}, worker {settings.worker}"


def _storage(settings: Settings) -> str:
    for folder in (settings.data_dir, settings.workspace_root):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    return f"{settings.data_dir.resolve()} and {settings.workspace_root} can be written"


def _secrets(settings: Settings) -> str:
    from agent_console.gateways.keystore import open_store

    if settings.keystore == "environment":
        return "in variables of the environment"
    count = len(open_store(settings).names())
    return f"{settings.keystore} can be opened, {count} stored"


def _database(settings: Settings) -> str:
    from agent_console.store import migrate

    found = migrate.survey(settings.database)
    return f"{found.dialect} {found.server} answers"


def _schema(settings: Settings) -> str:
    from agent_console.store import migrate

    found = migrate.survey(settings.database)
    missing = [name for name, there in found.tables.items() if not there]
    if found.current != found.head or missing:
        wrong = f"schema {found.current or 'none'}, needs {found.head}"
        listed = f", missing {', '.join(missing)}" if missing else ""
        raise Misconfigured(f"{wrong}{listed}. Run: agent-console db upgrade")
    return f"at {found.head}, {len(found.tables)} tables"


def _journal(settings: Settings) -> str:
    from agent_console.bootstrap import build
    from agent_console.cli.audit import words
    from agent_console.domain.verification import Verdict
    from agent_console.services.seal_keys import seal_keys
    from agent_console.services.verification import Verifier
    from agent_console.store import migrate

    if migrate.survey(settings.database).current != migrate.head():
        raise Misconfigured("not this version's schema. Run: agent-console db upgrade")
    console = build(settings)
    try:
        result = Verifier(console.db, seal_keys(settings)).verify()
    finally:
        console.db.close()
    if result.verdict is not Verdict.INTACT:
        raise Misconfigured(words(result))
    return words(result)


def _handlers(settings: Settings) -> str:
    from agent_console.bootstrap import load_registry

    registry = load_registry(settings)
    if registry.problems:
        raise registry.problems[0]
    return ", ".join(sorted(info.job_type for info in registry.handlers()))


def _pages(settings: Settings) -> str:
    if frontend.is_fresh(settings):
        return "built for these sources and this address"
    node = shutil.which("node", path=frontend.environment(settings)["PATH"])
    if node is None:
        raise Misconfigured("Node is missing, and the pages are not built. Run: make setup")
    answer = subprocess.run(  # noqa: S603 - found on our own path
        [node, "--version"], capture_output=True, text=True, check=True, timeout=10
    )
    version = tuple(int(part) for part in answer.stdout.strip().lstrip("v").split(".")[:2])
    if version < MIN_NODE:
        raise Misconfigured(f"Node {answer.stdout.strip()} is older than {MIN_NODE}: make setup")
    return f"not built yet; serve will, with Node {answer.stdout.strip()}"


def _engine(settings: Settings) -> str:
    """Run a job for real, in a folder of its own."""
    from agent_console.cli.demo import in_folder, run_simple_job

    with tempfile.TemporaryDirectory(prefix="agent-console-verify-") as folder:
        seconds = run_simple_job(in_folder(settings, Path(folder)))
    return f"enqueued, ran and recorded a job in {seconds:.2f} s"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "settings": _settings,
    "storage": _storage,
    "secrets": _secrets,
    "database": _database,
    "schema": _schema,
    "journal": _journal,
    "handlers": _handlers,
    "pages": _pages,
    "engine": _engine,
}
