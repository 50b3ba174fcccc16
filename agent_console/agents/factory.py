"""Makes handlers out of agents' definitions: those that come with the console and a folder's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path

from pydantic import BaseModel

from agent_console import JobContext, Json, RetryPolicy, handler
from agent_console.agents.definition import Definition, Kind, read_definition, read_file
from agent_console.agents.kinds import run_content, run_reporting, run_research
from agent_console.agents.models import ModelChoice, Models
from agent_console.agents.tasks import ContentTask, ReportingTask, ResearchTask

SHIPPED = "agent_console.agents.definitions"

Handler = Callable[[JobContext], dict[str, Json]]
_Work = Callable[[JobContext, Definition, ModelChoice | None], dict[str, Json]]
_WORK: dict[Kind, tuple[type[BaseModel], _Work]] = {
    Kind.RESEARCH: (ResearchTask, run_research),
    Kind.CONTENT: (ContentTask, run_content),
    Kind.REPORTING: (ReportingTask, run_reporting),
}


def agents(
    folder: Path | None = None, models: Models | None = None
) -> Iterator[tuple[str, Callable[[], Handler]]]:
    """Yield the origin of every agent with a function that makes its handler.

    A definition that cannot be used raises when it is made, so that the others still load.
    """
    known = models or Models()
    for file in sorted(resources.files(SHIPPED).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            yield file.name, partial(_shipped, file.read_text("utf-8"), file.name, known)
    if folder is not None:
        for path in sorted(folder.expanduser().glob("*.y*ml")):
            yield str(path), partial(_own, path, known)


def make(definition: Definition, models: Models) -> Handler:
    """Return the handler of an agent; its job type is the agent's name.

    Raises:
        Invalid: it names a model that there cannot be.
        Misconfigured: an example does not fit the task of the agent's kind.
    """
    task, work = _WORK[definition.kind]
    model = models.choose(definition.model)

    def run(ctx: JobContext) -> dict[str, Json]:
        return work(ctx, definition, model)

    run.__qualname__ = f"agent {definition.name}"
    declare = handler(
        definition.name,
        input=task,
        version=definition.code_version,
        title=definition.title,
        description=definition.description,
        retry=RetryPolicy(max_attempts=4),
        examples=definition.examples,
        agent=True,
    )
    return declare(run)


def _shipped(text: str, origin: str, models: Models) -> Handler:
    return make(read_definition(text, origin), models)


def _own(path: Path, models: Models) -> Handler:
    return make(read_file(path), models)
