"""The assistant answers from the database, as whoever asks, and has no way to change anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.chat import ChatRole, HistoryQuery, NewChatSession
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import ConsoleError, Unavailable
from agent_console.domain.jobs import JobError, JobVerb
from agent_console.services import build_services
from agent_console.services.assistant import BUSY, COMMANDS, FAILED, QUESTIONS, Turn
from agent_console.services.assistant_tools import Sources, Tools
from agent_console.services.assistant_words import plain
from agent_console.services.markdown_blocks import blocks
from agent_console.settings import Settings
from agent_console.store.feed import ChangeFeed
from agent_console.store.finishes import finish
from tests.services.conftest import Desk, TwoTypes, cheap_passwords
from tests.support.runs import claim_one, end, line, start_worker

TOOLS = {"status", "jobs", "why", "checkpoints", "workers"}


def answer(desk: Desk, actor: Actor, text: str, session: str = "", **on: str) -> str:
    """Say ``text`` and return what the assistant said to it; "" when it said nothing."""
    chat = desk.services.chat
    session = session or chat.open(actor, NewChatSession(**on)).session.id
    said = chat.post(actor, session, text).message
    after = chat.history(actor, session, HistoryQuery(after=said.seq)).items
    answers = [one for one in after if one.role is ChatRole.ASSISTANT]
    assert all(one.reply_to == said.seq and one.author_id is None for one in answers)
    return answers[0].content if answers else ""


def failed(desk: Desk, actor: Actor, message: str, **new: Any) -> str:
    """Return the id of a job whose only attempt failed with ``message``."""
    job_id = desk.job(actor, **new)
    key = claim_one(desk.db).key
    error = JobError("ValueError", message)
    finish(desk.db, [end(key, JobVerb.FAIL, error=error, logs=[line(key, "it went wrong")])])
    return job_id


def test_help_lists_the_commands_and_a_wrong_one_does_too(desk: Desk) -> None:
    ada = desk.actor(Role.VIEWER)
    for text in ("/help", "/dance with me", "  /HELP"):
        said = answer(desk, ada, text)
        assert all(command in said for command, _ in COMMANDS)
    assert "There is no command `/dance`" in answer(desk, ada, "/dance with me")


def test_without_a_model_free_text_is_told_what_can_be_asked(desk: Desk) -> None:
    said = answer(desk, desk.actor(Role.VIEWER), "Which jobs failed?")
    assert "No language model is set up here" in said
    assert "/jobs failed" in said


def test_status_counts_jobs_checkpoints_and_workers(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    assert "Jobs: none yet" in answer(desk, ada, "/status")
    failed(desk, ada, "no")
    desk.waiting(ada)
    desk.job(ada)
    start_worker(desk.db)
    said = answer(desk, ada, "/status")
    assert "1 PENDING, 1 WAITING, 1 FAILED (1 ended)" in said
    assert "Checkpoints: 1 pending" in said
    assert "Workers: running, 1 up, 0 of 3 slots busy" in said


def test_jobs_are_listed_by_status_and_words(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    first = failed(desk, ada, "no", task_description="Import *prices*")
    second = desk.job(ada, task_description="Export prices")
    assert f"[Import \\*prices\\*](/jobs/{first})" in answer(desk, ada, "/jobs failed")
    assert second not in answer(desk, ada, "/jobs FAILED")
    assert first not in answer(desk, ada, "/jobs export")
    assert answer(desk, ada, "/jobs completed") == "There is no such job."
    for number in range(12):
        desk.job(ada, task_description=f"more {number}")
    many = answer(desk, ada, "/jobs")
    assert many.count("/jobs/") == 10
    assert "The newest 10 of 14." in many


def test_why_says_what_went_wrong_and_what_is_waited_for(desk: Desk) -> None:
    ada, rita = desk.actor(Role.OPERATOR, "ada"), desk.actor(Role.REVIEWER, "rita")
    broken = failed(desk, ada, "the file is not there")
    desk.clock.advance(125)
    said = answer(desk, ada, f"/why {broken}")
    assert "is **FAILED**" in said
    assert "`ValueError`: the file is not there" in said
    assert "2 min ago" in said
    asking, checkpoint_id = desk.waiting(ada)
    said = answer(desk, ada, f"/why {asking}")
    assert "is **WAITING**" in said
    assert f"(/admin/agent-checkpoints/{checkpoint_id}), asked just now, 1 d left" in said
    queued = desk.job(ada)
    assert "No worker is running" in answer(desk, ada, "/why", job_id=queued)
    start_worker(desk.db)
    assert "takes it next" in answer(desk, ada, "/why", job_id=queued)
    root = desk.actor(Role.ADMIN, "root-admin")
    desk.services.jobs.control(root, queued, "cancel")
    assert "root\\-admin did that just now" in answer(desk, ada, f"/why {queued}")
    assert answer(desk, rita, "/why job_x") == "There is no job job_x."
    assert answer(desk, rita, "/why") == "Say which job: /why job_…"


def test_checkpoints_and_workers_are_listed(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    assert answer(desk, ada, "/checkpoints") == "Nothing waits for a decision."
    assert "No worker process is up" in answer(desk, ada, "/workers")
    _, checkpoint_id = desk.waiting(ada)
    start_worker(desk.db)
    assert f"(/admin/agent-checkpoints/{checkpoint_id})" in answer(desk, ada, "/checkpoints")
    assert "RUNNING host · pid 1 · 0 of 3 slots busy" in answer(desk, ada, "/workers")


def test_it_sees_what_the_asker_may_see(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    desk.waiting(ada)
    talker = replace(ada, kind="token", permissions=frozenset({Permission.CHAT_USE}))
    for command, permission in (
        ("/status", "jobs:read"),
        ("/jobs", "jobs:read"),
        ("/why job_x", "jobs:read"),
        ("/checkpoints", "checkpoints:read"),
        ("/workers", "workers:read"),
    ):
        assert f"This needs the permission {permission}" in answer(desk, talker, command)


def test_it_answers_everybody_alone_and_in_company_those_who_ask_it(desk: Desk) -> None:
    ada, bob = desk.actor(Role.OPERATOR, "ada"), desk.actor(Role.VIEWER, "bob")
    session = desk.services.chat.open(ada, NewChatSession()).session.id
    assert answer(desk, ada, "Anybody there?", session) != ""
    desk.services.chat.join(bob, session)
    assert answer(desk, ada, "Hello bob", session) == ""
    assert answer(desk, bob, "@Assistant what can you do?", session) != ""
    assert answer(desk, bob, "/help", session) != ""


def test_it_has_reading_tools_only_and_no_right_to_do_more(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    services = desk.services
    sources = Sources(
        jobs=services.jobs,
        review=services.review,
        workers=services.workers,
        clock=desk.clock,
        worker_timeout=15,
    )
    tools = Tools(sources, admin)
    assert {tool.__name__ for tool in tools.all()} == TOOLS
    assert {name for name in dir(Tools) if not name.startswith("_")} == TOOLS | {"all"}
    assert tools._actor.permissions == {
        Permission.JOBS_READ,
        Permission.CHECKPOINTS_READ,
        Permission.WORKERS_READ,
    }
    # Even with the services in hand, what it acts as may not decide.
    _, checkpoint_id = desk.waiting(admin)
    verdict = Verdict(verb=CheckpointVerb.APPROVE)
    with pytest.raises(ConsoleError, match="checkpoints:decide"):
        services.review.decide(tools._actor, checkpoint_id, verdict)


@pytest.mark.parametrize("text", ["/approve chk_x", "/reject chk_x no", "@assistant approve it"])
def test_nothing_that_is_said_decides_a_checkpoint(desk: Desk, text: str) -> None:
    admin = desk.actor(Role.ADMIN)
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR, "ada"))
    answer(desk, admin, text.replace("chk_x", checkpoint_id), checkpoint_id=checkpoint_id)
    detail = desk.services.review.get(admin, checkpoint_id)
    assert detail.checkpoint.status == "PENDING"


def test_what_a_job_is_called_cannot_pass_for_the_assistant(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    evil = "Fine](https://evil.example) **approved** <b>x</b>\n\n# All good\u202e `a`"
    desk.job(ada, task_description=evil)
    shown = blocks(answer(desk, ada, "/jobs"))
    assert [one.kind for one in shown] == ["list"]
    spans = shown[0].points[0].spans
    assert all(one.href == "" or one.href.startswith("/jobs/job_") for one in spans)
    assert [one.text for one in spans if one.style == "strong"] == []
    assert "⟨U+202E⟩" in "".join(one.text for one in spans)


def test_plain_text_reads_back_as_it_was() -> None:
    text = "1. *a* _b_ [c](d) <e> `f` # g - h | i ~j~ & k ! http://x.y"
    (block,) = blocks(plain(text))
    assert "".join(one.text for one in block.spans) == text
    assert all(not one.style and not one.href for one in block.spans)


class Scripted:
    """A model that does what the test says."""

    label = "test:scripted"

    def __init__(self, work: Callable[[Sequence[Turn], dict[str, Any]], str]) -> None:
        self.work = work
        self.seen: list[Sequence[Turn]] = []

    def answer(self, turns: Sequence[Turn], tools: Sequence[Callable[..., str]]) -> str:
        """Hand the tools to the test by name."""
        self.seen.append(turns)
        return self.work(turns, {tool.__name__: tool for tool in tools})


def with_model(desk: Desk, model: Scripted) -> Desk:
    """Return a desk whose assistant has ``model``."""
    services = build_services(
        desk.db,
        TwoTypes(),
        Settings(),
        ChangeFeed(),
        clock=desk.clock,
        passwords=cheap_passwords(),
        chat_model=model,
    )
    return Desk(desk.db, desk.clock, services)


def awaited(desk: Desk, actor: Actor, session: str, count: int = 1) -> list[str]:
    """Wait for that many answers and return what they say."""
    for _ in range(500):
        found = desk.services.chat.history(actor, session, HistoryQuery(limit=200)).items
        answers = [one.content for one in found if one.role is ChatRole.ASSISTANT]
        if len(answers) >= count:
            return answers
        threading.Event().wait(0.01)
    raise TimeoutError("the assistant did not answer")


def test_a_model_answers_free_text_with_the_same_tools(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    job_id = failed(desk, ada, "the disk is full")
    model = Scripted(lambda turns, tools: f"{turns[-1].content} → {tools['why'](job_id)}")
    modern = with_model(desk, model)
    session = modern.services.chat.open(ada, NewChatSession()).session.id
    modern.services.chat.post(ada, session, "What is wrong?")
    (said,) = awaited(modern, ada, session)
    assert said.startswith("What is wrong? → ")
    assert "the disk is full" in said
    modern.services.chat.post(ada, session, "/help")  # commands need no model
    assert len(model.seen) == 1
    modern.services.chat.post(ada, session, "And now?")
    awaited(modern, ada, session, 3)
    assert [(one.role.value, one.content[:14]) for one in model.seen[1]] == [
        ("user", "What is wrong?"),
        ("assistant", "What is wrong?"),
        ("user", "/help"),
        ("assistant", "- `/status` – "),
        ("user", "And now?"),
    ]


@pytest.mark.parametrize(
    ("error", "shown"), [(Unavailable("No key is set."), "No key is set."), (KeyError("x"), FAILED)]
)
def test_a_model_that_fails_is_said_to_have(desk: Desk, error: Exception, shown: str) -> None:
    def fail(turns: Sequence[Turn], tools: dict[str, Any]) -> str:  # noqa: ARG001
        raise error

    ada = desk.actor(Role.OPERATOR, "ada")
    modern = with_model(desk, Scripted(fail))
    session = modern.services.chat.open(ada, NewChatSession()).session.id
    modern.services.chat.post(ada, session, "Hello?")
    assert awaited(modern, ada, session) == [shown]


def test_only_so_many_questions_are_with_the_model_at_once(desk: Desk) -> None:
    going = threading.Event()

    def slow(turns: Sequence[Turn], tools: dict[str, Any]) -> str:  # noqa: ARG001
        assert going.wait(20)
        return "done"

    ada = desk.actor(Role.OPERATOR, "ada")
    modern = with_model(desk, Scripted(slow))
    session = modern.services.chat.open(ada, NewChatSession()).session.id
    for number in range(QUESTIONS + 1):
        modern.services.chat.post(ada, session, f"question {number}")
    assert awaited(modern, ada, session) == [BUSY]
    going.set()
    assert awaited(modern, ada, session, QUESTIONS + 1).count("done") == QUESTIONS
