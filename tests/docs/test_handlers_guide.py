"""The guide for writers of handlers does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent_console import JobContext
from agent_console.domain.records import ArtifactType
from agent_console.runtime.loading import load_handlers

CHECKOUT = Path(__file__).parents[2]
GUIDE = (CHECKOUT / "docs" / "handlers.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
FILES = {block.split("\n", 1)[0].removeprefix("# "): block for block in BLOCKS}
HANDLERS = {name: code for name, code in FILES.items() if not name.startswith("test_")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with all of the guide's files, as a reader would have it."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code)
    return tmp_path


def test_every_example_is_a_file_and_has_a_test() -> None:
    assert len(FILES) == len(BLOCKS) >= 6
    assert {f"test_{name}" for name in HANDLERS} == set(FILES) - set(HANDLERS)


@pytest.mark.slow
def test_the_guides_tests_pass(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    path = {"PYTHONPATH": f"{CHECKOUT}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=folder, env=path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "21 passed" in ran.stdout


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_the_setting_loads_the_file_as_the_guide_says(name: str, folder: Path) -> None:
    registry = load_handlers([str(folder / name)])
    assert registry.problems == []
    info = registry.describe(name.removesuffix(".py"))
    assert info is not None
    assert info.description
    for example in info.examples:
        assert registry.validate(info.job_type, example)


def test_the_examples_have_the_linters_form(folder: Path) -> None:
    config = ["--config", str(CHECKOUT / "pyproject.toml"), "--ignore", "D,INP,S101"]
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", *config, str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_every_call_of_the_context_is_in_the_table() -> None:
    public = {name for name in dir(JobContext) if not name.startswith("_")}
    told = set(re.findall(r"^\| `ctx\.([a-z_]+)", GUIDE, re.MULTILINE))
    assert told == public


def test_every_artifact_type_is_named() -> None:
    assert all(f"`{kind}`" in GUIDE for kind in ArtifactType)
