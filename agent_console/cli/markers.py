"""``markers``: the gate that keeps unfinished work out of a source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, cast

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, note, say
from agent_console.domain.errors import Misconfigured
from agent_console.domain.risk_rules import unfinished
from agent_console.domain.visible import reveal

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Markers of unfinished work.")

SHOWN = 120  # characters of a line
_BINARY = 8192  # bytes that are searched for a NUL
_SKIPPED = frozenset({"__pycache__", "node_modules", "venv"})
_ADVICE = (
    "Finish the work or remove the marker. Files that have to hold such words are named in"
    " pyproject.toml: [tool.agent-console.markers] exclude."
)


@dataclass(frozen=True, slots=True)
class Marker:
    """One line that says that work is left."""

    path: str
    line: int
    message: str
    text: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What ``pyproject.toml`` says: where to look, what to leave out, whether to only warn."""

    paths: Sequence[str] = field(default=(".",))
    exclude: Sequence[str] = ()
    warn_only: bool = False


@app.callback()
def root() -> None:
    """Markers of unfinished work."""


@app.command()
def check(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files and folders; default: as configured, or all.")
    ] = None,
    *,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="A pattern of paths to leave out.")
    ] = None,
    warn_only: Annotated[
        bool, typer.Option("--warn-only", help="Tell, and exit 0 all the same.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Name every line that says that work is left; exits 1 when there is one."""
    rules = read_rules(Path("pyproject.toml"))
    found = list(scan(paths or rules.paths, [*rules.exclude, *(exclude or ())]))
    only_warn = warn_only or rules.warn_only
    if as_json:
        rows = [
            {"path": m.path, "line": m.line, "message": m.message, "text": m.text} for m in found
        ]
        document({"passed": not found or only_warn, "markers": rows})
    else:
        _tell(found, only_warn=only_warn)
    if found and not only_warn:
        raise typer.Exit(1)


def _tell(found: Sequence[Marker], *, only_warn: bool) -> None:
    for marker in found:
        say(f"{marker.path}:{marker.line}: {marker.message}")
        say(f"    {marker.text}")
    if not found:
        say("PASS  no marker of unfinished work")
        return
    word = "WARNING" if only_warn else "FAIL"
    files = len({marker.path for marker in found})
    note(f"{word}  unfinished work: {len(found)} line(s) in {files} file(s). {_ADVICE}")


def read_rules(project: Path) -> Rules:
    """Return what ``[tool.agent-console.markers]`` of ``project`` says; nothing: the defaults.

    Raises:
        Misconfigured: the file is no TOML, or a value is of the wrong kind.
    """
    if not project.is_file():
        return Rules()
    try:
        tables = tomllib.loads(project.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{project} cannot be read: {error}") from error
    table = tables.get("tool", {}).get("agent-console", {}).get("markers", {})
    warn_only = table.get("warn-only", False)
    if not isinstance(warn_only, bool):
        raise Misconfigured(f"{project}: [tool.agent-console.markers] warn-only is true or false")
    return Rules(
        paths=_texts(project, table, "paths") or (".",),
        exclude=_texts(project, table, "exclude"),
        warn_only=warn_only,
    )


def _texts(project: Path, table: dict[str, object], name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(
        isinstance(v, str) for v in cast("list[object]", value)
    ):
        raise Misconfigured(f"{project}: [tool.agent-console.markers] {name} is a list of texts")
    return tuple(cast("list[str]", value))


def scan(paths: Iterable[str], exclude: Sequence[str]) -> Iterator[Marker]:
    """Yield every line of the text files under ``paths`` that says that work is left.

    Inside a Git work tree the files are those Git tracks or would, else all but hidden ones.

    Raises:
        Misconfigured: a path does not exist.
    """
    seen: set[str] = set()
    for path in paths:
        start = Path(path)
        if not start.exists():
            raise Misconfigured(f"{path} does not exist.")
        for file in sorted(_files(start)):
            name = os.path.normpath(file).replace(os.sep, "/")
            if name not in seen and not any(fnmatch(name, pattern) for pattern in exclude):
                seen.add(name)
                yield from _lines(name, file)


def _lines(name: str, file: Path) -> Iterator[Marker]:
    content = file.read_bytes()
    if b"\0" in content[:_BINARY]:
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if said := unfinished(line, code=True):
            yield Marker(name, number, said, reveal(line.strip()[:SHOWN]).text)


def _files(start: Path) -> Iterator[Path]:
    if start.is_file():
        yield start
        return
    listed = _tracked(start)
    if listed is not None:
        yield from (path for path in listed if path.is_file() and not path.is_symlink())
        return
    for folder, folders, names in os.walk(start):
        folders[:] = [f for f in folders if f not in _SKIPPED and not f.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                yield path


def _tracked(start: Path) -> list[Path] | None:
    """Return what Git tracks under ``start`` or would, or None when it is no work tree of Git."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 - found on the path; the folder is an argument, no shell
        [git, "-C", str(start), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return None
    return [start / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
