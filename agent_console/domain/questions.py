"""Questions: checkpoints that ask for an answer instead of a yes. Pure rules; nobody is asked here.

What a question is about, the JSON Schema of its answer and the default if there is one are part of
the payload that is digested. The answer is bound into the decision's digest like an edit is.
"""

from __future__ import annotations

from dataclasses import replace

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import digest, dumps
from agent_console.domain.redaction import redact

MEMBER = "answer"  # of the payload: {"schema": …, "default": …}, the latter only if there is one
MAX_TOLD = 4_000  # characters of an answer that the journal repeats; of longer ones the digest
NEEDS_ANSWER = (
    "This asks for an answer: give it in `response`, or answer it instead of approving it."
)


def member(schema: Json, default: Json) -> dict[str, Json]:
    """Return what the payload says of a question; ``default`` is None where there is none."""
    return {"schema": schema} if default is None else {"schema": schema, "default": default}


def as_said(verdict: Verdict, *, asks: bool) -> Verdict:
    """Return ``verdict`` as what it is: an approval of a question that brings its answer is one."""
    if asks and verdict.verb is CheckpointVerb.APPROVE and verdict.response is not None:
        return replace(verdict, verb=CheckpointVerb.ANSWER)
    return verdict


def check_kind(verdict: Verdict, *, asks: bool) -> None:
    """Refuse a verdict that a question cannot take, and an answer to what is none.

    Raises:
        Invalid: an approval without an answer; an answer where none is asked for.
        Conflict: changes are requested of a question.
    """
    if verdict.verb is CheckpointVerb.ANSWER and not asks:
        message = "This checkpoint asks for no answer: approve it, or reject it with a reason."
        raise Invalid.field("answer", message)
    if asks and verdict.verb is CheckpointVerb.APPROVE:
        raise Invalid.field("response", NEEDS_ANSWER)
    if asks and verdict.verb is CheckpointVerb.REQUEST_CHANGES:
        message = "This is a question: answer it, or reject it with a reason."
        raise Conflict(message, currentStatus="PENDING")


def told(text: str, answer: Json) -> dict[str, Json]:
    """Return what the journal says of an answer, secrets left out; ``text`` is its canonical form.

    The digest is of exactly what the job gets.
    """
    facts: dict[str, Json] = {"answerDigest": digest(text)}
    if len(text) <= MAX_TOLD:
        facts["answer"] = redact(answer)  # type: ignore[assignment]  # of JSON, JSON
    return facts


def told_of(verdict: Verdict) -> dict[str, Json]:
    """Return what the journal says of the answer in ``verdict``; nothing if it is none."""
    if verdict.verb is not CheckpointVerb.ANSWER:
        return {}
    return told(dumps(verdict.response), verdict.response)
