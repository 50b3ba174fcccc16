"""What a reviewer decided, rebuilt from the record for the handler that asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import BaseModel, ValidationError

from agent_console.domain.access import POLICY
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.comments import Remark
from agent_console.domain.jobs import Json
from agent_console.domain.parking import Call
from agent_console.domain.payload import loads
from agent_console.runtime.errors import ChangesRequested, Diverged, Expired, Rejected
from agent_console.store.engine_values import DecisionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a handler asks now, by which call; ``digest`` is that of the payload."""

    call: Call
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An approval. ``data`` is what may be used: the edited data if any, else the proposed.

    ``approved_by`` is a person's name, or ``policy``; ``comments`` were made before it.
    """

    approved_by: str
    data: Json
    edited: bool
    feedback: str
    response: Json
    checkpoint_id: str
    comments: tuple[Remark, ...] = ()


def decided(
    row: DecisionRow, *, proposed: Json, asked: Asked, edit: type[BaseModel] | None
) -> Decision:
    """Return the approval in ``row``, which must be one of exactly the payload ``asked`` for now.

    Raises:
        Diverged: the payload's digest is not the recorded one, edits no longer fit, or the
            checkpoint was canceled.
        ChangesRequested: the reviewer wants another round.
        Rejected: the reviewer said no.
        Expired: nobody decided in time.
    """
    if row.payload_digest != asked.digest:
        what = (
            "asks another question"
            if asked.call.kind == "ask"
            else ("asks approval for another payload")
        )
        raise _diverged(
            row,
            asked,
            f"The handler now {what} (SHA-256 {asked.digest[:12]}…) than"
            f" the one that was shown and decided (SHA-256 {row.payload_digest[:12]}…).",
        )
    if row.status is CheckpointStatus.CHANGES_REQUESTED:
        raise ChangesRequested(row.feedback or "", round=row.round, comments=_remarks(row))
    if row.status is CheckpointStatus.REJECTED:
        reason = row.rejection_reason or None
        raise Rejected(reason, feedback=row.feedback, comments=_remarks(row))
    if row.status is CheckpointStatus.EXPIRED:
        raise Expired
    if row.status is not CheckpointStatus.APPROVED:
        why = f"The checkpoint that the handler relies on is {row.status}."
        raise _diverged(row, asked, why)
    return Decision(
        approved_by=row.decided_by_name or row.decided_by or "",
        data=proposed if row.edited_data is None else _edited(row, asked, edit),
        edited=row.edited_data is not None,
        feedback=row.feedback or "",
        response=None if row.response is None else loads(row.response),
        checkpoint_id=row.checkpoint_id,
        comments=_remarks(row),
    )


def _remarks(row: DecisionRow) -> tuple[Remark, ...]:
    return tuple(
        Remark(one.author_name, one.body, one.created_at, one.anchor) for one in row.comments
    )


def by_policy(checkpoint_id: str, proposed: Json) -> Decision:
    """Return the approval that a policy has just given."""
    return Decision(
        approved_by=POLICY,
        data=proposed,
        edited=False,
        feedback="",
        response=None,
        checkpoint_id=checkpoint_id,
    )


def _diverged(row: DecisionRow, asked: Asked, why: str) -> Diverged:
    return Diverged(
        why,
        position=row.position,
        recorded=replace(asked.call, message=row.message),
        asked=asked.call,
    )


def _edited(row: DecisionRow, asked: Asked, model: type[BaseModel] | None) -> Json:
    data = loads(row.edited_data or "null")
    if model is None:
        return data
    try:
        valid: Json = model.model_validate(data).model_dump(mode="json", by_alias=True)
    except ValidationError as error:
        why = (
            f"The reviewer's edits do not fit {model.__name__} any more: "
            f"{error.errors(include_url=False)[0]['msg']}"
        )
        raise _diverged(row, asked, why) from None
    return valid
