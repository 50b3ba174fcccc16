"""Declaring handlers, knowing them, and finding them in other people's modules."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from agent_console import JobContext, RetryPolicy, handler
from agent_console.domain.errors import HandlersNotLoaded, Invalid, Misconfigured
from agent_console.runtime.loading import load_handlers
from agent_console.runtime.registry import Registry, spec_of


class File(BaseModel):
    """A part of the input below."""

    path: str = Field(min_length=1)


class Task(BaseModel):
    """An input with an alias, a default and a nested list."""

    model_config = ConfigDict(extra="forbid")

    user_id: str = Field(alias="userId")
    files: list[File] = []
    retries: int = 2


@handler(
    "copy-files",
    input=Task,
    version="7",
    retry=RetryPolicy(max_attempts=4),
    examples=[{"userId": "u1"}],
    timeout=timedelta(minutes=2),
)
def copy(_ctx: JobContext) -> None:
    """Copy files.

    Slowly.
    """


def test_a_handler_tells_what_it_is() -> None:
    info = Registry([copy]).describe("copy-files")
    assert info is not None
    assert (info.title, info.description, info.version) == ("Copy files", "Copy files.", "7")
    assert info.max_attempts == 4
    assert "userId" in str(info.input_schema["properties"])
    spec = spec_of(copy)
    assert spec is not None
    assert spec.timeout == 120.0


def test_without_a_version_the_source_tells() -> None:
    @handler("a")
    def one(_ctx: JobContext) -> int:
        return 1

    @handler("a")
    def two(_ctx: JobContext) -> int:
        return 2

    versions = {spec.version for spec in (spec_of(one), spec_of(two)) if spec is not None}
    assert len(versions) == 2
    assert all(version.startswith("src-") for version in versions)


def test_validation_binds_defaults_and_keeps_the_names_of_the_wire() -> None:
    bound = Registry([copy]).validate("copy-files", {"userId": "u1"})
    assert bound == {"userId": "u1", "files": [], "retries": 2}


def test_refused_fields_are_named_by_their_path() -> None:
    with pytest.raises(Invalid) as refused:
        Registry([copy]).validate("copy-files", {"files": [{"path": ""}], "odd": 1})
    assert {error.field for error in refused.value.fields} == {
        "inputData.userId",
        "inputData.files.0.path",
        "inputData.odd",
    }


def test_an_unknown_type_is_refused_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="copy-files"):
        Registry([copy]).validate("cpoy-files", {})


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, "ümlaut", "a/b"])
def test_unusable_type_names_are_refused(name: str) -> None:
    with pytest.raises(Misconfigured):
        handler(name)(lambda _ctx: None)


def test_an_example_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"inputData\.userId"):
        handler("x", input=Task, examples=[{}])(lambda _ctx: None)


def test_a_type_declared_twice_is_an_error_that_names_both() -> None:
    @handler("copy-files")
    def other(_ctx: JobContext) -> None:
        """Copy in another way."""

    registry = Registry([copy, copy])
    with pytest.raises(HandlersNotLoaded, match=r"twice.*copy.*other"):
        registry.add(other)
    with pytest.raises(HandlersNotLoaded, match="not declared"):
        registry.add(print)


GOOD = """
from agent_console import handler, JobContext
from neighbour import NAME

@handler(NAME)
def work(ctx: JobContext) -> str:
    return "worked"
"""


def test_modules_are_loaded_from_files_and_broken_ones_reported(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("NAME = 'from-a-file'\n")
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("import os\nos.no_such_thing\n")
    (tmp_path / "wrong.py").write_text("def (:\n")
    (tmp_path / "rude.py").write_text("raise SystemExit(1)\n")
    names = ["good.py", "broken.py", "wrong.py", "rude.py", "missing.py"]
    registry = load_handlers(
        [*(str(tmp_path / name) for name in names), "no_such_module_at_all"],
        built_in="agent_console.runtime.errors",
    )
    assert registry.describe("from-a-file") is not None
    problems = [problem.message for problem in registry.problems]
    assert len(problems) == 5
    assert "AttributeError" in problems[0]
    assert "broken.py, line 2" in problems[0]
    assert "SyntaxError" in problems[1]
    assert "wrong.py, line 1" in problems[1]
    assert "SystemExit" in problems[2]
    assert "there is no such file" in problems[3]
    assert "ModuleNotFoundError" in problems[4]


def test_the_built_in_handlers_load() -> None:
    registry = load_handlers()
    assert registry.problems == []
    types = {info.job_type for info in registry.handlers()}
    assert {"simple-task", "code-generation", "data-processing"} <= types


def test_importing_the_sdk_loads_neither_pages_nor_database() -> None:
    code = (
        "import sys, agent_console\n"
        "heavy = {'reflex', 'sqlalchemy', 'agent_console.runtime'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "for name in agent_console.__all__: getattr(agent_console, name)\n"
        "assert 'reflex' not in sys.modules\n"
        "try:\n"
        "    agent_console.no_such_name\n"
        "except AttributeError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert "no_such_name" in done.stdout
