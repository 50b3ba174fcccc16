"""Questions by command: shown with what they want, answered with JSON or a text."""

from __future__ import annotations

from agent_console.bootstrap import build
from agent_console.domain.access import SYSTEM
from agent_console.domain.jobs import NewJob
from agent_console.settings import load_settings
from tests.cli.conftest import Terminal


def asked(*questions: dict[str, object]) -> list[str]:
    """Run jobs up to their questions; return the checkpoints."""
    console = build(load_settings())
    console.start_worker()
    try:
        made = []
        for number, data in enumerate(questions):
            new = NewJob(job_type="question", input_data={"question": "Which?", **data})
            job = console.services.jobs.enqueue(SYSTEM, new).job
            waiting = number + 1
            assert console.await_until(
                lambda count=waiting: console.services.review.pending_count(SYSTEM) == count,
                timeout=20,
            )
            made.append(console.services.review.for_job(SYSTEM, job.id)[-1].id)
        return made
    finally:
        console.stop()


def test_questions_are_answered_by_command(on_each_database: Terminal) -> None:
    terminal = on_each_database
    choices = {"choices": ["green", "blue"], "default": "blue"}
    one, some = asked(
        {"kind": "one of the choices", **choices}, {"kind": "some of the choices", **choices}
    )
    card = terminal.done("checkpoints", "show", one)
    assert '"enum": ["green", "blue"]' in card
    assert 'default: "blue"' in card
    assert "asks for an answer" in terminal.refused("checkpoints", "approve", one)
    assert "pink" in terminal.refused("checkpoints", "answer", one, "pink")
    done = terminal.json("checkpoints", "answer", one, "green")["checkpoint"]
    assert (done["status"], done["response"]) == ("APPROVED", "green")
    assert 'given: "green"' in terminal.done("checkpoints", "show", one)
    assert "APPROVED" in terminal.done("checkpoints", "answer", some, '["green", "blue"]')
