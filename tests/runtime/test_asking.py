"""A handler asks a person something and goes on with the typed answer, from the record."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, model_validator

from agent_console import (
    AsyncJobContext,
    Expired,
    Invalid,
    JobContext,
    NonRetryable,
    Rejected,
    handler,
)
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store.deadlines import expire_due
from agent_console.store.liveness import rescue
from agent_console.testing import Bench, FakeClock
from tests.runtime.asking_process import ask
from tests.runtime.desk import Desk

CHECKOUT = Path(__file__).parents[2]
ANSWER = CheckpointVerb.ANSWER
COLOURS = ("red", "green", "blue")


class Trip(BaseModel):
    """What a traveller says."""

    where: str = Field(alias="to")
    day: date
    nights: int = Field(1, ge=1)

    @model_validator(mode="after")
    def not_at_sea(self) -> Trip:
        if self.where == "sea":
            raise ValueError("nobody lives at sea")
        return self


def asking(question: str = "Which one?", **asked: Any) -> Any:
    """Return a handler that asks, and returns what it got with its Python type."""

    @handler("test", version="1")
    def work(ctx: JobContext) -> object:
        before = ctx.step("look", lambda: "looked")
        got: Any = ctx.ask(question, **asked)
        plain = got.model_dump(mode="json") if isinstance(got, BaseModel) else got
        return {"before": before, "got": plain, "type": type(got).__name__}

    return work


def answered(desk: Desk, response: Any, **asked: Any) -> Any:
    """Ask, answer and return what the handler made of it."""
    desk.add(asking(**asked))
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    desk.decide(job_id, ANSWER, response=response)
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED, job.error
    assert desk.steps(job_id)[1][1] == "ask"
    return job.output_data


@pytest.mark.parametrize(
    ("asked", "response", "got", "kind"),
    [
        ({"answer": bool}, False, False, "bool"),
        ({"answer": str}, "Ångström", "Ångström", "str"),
        ({"answer": int}, 7, 7, "int"),
        ({"choices": COLOURS}, "green", "green", "str"),
        ({"choices": COLOURS, "several": True}, ["blue", "red"], ["blue", "red"], "list"),
        (
            {"answer": Trip},
            {"to": "Oslo", "day": "2026-02-03"},
            {"where": "Oslo", "day": "2026-02-03", "nights": 1},
            "Trip",
        ),
    ],
)
def test_the_answer_comes_back_typed(
    desk: Desk, asked: dict[str, Any], response: Any, got: Any, kind: str
) -> None:
    assert answered(desk, response, **asked) == {"before": "looked", "got": got, "type": kind}


def test_question_schema_and_default_are_part_of_what_is_digested(desk: Desk) -> None:
    trip = Trip(to="Oslo", day=date(2026, 2, 3), nights=2)
    desk.add(asking("Where to?", answer=Trip, default=trip, data={"budget": 9}, action="trip"))
    job_id = desk.enqueue()
    desk.run()
    row = desk.open_checkpoint(job_id)
    payload = json.loads(row["payload"])
    assert payload["answer"]["question"] == row["message"] == "Where to?"
    assert payload["answer"]["default"] == {"to": "Oslo", "day": "2026-02-03", "nights": 2}
    assert payload["answer"]["default"] == json.loads(row["answer_default"])
    assert payload["answer"]["schema"] == json.loads(row["answer_schema"])
    assert list(json.loads(row["answer_schema"])["properties"]) == ["to", "day", "nights"]
    assert (payload["action"], payload["data"]) == ("trip", {"budget": 9})
    assert desk.steps(job_id)[1] == (1, "ask", "trip")


def test_an_approval_has_no_such_member(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("May I?")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    row = desk.open_checkpoint(job_id)
    assert (row["answer_schema"], row["answer_default"]) == (None, None)
    assert "answer" not in json.loads(row["payload"])


@pytest.mark.parametrize(
    "other",
    [
        {"question": "Which two?"},
        {"choices": ("red", "green")},
        {"default": "red"},
        {"data": {"more": 1}},
    ],
)
def test_who_answered_another_question_has_not_answered_this_one(
    desk: Desk, other: dict[str, Any]
) -> None:
    desk.add(asking(choices=COLOURS, action="colour"))
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, ANSWER, response="red")
    desk.add(asking(**{"choices": COLOURS, "action": "colour", **other}))
    desk.run()
    job = desk.job(job_id)
    assert job.status is JobStatus.PARKED
    assert "asks another question" in str(job.park_reason)
    desk.add(asking(choices=COLOURS, action="colour"))
    desk.control(job_id, JobVerb.RESUME)
    desk.run()
    assert desk.job(job_id).output_data == {"before": "looked", "got": "red", "type": "str"}


def test_a_later_run_is_told_the_same_and_nobody_is_asked_twice(desk: Desk) -> None:
    seen: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> object:
        seen.append(ctx.ask("Which?", choices=COLOURS))
        ctx.approve("Paint it?")
        return seen[-1]

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, ANSWER, response="blue")
    desk.run()
    desk.approve(job_id)
    desk.run()
    assert desk.job(job_id).output_data == "blue"
    assert seen == ["blue", "blue"]
    assert desk.actions(job_id).count("checkpoint.created") == 2


def test_an_answer_that_was_changed_in_the_database_goes_back_to_be_answered(desk: Desk) -> None:
    desk.add(asking(choices=COLOURS))
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, ANSWER, response="blue")
    sql = "UPDATE agent_checkpoints SET response = :other WHERE job_id = :id"
    desk.db.write(lambda tx: tx.execute(sql, {"other": '"red"', "id": job_id}))
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    row = desk.open_checkpoint(job_id)
    assert row["response"] is None
    assert "not what is stored any more" in row["feedback"]
    desk.decide(job_id, ANSWER, response="green")
    desk.run()
    assert desk.job(job_id).output_data == {"before": "looked", "got": "green", "type": "str"}


def test_no_answer_but_a_reason(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            return ctx.ask("Which?", choices=COLOURS)
        except Rejected as no:
            return f"none: {no.reason}"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.reject(job_id, "we do not paint")
    desk.run()
    assert desk.job(job_id).output_data == "none: we do not paint"


@pytest.mark.parametrize(("default", "got"), [("green", "green"), (None, "too late")])
def test_at_the_deadline_the_default_is_the_answer(
    desk: Desk, fake_clock: FakeClock, default: str | None, got: str
) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        try:
            hour = timedelta(hours=1)
            return ctx.ask("Which?", choices=COLOURS, default=default, expires_in=hour)
        except Expired:
            return "too late"

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    fake_clock.advance(timedelta(hours=2))
    assert expire_due(desk.db) == 1
    desk.run()
    assert desk.job(job_id).output_data == got


def test_what_only_the_model_can_refuse_may_be_asked_again(desk: Desk) -> None:
    @handler("test")
    def work(ctx: JobContext) -> str:
        while True:
            try:
                return ctx.ask("Where to?", answer=Trip).where
            except NonRetryable as refused:
                ctx.info(str(refused))

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, ANSWER, response={"to": "sea", "day": "2026-02-03"})
    desk.run()
    desk.decide(job_id, ANSWER, response={"to": "Oslo", "day": "2026-02-03"})
    desk.run()
    assert desk.job(job_id).output_data == "Oslo"
    assert [kind for _, kind, _ in desk.steps(job_id)] == ["ask", "info", "ask"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "answer"),
        ({"answer": bool, "choices": COLOURS}, "answer"),
        ({"answer": bool, "several": True}, "several"),
        ({"choices": ["one"]}, "choices"),
        ({"choices": ["a", "a"]}, "choices.1"),
        ({"choices": ["a", " "]}, "choices.1"),
        ({"choices": ["a", 1]}, "choices.1"),
        ({"choices": COLOURS, "default": "pink"}, "default"),
        ({"choices": COLOURS, "several": True, "default": []}, "default"),
        ({"answer": Trip, "default": {"to": "Oslo"}}, "default.day"),
        ({"answer": bool, "question": " "}, "question"),
        ({"answer": bool, "expires_in": timedelta(0)}, "expires_in"),
    ],
)
def test_what_is_no_question_is_refused(desk: Desk, asked: dict[str, Any], field: str) -> None:
    refused: list[Invalid] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        try:
            ctx.ask(**{"question": "Which?", **asked})
        except Invalid as error:
            refused.append(error)

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED
    assert refused[0].fields[0].field.startswith(field)


def test_an_async_handler_asks_as_well(desk: Desk) -> None:
    @handler("test")
    async def work(ctx: AsyncJobContext) -> object:
        return await ctx.ask("Which?", choices=COLOURS, several=True, default=["red"])

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    desk.decide(job_id, ANSWER, response=["green"])
    desk.run()
    assert desk.job(job_id).output_data == ["green"]


def test_no_strategy_answers_for_a_person(desk: Desk) -> None:
    desk.add(asking(choices=COLOURS, default="red"))
    job_id = desk.enqueue(approval_strategy="auto_approve_low_risk")
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING


@pytest.mark.parametrize(
    "label",
    [
        "suspend.before_commit",
        "suspend.committed",
        "decide.before_commit",
        "decide.committed",
        "resume.decision_read",
    ],
)
def test_killed_anywhere_between_question_and_answer_nothing_is_asked_twice(
    database_url: str, label: str
) -> None:
    with Bench(ask, url=database_url) as bench:
        job_id = bench.enqueue("ask", {}, max_attempts=9)
    command = [sys.executable, "-m", "tests.runtime.asking_process", database_url, job_id, label]
    died = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    later = Bench(ask, url=database_url)
    later.clock.advance(120)
    with later as bench:
        rescue(bench.db, 15.0, 10)
        bench.run()
        if bench.pending(job_id).message == "Which?":
            bench.answer(job_id, "green")
            bench.run()
        assert bench.pending(job_id).data == {"colour": "green"}
        bench.answer(job_id, True)
        bench.run()
        assert bench.job(job_id).output_data == ["green", True]
        assert [one.response for one in bench.checkpoints(job_id)] == ["green", True]
