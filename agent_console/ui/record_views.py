"""What the job page shows of a job's record: steps, why it is parked, forks. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.domain.forks import Cut, ForkLine, ForkPlan, RecordedDecision, RecordedStep
from agent_console.domain.jobs import Job, JobStatus
from agent_console.domain.parking import Call, ParkCode, divergence_of
from agent_console.domain.records import RetryFacts, Step
from agent_console.services.jobs import JobDetail
from agent_console.ui.views import iso, shown

_KINDS = {
    "step": "Step",
    "failed": "Failed step, survived",
    "approve": "Approval",
    "ask": "Question",
    "info": "Note",
    "error": "Error note",
    "artifact": "Artifact",
    "usage": "Model used",
    "sleep": "Sleep",
    "callback": "Callback",
    "wait": "Wait",
}
_RETRYABLE = frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.PARKED})
_ADVICE = {
    ParkCode.NO_HANDLER: "It goes back to the queue by itself as soon as a worker that knows the "
    "type is there: load the module that declares it with AGENT_CONSOLE_HANDLERS.",
    ParkCode.POISON: "Look at what its runs do to their workers before you retry it.",
    ParkCode.ENGINE: "Once the cause is mended, resume or retry it.",
    ParkCode.OUTCOME: "What the run did is recorded; once the cause is mended, resume it.",
    ParkCode.DIVERGED: "Nothing is guessed: choose how it goes on.",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """A recorded call; ``number`` counts from 1, as people do."""

    key: str
    position: int
    number: str
    kind: str
    name: str
    label: str
    at: str
    since: str
    copied: bool


@dataclass(frozen=True, slots=True)
class ForkRow:
    """A fork of the job."""

    id: str
    href: str
    status: str
    words: str
    at: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """Why the job is parked, where it came from, and how a retry goes on."""

    park_code: str = ""
    advice: str = ""
    where: str = ""
    position: int = 0
    recorded: str = ""
    recorded_message: str = ""
    asked: str = ""
    asked_message: str = ""
    code_before: str = ""
    code_now: str = ""
    origin: str = ""
    origin_href: str = ""
    origin_words: str = ""
    retry_words: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class LineView:
    """A step or a decision in a dialog; ``detail`` is in smaller letters."""

    key: str
    text: str
    detail: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a cut or a fork keeps and what it asks again, in words."""

    ready: bool = False
    lead: str = ""
    reason: str = ""
    kept: tuple[LineView, ...] = ()
    again: tuple[LineView, ...] = ()
    steps: tuple[LineView, ...] = ()


def record_view(detail: JobDetail) -> RecordView:
    """Return what the page says of the record."""
    job = detail.job
    parted = divergence_of(job.park_code, job.park_detail)
    code = job.park_code or ""
    position = job.forked_position or 0
    return RecordView(
        park_code=code,
        advice=_advice(code),
        position=parted.position if parted else 0,
        where="" if parted is None else f"Step {parted.position + 1}",
        recorded="" if parted is None else _call(parted.recorded, "The record ends here."),
        recorded_message=shown(parted.recorded.message, 600) if parted and parted.recorded else "",
        asked="" if parted is None else _call(parted.asked, "The code asks for nothing more."),
        asked_message=shown(parted.asked.message, 600) if parted and parted.asked else "",
        code_before=(parted.code_before or "not known") if parted else "",
        code_now=(parted.code_now or "not known") if parted else "",
        origin=job.forked_from or "",
        origin_href=f"/jobs/{job.forked_from}" if job.forked_from else "",
        origin_words=f"at step {position + 1}" if job.forked_from else "",
        retry_words=retry_words(job, detail.goes_on_at, len(detail.steps)),
        policy=policy_words(detail.handler.retry) if detail.handler else "",
    )


def _advice(code: str) -> str:
    known = {one.value: words for one, words in _ADVICE.items()}
    return known.get(code, "Once the cause is mended, resume or retry it.")


def _call(call: Call | None, nothing: str) -> str:
    if call is None:
        return nothing
    return f"{_KINDS.get(call.kind, call.kind)}: {shown(call.name, 200) or 'no name'}"


