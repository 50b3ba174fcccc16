"""``ops``: write the observability kit for this console."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, note, say
from agent_console.settings import load_settings

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Monitoring and deployment files.")


@app.callback()
def root() -> None:
    """Monitoring and deployment files."""


@app.command()
def write(
    folder: Annotated[Path, typer.Argument(help="Where to; made when it is missing.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write scrape config, dashboard, alert rules, units and container files for this console."""
    from agent_console.ops.kit import everything

    settings = load_settings()
    files = everything(settings.origin, token=settings.metrics_token is not None)
    differ = [name for name, text in files.items() if _differs(folder / name, text)]
    if differ and not force:
        fail(f"{folder} holds other files of these names: {', '.join(differ)}. Use --force.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror}")
    if as_json:
        document({"folder": str(folder), "files": sorted(files)})
        return
    for name in sorted(files):
        say(str(folder / name))
    if settings.metrics_token is not None:
        note(f"Put the value of AGENT_CONSOLE_METRICS_TOKEN into {folder / 'metrics-token'}.")


def _differs(path: Path, text: str) -> bool:
    return path.exists() and (not path.is_file() or path.read_text("utf-8", "replace") != text)
