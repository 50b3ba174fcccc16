"""Every setting, command, metric, route and error code is documented, and what is said exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_console.bootstrap import Console, build
from agent_console.domain.errors import ConsoleError
from agent_console.settings import Settings, load_settings, variable

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.fixture
def console() -> Iterator[Console]:
    made = build(load_settings())
    made.open()
    yield made
    made.stop()


@pytest.mark.parametrize("field", list(Settings.model_fields))
def test_a_setting_is_in_the_table_with_its_default(field: str) -> None:
    rows = re.findall(
        rf"^\| `{variable(field)}` \| (.+?) \| .+ \|$", read("docs/operations.md"), re.MULTILINE
    )
    assert len(rows) == 1
    default = Settings.model_fields[field].default
    if default not in (None, "", (), False):
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        if isinstance(default, tuple):
            shown = ",".join(default)
        assert rows[0].lower() == f"`{shown.lower()}`"


def test_no_setting_is_made_up() -> None:
    known = {variable(field) for field in Settings.model_fields}
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        said = set(re.findall(r"\bAGENT_CONSOLE_[A-Z_]+[A-Z]\b", path.read_text("utf-8")))
        assert said <= known, path.name


def commands(group: Any, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_command_is_in_the_table_and_the_other_way_round() -> None:
    import typer.main

    from agent_console.cli.app import app

    known = set(commands(typer.main.get_command(app)))
    table = set(
        re.findall(r"^\| `agent-console (.+?)` \|", read("docs/operations.md"), re.MULTILINE)
    )
    assert table == known


def test_every_metric_is_in_the_table_and_the_other_way_round(console: Console) -> None:
    text = console.metrics.render().decode()
    known = set(re.findall(r"^# HELP (agent_\w+)", text, re.MULTILINE))
    table = set(re.findall(r"^\| `(agent_\w+)` \|", read("docs/operations.md"), re.MULTILINE))
    assert table == known


def test_every_route_is_documented(console: Console) -> None:
    from agent_console.api.app import create_api

    described = create_api(console.services, console.settings, console.metrics.render).openapi()
    text = read("docs/rest.md") + read("docs/operations.md")
    missing = [
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
        if path not in text
    ]
    assert missing == []


def errors(kind: type[ConsoleError]) -> Iterator[type[ConsoleError]]:
    for each in kind.__subclasses__():
        yield each
        yield from errors(each)


def test_every_error_code_that_a_client_can_meet_is_documented() -> None:
    import agent_console.api.problems  # noqa: F401 - defines errors

    rooms = ("agent_console.domain", "agent_console.api")
    codes = {each.code for each in errors(ConsoleError) if each.__module__.startswith(rooms)}
    text = read("docs/rest.md")
    # These stop a start or a run; no request meets them.
    assert {code for code in codes if f"`{code}`" not in text} <= {
        "handlers_not_loaded",
        "http_refused",
        "lost_claim",
        "misconfigured",
    }


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        named = set(re.findall(r"`?make ([a-z]+)\b", "\n".join(spans(path.read_text("utf-8")))))
        assert named <= targets, path.name


def spans(text: str) -> list[str]:
    """Return what is set as code: blocks and words."""
    return re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)


def test_links_lead_somewhere() -> None:
    broken = [
        f"{path.name}: {target}"
        for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_the_handler_of_the_readme_is_accepted(tmp_path: Path) -> None:
    from agent_console.runtime.loading import load_handlers

    (example,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    ast.parse(example)
    module = tmp_path / "readme_handlers.py"
    module.write_text(example, "utf-8")
    registry = load_handlers([str(module)])
    assert registry.problems == []
    assert registry.describe("write-note") is not None


def test_requirements_hold_what_the_project_asks_for() -> None:
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads(read("pyproject.toml"))["project"]
    pins = {
        requirement.name.lower().replace("_", "-"): requirement.specifier
        for line in (read("requirements.txt") + read("requirements-dev.txt")).splitlines()
        if line and not line.startswith(("#", "-r"))
        for requirement in [Requirement(line)]
    }
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    for line in asked:
        wanted = Requirement(line)
        (pin,) = pins[wanted.name.lower()]
        assert pin.operator == "=="
        assert wanted.specifier.contains(pin.version), line
