"""What a handler is given: its input, and recorded calls that survive crashes and reviews."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel

from agent_console.domain.automatic import insists
from agent_console.domain.checkpoints import DEFAULT_EXPIRY, CheckpointType
from agent_console.domain.jobs import Json, NewJob, Progress
from agent_console.domain.parking import Call
from agent_console.domain.payload import canonical, check_json, digest, loads
from agent_console.domain.records import ArtifactType, LogLevel
from agent_console.domain.risk import Finding, Proposal, gravest
from agent_console.domain.uniqueness import Unique
from agent_console.domain.usage import MAX_MODEL, Usage
from agent_console.gateways.http import HttpGateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime import children, entries, envelope, policy, waiting
from agent_console.runtime.asking import Asking
from agent_console.runtime.decisions import Decision, by_policy, decided
from agent_console.runtime.entries import Change, JobFacts
from agent_console.runtime.errors import Diverged, Suspend
from agent_console.runtime.failures import raise_again
from agent_console.runtime.ledger import RAISE, BudgetRaise, Ledger
from agent_console.runtime.library import ContextLibrary
from agent_console.runtime.replay import FAILED, Turn
from agent_console.runtime.run import Run
from agent_console.runtime.spending import account
from agent_console.runtime.stepping import perform
from agent_console.runtime.waiting import Callback, Duration
from agent_console.store.engine_values import DecisionRow, NewArtifact, NewCheckpoint
from agent_console.store.policy_approvals import PutUp, put_up
from agent_console.store.runs import record_note, save_artifact

P = ParamSpec("P")
T = TypeVar("T")

MAX_ARTIFACT = 16 * 1_048_576  # bytes
_NOTE_NAME = 120  # characters of a note's message that name it in the list of steps


class JobContext(Asking):
    """The handler's side of a run.

    Recorded calls (``step``, ``approve``, ``ask``, ``info``, ``error``, ``artifact``, ``usage``,
    ``sleep``, ``callback``, ``wait_for``, ``enqueue``, and ``context`` at its first use) happen
    once per job: when the handler is run again, after a crash, a retry or a review, they return
    what the record holds.
    A handler must therefore make them in the same order for the same input and keep everything
    that varies (time, random numbers, the network) inside steps. Every call may
    end the run (canceled, taken over, suspended); clean up with ``finally``.
    """

    __slots__ = ("_job", "_ledger", "_library", "input")

    def __init__(self, run: Run, parsed_input: Any) -> None:
        """Wrap ``run``; made by the executor."""
        super().__init__(run)
        self._job: JobFacts | None = None
        self._library: ContextLibrary | None = None
        self._ledger: Ledger | None = None
        self.input: Any = parsed_input

    @property
    def job(self) -> JobFacts:
        """The job this run is of."""
        if self._job is None:
            self._job = entries.facts(self._run.claimed)
        return self._job

    @property
    def workspace(self) -> Workspace:
        """The files this job may touch: paths are relative to the sandbox's root."""
        return self._run.surroundings.workspace

    @property
    def http(self) -> HttpGateway:
        """The way to other hosts, to those that the settings allow; use it inside steps."""
        return self._run.surroundings.http

    @property
    def context(self) -> ContextLibrary:
        """The context documents of this job, pinned to their versions at the first use.

        That first use is a recorded call, so it belongs outside steps.

        Raises:
            Invalid: a document that the job names does not exist.
        """
        if self._library is None:
            run, db = self._run, self._run.surroundings.db
            ids = envelope.document_ids(self.job)
            pinned = self.step(envelope.STEP, run.outlast, lambda: envelope.pin(db, ids))
            try:
                self._library = run.outlast(lambda: envelope.open_library(db, pinned))
            except Diverged as difference:
                difference.position = run.recorder.position - 1  # of the step that pinned them
                difference.recorded = run.recorder.known(difference.position)
                run.end(difference)
        return self._library

    @property
    def canceled(self) -> bool:
        """Whether the run should stop: canceled, taken over, overtime, or its worker is leaving."""
        return self._run.ended is not None or self._run.interruption != ""

    @property
    def idempotency_key(self) -> str:
        """``job id:position`` of the step in progress, else of the next: the same in every run.

        Hand it to the other side of an effect, so that a repetition applies once.
        """
        return f"{self._run.key.job_id}:{self._run.recorder.position}"

    def step(self, name: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return ``fn(*args, **kwargs)``, which is called once per job; the result must be JSON.

        The result is what JSON makes of it (tuples become lists), in every run alike. An error of
        ``fn`` is raised; if the handler catches it and goes on, it is part of the record.

        Raises:
            Invalid: the result is no JSON.
        """
        with self._run.turn("step", name) as turn:
            if turn.recorded is not None:
                if turn.recorded.kind == FAILED:
                    raise_again(turn.recorded.result)
                return cast("T", turn.recorded.result)
            return cast("T", perform(self._run, turn, name, lambda: fn(*args, **kwargs)))

    def approve(
        self,
        message: str,
        *,
        data: Json | BaseModel = None,
        action: str = "",
        changes: Sequence[Change] = (),
        expires_in: timedelta | None = None,
        edit: type[BaseModel] | None = None,
        metadata: Mapping[str, Json] | None = None,
        findings: Sequence[Finding] = (),
        confidence: float | None = None,
        auto: bool | None = None,
        rounds: int | None = None,
    ) -> Decision:
        """Ask for approval of exactly this payload and wait; the run ends until somebody decides.

        ``changes`` are shown as diffs, ``edit`` is the model that a reviewer's edited data must
        fit (None: not editable), ``expires_in`` defaults to 24 hours. ``findings`` and what the
        standard assessors find, ``confidence`` (0 to 1) included, are shown with it. When none of
        them is graver than a review policy allows, or LOW with the job's strategy
        ``auto_approve_low_risk``, it goes on at once, approved by ``policy``; ``auto=False`` asks
        a person all the same. ``rounds`` (2 to 100) lets
        the reviewer ask for changes: ``approve`` what you made of them by a next call, which no
        policy decides.

        Raises:
            Invalid: something cannot be stored, or ``expires_in`` or ``rounds`` is out of bounds.
            ChangesRequested: a reviewer wants another round; its ``feedback`` says what to change.
            Rejected: a reviewer said no; its ``reason`` says why.
            Expired: nobody decided in time.
        """
        entries.check_expiry(expires_in)
        entries.check_rounds(rounds)
        proposed, shown = entries.plain(data), [change.to_json() for change in changes]
        run = self._run
        with run.turn("approve", action, message) as turn:
            if turn.recorded is not None:
                run.recorder.compare(turn, lambda: {"message": message})
                return self._decided(turn, action, message, proposed, shown=shown, edit=edit)
            entries.payload(action, proposed, shown)  # refuses what is no JSON, or too much
            risky = Proposal(action=action, data=proposed, changes=shown, confidence=confidence)
            found = policy.findings_on(risky, findings, run.surroundings.assessors)
            sent_back = rounds is not None and run.recorder.sent_back
            asked = entries.checkpoint(
                run,
                turn,
                CheckpointType.APPROVAL_REQUIRED,
                name=action,
                message=message,
                payload=entries.payload(action, proposed, shown, [f.to_json() for f in found]),
                metadata=metadata,
                expires_in=expires_in or DEFAULT_EXPIRY,
                edit=edit,
                rounds=rounds,
                risk=gravest(found),
                insists=insists(run.claimed.approval_strategy, auto=auto, sent_back=sent_back),
            )
            return self._put_up(turn, asked, proposed)

    def usage(
        self,
        model: str,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cost_usd: float | Decimal = 0,
    ) -> None:
        """Record what a call of a model used, once per job; call it after the step that made it.

        Beyond the job's budget (``budgetUsd`` and ``maxTokens`` in its task configuration) this
        asks for more, like ``approve``.

        Raises:
            Invalid: a figure is negative, or a limit of the task configuration no number above 0.
            Rejected: a reviewer granted no more.
            Expired: nobody decided in time.
        """
        ledger, name = self._books(), model[:MAX_MODEL]
        check_json(name, "model")
        account(self._run, ledger, name, Usage.of(input_tokens, output_tokens, cost_usd))
        while ledger.over:
            more = self.approve(
                ledger.question(),
                data=ledger.proposal(),
                action=RAISE,
                edit=BudgetRaise,
                auto=False,
            )
            ledger.extend(more.data)

    def info(self, message: str, data: Json | BaseModel = None) -> None:
        """Record a note for people; it does not block."""
        self._note(CheckpointType.INFO, message, data)

    def error(self, message: str, data: Json | BaseModel = None) -> None:
        """Record a problem for people; it neither blocks nor fails the job."""
        self._note(CheckpointType.ERROR, message, data)

    def artifact(
        self,
        name: str,
        content: str,
        type: str = ArtifactType.GENERIC_OUTPUT,  # noqa: A002 - the word of the wire
        media_type: str = "text/plain",
        metadata: Mapping[str, Json] | None = None,
    ) -> str:
        """Save an output that people look at, once per job, and return its id.

        Raises:
            Invalid: ``type`` is not an artifact type, or the content cannot be stored.
        """
        facts = dict(metadata or {})
        stored = {"content": content, "mediaType": media_type, "metadata": facts}
        check_json(stored, "artifact", limit=MAX_ARTIFACT)
        kind = entries.artifact_type(type)
        run = self._run
        with run.turn("artifact", name) as turn:
            if turn.recorded is not None:
                run.recorder.compare(
                    turn,
                    lambda: {
                        "artifactType": kind.value,
                        "mediaType": media_type,
                        "digest": digest(content),
                        "metadata": loads(canonical(facts)),
                    },
                )
                return str(turn.recorded.result)
            new = NewArtifact(
                step=entries.new_step(run, turn, "artifact", name),
                name=name,
                artifact_type=kind,
                media_type=media_type,
                content=content,
                digest=digest(content),
                metadata=canonical(facts),
            )
            return str(run.persist(turn, lambda: save_artifact(run.surroundings.db, run.key, new)))

    def sleep(self, duration: Duration) -> None:
        """Wait for ``duration`` (seconds or a ``timedelta``) without holding a slot; recorded.

        The run ends here, and the handler is called again from the top when the time has come.

        Raises:
            Invalid: the duration is below zero, or beyond ten years.
        """
        waiting.sleep(self._run, duration)

    def callback(self, name: str) -> Callback:
        """Make a place to which somebody outside may answer once; a recorded call.

        Hand out its ``url`` and a ``token()`` of it in a step, then ``wait_for`` the answer.
        """
        return waiting.open_callback(self._run, name)

    def wait_for(self, callback: Callback, timeout: Duration) -> dict[str, Json] | None:
        """Return the answer to ``callback``; None when ``timeout`` passes without one.

        Like ``sleep`` it holds no slot; the answer ends it at once. May be called again.

        Raises:
            Invalid: the timeout is below zero, or beyond ten years.
        """
        return waiting.wait_for(self._run, callback, timeout)

    def enqueue(
        self,
        job_type: str,
        input: Mapping[str, Json] | BaseModel | None = None,  # noqa: A002 - as in ``handler``
        *,
        description: str = "",
        priority: int | None = None,
        run_at: datetime | None = None,
        unique: Unique | None = None,
        metadata: Mapping[str, Json] | None = None,
    ) -> str:
        """Put another job into the queue, once, and return its id; a recorded call.

        It belongs to who asked for this job, in the same project and by default with the same
        priority. ``unique`` as in ``handler``, with a text as key.

        Raises:
            Invalid: a field is not acceptable.
            Conflict: another job has the unique key.
        """
        data = entries.plain(input if isinstance(input, BaseModel) else dict(input or {}))
        new = NewJob(
            job_type=job_type,
            input_data=cast("dict[str, Json]", data),
            task_description=description,
            priority=self.job.priority if priority is None else priority,
            run_at=run_at,
            project_id=self.job.project_id,
            metadata=dict(metadata or {}),
            unique=unique,
        )
        return children.enqueue(self._run, new)

    def log(self, message: str, level: str = "INFO", **data: object) -> None:
        """Add a line to the job's log; lines already written by an earlier run are not repeated."""
        self._run.check()
        if not self._run.recorder.replaying:
            run, job_id = self._run, self._run.key.job_id
            run.notes.log(message, LogLevel(level.upper()), data)
            run.surroundings.observers.logged(job_id=job_id, level=level, message=message)

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Say how far the work is, 0 to 1; may be called as often as convenient."""
        self._run.check()
        if fraction is not None:
            fraction = min(1.0, max(0.0, fraction)) if math.isfinite(fraction) else None
        self._run.notes.progress(Progress(fraction, message[:500]))

    def preview(self, text: str) -> None:
        """Show ``text`` as what is being written now, to those who watch; "" takes it away.

        May be called as often as convenient, inside steps too: the last word is shown every
        quarter of a second, the last 4 KiB of it. It is not recorded, not repeated when the
        record answers, and gone when the run ends.
        """
        self._run.check()
        if not self._run.recorder.replaying:
            self._run.preview.show(text)

    def _books(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self.job.task_configuration)
        return self._ledger

    def _put_up(self, turn: Turn, asked: NewCheckpoint, proposed: Json) -> Decision:
        """Return the approval of a policy where one gives it, else wait for a person."""
        run = self._run
        if asked.insists:
            self._wait(turn, asked)
            raise Suspend
        run.outlast(run.notes.save_progress)
        lines, db, strategy = run.notes.take(), run.surroundings.db, run.claimed.approval_strategy
        made = run.persist(turn, lambda: put_up(db, run.key, asked, strategy, lines))
        # The answer may have been lost: then this is what was recorded, the id of an approved one.
        checkpoint_id = made.id if isinstance(made, PutUp) else made
        approved = made.approved if isinstance(made, PutUp) else made is not None
        self._reached(checkpoint_id)
        if not approved:
            raise Suspend
        return by_policy(str(checkpoint_id), proposed)

    def _decided(
        self,
        turn: Turn,
        action: str,
        message: str,
        proposed: Json,
        *,
        shown: Sequence[Mapping[str, Json]],
        edit: type[BaseModel] | None,
    ) -> Decision:
        """Return what was decided at a checkpoint of the record, or go on waiting for it."""

        def payload(row: DecisionRow) -> str:
            found = policy.recorded_findings(row.payload)
            return entries.payload(action, proposed, shown, found)

        row, asked = self._recorded(turn, Call("approve", action, message), payload)
        return decided(row, proposed=proposed, asked=asked, edit=edit)

    def _note(self, kind: CheckpointType, message: str, data: Json | BaseModel) -> None:
        text = entries.payload("", entries.plain(data))
        run = self._run
        with run.turn(kind.value.lower(), message[:_NOTE_NAME]) as turn:
            if turn.recorded is None:
                note = entries.checkpoint(
                    run, turn, kind, name=message[:_NOTE_NAME], message=message, payload=text
                )
                made = run.persist(turn, lambda: record_note(run.surroundings.db, run.key, note))
                self._reached(made)
            else:
                run.recorder.compare(turn, lambda: {"message": message, "digest": digest(text)})