def retry_words(job: Job, goes_on_at: int, calls: int) -> str:
    """Return where a retry of ``job`` goes on; empty where none is possible."""
    if job.status not in _RETRYABLE:
        return ""
    if not goes_on_at:
        return "A retry begins at the first step."
    stay = "step 1 stays" if goes_on_at == 1 else f"steps 1 to {goes_on_at} stay"
    of = f" of {calls}" if goes_on_at < calls else ""
    return f"A retry goes on at step {goes_on_at + 1}{of}; {stay} done."


def policy_words(facts: RetryFacts) -> str:
    """Return a retry policy in a sentence."""
    times = "1 attempt" if facts.max_attempts == 1 else f"{facts.max_attempts} attempts"
    never = f"; never after {', '.join(facts.never)}" if facts.never else ""
    waits = "" if facts.max_attempts == 1 else f", {facts.base:g} s to {facts.cap:g} s apart"
    return f"{times}{waits}{never}"


def step_row(step: Step, copied_before: int) -> StepRow:
    """Return the row of a recorded call; those before ``copied_before`` are of another job."""
    kind, name = _KINDS.get(step.kind, step.kind), shown(step.name, 200)
    number = str(step.position + 1)
    return StepRow(
        key=number,
        position=step.position,
        number=number,
        kind=kind,
        name=name,
        label=f"step {number}, {kind}{f': {name}' if name else ''}",
        at=iso(step.finished_at),
        since=iso(step.started_at) if step.kind in {"step", "failed"} else "",
        copied=step.position < copied_before,
    )


def step_rows(detail: JobDetail) -> list[StepRow]:
    """Return the rows of the job's record."""
    before = detail.job.forked_position if detail.job.forked_from else 0
    return [step_row(step, before or 0) for step in detail.steps]


def fork_row(line: ForkLine) -> ForkRow:
    """Return the row of a fork."""
    who = f" by {line.user_name}" if line.user_name else ""
    return ForkRow(
        id=line.id,
        href=f"/jobs/{line.id}",
        status=line.status.value,
        words=f"at step {line.position + 1}{who}",
        at=iso(line.created_at),
    )


def cut_view(cut: Cut) -> PlanView:
    """Return what a dialog says of a cut before it is made."""
    stays = _plural("recorded step", cut.kept)
    verb = "stays" if cut.kept == 1 else "stay"
    stay = f"{stays} before it {verb} done" if cut.kept else "Nothing that is recorded stays"
    return PlanView(
        ready=True,
        lead=f"It goes on at step {cut.position + 1}. {stay}.",
        again=_decisions(cut.decisions),
        steps=_steps(cut.steps),
    )


def plan_view(plan: ForkPlan) -> PlanView:
    """Return what a dialog says of a fork before it is made."""
    count = len(plan.reused_steps)
    reused = (
        f"{_plural('recorded step', count)} {'is' if count == 1 else 'are'} reused and not done "
        f"again. The new job's own work begins at step {plan.position + 1}."
        if count
        else "Nothing is reused: the new job begins at the first step."
    )
    return PlanView(
        ready=True,
        lead=reused,
        reason=shown(plan.reason, 600),
        kept=_decisions(plan.reused_decisions),
        again=_decisions(plan.asked_again),
    )


def _steps(steps: Sequence[RecordedStep]) -> tuple[LineView, ...]:
    return tuple(
        LineView(
            key=str(one.position),
            text=f"Step {one.position + 1}",
            detail=f"{_KINDS.get(one.kind, one.kind)}: {shown(one.name, 120)}",
        )
        for one in steps
    )


def _decisions(decisions: Sequence[RecordedDecision]) -> tuple[LineView, ...]:
    return tuple(
        LineView(
            key=one.checkpoint_id,
            text=shown(one.message, 200),
            detail=" · ".join(
                part
                for part in (
                    f"step {one.position + 1}",
                    f"{one.status.value} by {one.decided_by_name}"
                    if one.decided_by_name
                    else one.status.value,
                    one.reason,
                )
                if part
            ),
        )
        for one in decisions
    )


def _plural(word: str, count: int) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
