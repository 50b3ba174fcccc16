"""Calls of a handler that people answer: what waiting for them has in common, and ``ctx.ask``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel

from agent_console.domain.checkpoints import DEFAULT_EXPIRY, CheckpointStatus, CheckpointType
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.parking import Call
from agent_console.domain.payload import digest, loads
from agent_console.domain.questions import member
from agent_console.runtime import answers, entries
from agent_console.runtime.decisions import Asked, decided
from agent_console.runtime.errors import Diverged, Suspend
from agent_console.runtime.replay import Turn
from agent_console.runtime.run import Run
from agent_console.store.engine_values import DecisionRow, NewCheckpoint
from agent_console.store.runs import suspend, wait_again

T = TypeVar("T")

ASK = "ask"  # the kind of the recorded call
_NAME = 120  # characters of a question that name it in the list of steps


class AskOptions(TypedDict, total=False):
    """What may be said of any question.

    ``data`` is shown with it, ``action`` names it for review policies and in the list of steps,
    ``expires_in`` is the time there is for an answer, 24 hours by default; ``metadata`` is shown.
    """

    data: Json | BaseModel
    action: str
    expires_in: timedelta | None
    metadata: Mapping[str, Json] | None


class Asking:
    """A run's way to the people who decide; the base of ``JobContext``."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        """Ask for ``run``."""
        self._run = run

    @overload
    def ask(
        self,
        question: str,
        *,
        answer: type[T],
        default: T | None = None,
        **more: Unpack[AskOptions],
    ) -> T: ...

    @overload
    def ask(
        self,
        question: str,
        *,
        choices: Sequence[str],
        several: Literal[False] = False,
        default: str | None = None,
        **more: Unpack[AskOptions],
    ) -> str: ...

    @overload
    def ask(
        self,
        question: str,
        *,
        choices: Sequence[str],
        several: Literal[True],
        default: Sequence[str] | None = None,
        **more: Unpack[AskOptions],
    ) -> list[str]: ...

    def ask(
        self,
        question: str,
        *,
        answer: Any = None,
        choices: Sequence[str] = (),
        several: bool = False,
        default: Any = None,
        **more: Unpack[AskOptions],
    ) -> Any:
        """Ask a person and return the answer; the run ends until somebody gives it.

        ``answer`` is what is wanted: a pydantic model (a form is made of its schema), ``bool``,
        ``str`` or another type that pydantic knows; ``choices`` are texts to choose one from, with
        ``several`` one or more. ``default`` is chosen beforehand on the card, and is the answer
        when nobody gives one in time, unless the review policy says otherwise. ``more``: see
        ``AskOptions``. The answer is checked when it is given; no policy ever gives one but the
        default.

        Raises:
            Invalid: the question cannot be stored, or is none; ``expires_in`` is out of bounds.
            Rejected: a reviewer gave no answer, but a reason.
            Expired: nobody answered in time, and no default stands in.
            NonRetryable: validators of the model refuse an answer that fits its schema.
        """
        kind = answers.wanted(answer, choices, several=several)
        if not question.strip():
            raise Invalid.field("question", "is needed.")
        chosen = kind.plain(default)
        expires_in, action = more.get("expires_in"), more.get("action", "")
        entries.check_expiry(expires_in)
        asks = {"question": question, **member(loads(kind.schema), chosen and loads(chosen))}
        payload = entries.payload(action, entries.plain(more.get("data")), answer=asks)
        run, name = self._run, action or question[:_NAME]
        with run.turn(ASK, name, question) as turn:
            if turn.recorded is not None:
                run.recorder.compare(turn, lambda: {"message": question})
                row, asked = self._recorded(turn, Call(ASK, name, question), lambda _: payload)
                decided(row, proposed=None, asked=asked, edit=None)  # raises where it is none
                return kind.read(row.response or "null")
            new = entries.checkpoint(
                run,
                turn,
                CheckpointType.APPROVAL_REQUIRED,
                name=name,
                message=question,
                payload=payload,
                metadata=more.get("metadata"),
                expires_in=expires_in or DEFAULT_EXPIRY,
            )
            new = replace(
                new,
                step=replace(new.step, kind=ASK),
                insists=True,  # no policy knows an answer
                answer_schema=kind.schema,
                answer_default=chosen,
            )
            self._wait(turn, new)
            raise Suspend

    def _wait(self, turn: Turn, asked: NewCheckpoint) -> None:
        run = self._run
        run.outlast(run.notes.save_progress)
        lines = run.notes.take()
        made = run.persist(turn, lambda: suspend(run.surroundings.db, run.key, asked, lines))
        self._reached(made)

    def _recorded(
        self, turn: Turn, call: Call, payload: Callable[[DecisionRow], str]
    ) -> tuple[DecisionRow, Asked]:
        """Return what was said at a checkpoint of the record, or go on waiting for it.

        ``payload`` is the canonical text that the handler asks about now.
        """
        run = self._run
        row = run.recorder.decision(turn.position)
        crashpoint("resume.decision_read")
        if row is None:
            raise Diverged(
                f"The record has no checkpoint for call {turn.position + 1}.",
                position=turn.position,
                recorded=run.recorder.known(turn.position),
                asked=call,
            )
        self._reached(row.checkpoint_id)
        asked = Asked(call=call, digest=digest(payload(row)))
        run.recorder.compare(turn, lambda: {"digest": asked.digest})
        if row.status is CheckpointStatus.PENDING:
            lines, db = run.notes.take(), run.surroundings.db
            run.outlast(lambda: wait_again(db, run.key, run.claimed.job_type, lines))
            raise Suspend
        return row, asked

    def _reached(self, checkpoint_id: object) -> None:
        """Tell observers; None: the id was lost with the answer of the database."""
        if checkpoint_id is not None:
            self._run.surroundings.observers.reached(
                job_id=self._run.key.job_id, checkpoint_id=str(checkpoint_id)
            )
