"""The built pages: made once, kept while what they are made of stays the same.

Reflex compiles Python into a static site in ``.web/build`` (about 15 s). The address is part of
it, so port and public URL belong to the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from agent_console.cli.output import note
from agent_console.domain.errors import ConsoleError
from agent_console.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / ".web"
STAMP = WEB / "agent-console-build.json"
PAGES = WEB / "build" / "client" / "index.html"
BACKEND = WEB / "backend"
# Rooms whose code never reaches the browser.
_SERVER_ONLY = {
    *("api", "cli", "gateways", "handlers", "ops", "runtime", "store", "telemetry", "testing"),
}
COMMAND = (sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip")
_TAIL = 25  # lines of the build's output shown when it fails
# React Router gives each prerendered page 10 s, and offers no setting for it.
_TOO_SLOW = re.compile(
    r"Prerender: Request (timed out for|failed for \S+: The operation was aborted due to timeout)"
)


class BuildFailed(ConsoleError):
    """The pages could not be built."""

    code = "build_failed"


def fingerprint(settings: Settings) -> str:
    """Return the digest of everything the built pages depend on."""
    return _stamp(_sources_digest(settings))


def _stamp(sources: str) -> str:
    """Return ``sources`` with the lock of npm packages, which a first build may write."""
    digest = hashlib.sha256(sources.encode())
    for path in _files(ROOT / "reflex.lock"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources_digest(settings: Settings) -> str:
    digest = hashlib.sha256()
    facts = {
        "reflex": version("reflex"),
        "python": sys.version_info[:2],
        "origin": settings.origin,
        "port": settings.port,
    }
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_fresh(settings: Settings) -> bool:
    """Say whether the pages in ``.web`` are those of these sources and settings."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(
        stamp.get("fingerprint") == fingerprint(settings) and PAGES.exists() and BACKEND.is_dir()
    )


def build(settings: Settings) -> None:
    """Build the pages for ``settings``, one process at a time.

    Raises:
        BuildFailed: Reflex or Node failed; the message ends with their last lines.
    """
    WEB.mkdir(exist_ok=True)
    with _alone():
        if is_fresh(settings):
            return
        made_of = _sources_digest(settings)
        STAMP.unlink(missing_ok=True)
        log = settings.data_dir / "build.log"
        output = _export(settings, log)
        if output is not None and _TOO_SLOW.search(" ".join(output.split())):
            note("The machine was too busy to prerender a page within 10 s; building once more …")
            output = _export(settings, log)
        if output is not None:
            tail = "\n".join(output.splitlines()[-_TAIL:])
            raise BuildFailed(f"The pages could not be built (whole log: {log}):\n{tail}")
        STAMP.write_text(json.dumps({"fingerprint": _stamp(made_of)}), encoding="utf-8")


def _export(settings: Settings, log: Path) -> str | None:
    """Have Reflex build; return None, or what it printed (kept in ``log``) where it failed."""
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.call(  # noqa: S603 - words of our own
            COMMAND,
            cwd=ROOT,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if code == 0 and PAGES.exists():
        return None
    return log.read_text(encoding="utf-8", errors="replace")


def environment(settings: Settings) -> dict[str, str]:
    """Return the process environment in which Reflex builds and serves these settings."""
    beside = str(Path(sys.executable).parent)  # where Node was installed, activated or not
    return {
        **os.environ,
        "PATH": beside + os.pathsep + os.environ.get("PATH", ""),
        "PORT": str(settings.port),
        "REFLEX_USE_NPM": "1",
        "REFLEX_USE_GRANIAN": "true",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_ENV_MODE": "prod",
        "GRANIAN_WORKERS": "1",
    }


def _sources() -> Iterator[Path]:
    yield ROOT / "rxconfig.py"
    yield from _files(ROOT / "assets")
    for path in sorted((ROOT / "agent_console").rglob("*.py")):
        if path.relative_to(ROOT).parts[1] not in _SERVER_ONLY:
            yield path


def _files(folder: Path) -> list[Path]:
    # Reflex links its own files into assets/external while it compiles.
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != "external"
    )


@contextmanager
def _alone() -> Iterator[None]:
    import fcntl

    with (WEB / "agent-console-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":  # in an image, where the pages are built before they are served
    _settings = load_settings()
    _settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    build(_settings)
