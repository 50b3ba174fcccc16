"""The chat's assistant with a model that a real server speaks for: it looks up, then answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent_console.agents.assistant import INSTRUCTIONS, AssistantModel
from agent_console.agents.models import Models
from agent_console.domain.access import Role
from agent_console.domain.chat import ChatRole
from agent_console.domain.errors import Invalid
from agent_console.services.assistant import Turn
from agent_console.services.assistant_tools import Sources, Tools
from tests.services.conftest import Desk, desk, make_desk

__all__ = ["desk", "make_desk"]  # fixtures

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

SERVER = Path(__file__).with_name("model_server.py")
TURNS = [
    Turn(ChatRole.USER, "Ada", "Hello"),
    Turn(ChatRole.SYSTEM, "", "Bob joined."),
    Turn(ChatRole.USER, "Ada", "What is the matter with it?"),
]


@dataclass
class Talking:
    """The model, and what its server was asked."""

    model: AssistantModel
    log: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Return the bodies that came, in order."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[Callable[[Sequence[dict[str, Any]]], Talking]]:
    """Run servers that give the answers asked for."""
    running: list[subprocess.Popen[str]] = []

    def start(script: Sequence[dict[str, Any]]) -> Talking:
        answers, log = tmp_path / "answers.json", tmp_path / "log"
        answers.write_text(json.dumps(script), "utf-8")
        log.touch()
        command = [sys.executable, str(SERVER), str(answers), str(log)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(server)
        assert server.stdout is not None
        base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        choice = Models("openai:recorded", base_url).choose("")
        assert choice is not None
        return Talking(AssistantModel(choice), log)

    yield start
    for server in running:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()


def tools(desk: Desk) -> Tools:
    """Return the tools of an administrator's question."""
    services = desk.services
    sources = Sources(
        jobs=services.jobs,
        review=services.review,
        workers=services.workers,
        clock=desk.clock,
        worker_timeout=15,
    )
    return Tools(sources, desk.actor(Role.ADMIN))


def test_it_is_offered_reading_tools_and_answers_from_what_they_say(
    desk: Desk, talking: Callable[..., Talking]
) -> None:
    job_id, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR, "ada"))
    calls = [
        {"tool": "why", "arguments": {"job_id": job_id}},
        {"tool": "why", "arguments": {"job_id": "job_none"}},
        {"tool": "jobs", "arguments": {"status": "DANCING"}},
        {"text": "It waits for a **decision**."},
    ]
    asked = talking(calls)
    assert asked.model.answer(TURNS, tools(desk).all()) == "It waits for a **decision**."
    first, last = asked.requests[0], asked.requests[-1]
    offered = {one["function"]["name"]: one["function"] for one in first["tools"]}
    assert set(offered) == {"status", "jobs", "why", "checkpoints", "workers"}
    assert offered["why"]["parameters"]["required"] == ["job_id"]
    assert "job_01a1" in offered["why"]["parameters"]["properties"]["job_id"]["description"]
    assert first["messages"][0]["content"] == INSTRUCTIONS
    prompt = first["messages"][1]["content"]
    assert "Ada: Hello\n\nConsole: Bob joined." in prompt
    assert prompt.endswith("The message to answer, from Ada:\n\nWhat is the matter with it?")
    told = [one["content"] for one in last["messages"] if one["role"] == "tool"]
    assert f"/admin/agent-checkpoints/{checkpoint_id}" in told[0]
    assert told[1] == "There is no job job_none."
    assert "status: unknown value" in told[2]


def test_a_model_that_wants_to_decide_finds_no_tool_for_it(
    desk: Desk, talking: Callable[..., Talking]
) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR, "ada"))
    wanted = {"tool": "approve", "arguments": {"checkpoint_id": checkpoint_id}}
    asked = talking([wanted])
    with pytest.raises(Invalid, match="gave no usable answer"):
        asked.model.answer(TURNS, tools(desk).all())
    detail = desk.services.review.get(desk.actor(Role.ADMIN, "root"), checkpoint_id)
    assert detail.checkpoint.status == "PENDING"
    assert len(asked.requests) <= 8


def test_what_stands_in_the_way_is_said(desk: Desk, talking: Callable[..., Talking]) -> None:
    known = tools(desk).all()
    with pytest.raises(Invalid, match=r"openai:recorded gave no usable answer: .*400"):
        talking([{"status": 400}]).model.answer(TURNS, known)
    choice = Models("anthropic:any").choose("")
    assert choice is not None
    with pytest.raises(Invalid, match="There is no key for anthropic:any: set ANTHROPIC_API_KEY"):
        AssistantModel(choice).answer(TURNS, known)
