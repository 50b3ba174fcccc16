"""Who may decide what they asked for themselves, and what a verdict must look like."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission
from agent_console.domain.checkpoints import Checkpoint, CheckpointVerb, Verdict, changes_refusal
from agent_console.domain.errors import Conflict, FieldError, Forbidden, Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import check_json
from agent_console.services.job_requests import text
from agent_console.store.accounts import another_decider, find
from agent_console.store.decisions import Found
from agent_console.store.policy_approvals import POLICY
from agent_console.store.rechecks import Approval
from agent_console.store.transactions import Queries

SelfApproval = Literal["auto", "never", "always"]
DECIDERS = tuple(
    role.value for role, may in ROLE_PERMISSIONS.items() if Permission.CHECKPOINTS_DECIDE in may
)
MAX_REASON = 4_000  # characters
MAX_FEEDBACK = 16_000
MAX_EDIT_ERRORS = 20
VERBS = (CheckpointVerb.APPROVE, CheckpointVerb.REQUEST_CHANGES, CheckpointVerb.REJECT)


def check_form(verdict: Verdict) -> None:
    """Refuse a verdict that no checkpoint could take.

    Raises:
        Invalid: an unknown verb, a rejection without a reason, a request for changes that does
            not name them, text too long, a field of another verdict.
        TooLarge: edited data or response are.
    """
    if verdict.verb not in VERBS:
        raise Invalid.field("verdict", f"must be one of {', '.join(VERBS)}.")
    text("reason", verdict.reason, MAX_REASON)
    text("feedback", verdict.feedback, MAX_FEEDBACK)
    text("payloadDigest", verdict.payload_digest, 200)
    check_json(verdict.edited_data, "editedData")
    check_json(verdict.response, "response")
    if verdict.verb is CheckpointVerb.REJECT:
        if not (verdict.reason or "").strip():
            raise Invalid.field("reason", "a rejection needs a reason.")
        if verdict.edited_data is not None:
            raise Invalid.field("editedData", "belongs to an approval, not to a rejection.")
    if verdict.verb is CheckpointVerb.REQUEST_CHANGES:
        _check_request(verdict)


def _check_request(verdict: Verdict) -> None:
    if not (verdict.feedback or "").strip():
        raise Invalid.field("feedback", "say what should change.")
    others = {
        "reason": verdict.reason,
        "editedData": verdict.edited_data,
        "response": verdict.response,
    }
    for field, value in others.items():
        if value is not None:
            raise Invalid.field(field, "belongs to another verdict than a request for changes.")


def check_payload(found: Found, verdict: Verdict) -> None:
    """Refuse a verdict on something else than what is stored, and edits that do not fit.

    Raises:
        Conflict: the payload is not the one that was on screen; ``currentDigest`` is its digest.
        Invalid: the checkpoint is not editable, or the edited data break its schema.
    """
    current = found.checkpoint.payload_digest
    if verdict.payload_digest is not None and verdict.payload_digest.lower() != current:
        raise Conflict(
            "What you saw is not what is stored now; look at it again before you decide.",
            currentStatus=found.checkpoint.status.value,
            currentDigest=current,
        )
    if verdict.edited_data is not None:
        _check_edit(verdict.edited_data, found.edit_schema)


def check_rounds(checkpoint: Checkpoint, verdict: Verdict) -> None:
    """Refuse to ask for changes where no round comes after.

    Raises:
        Conflict: the job does not propose in rounds, or this is its last one.
    """
    if verdict.verb is not CheckpointVerb.REQUEST_CHANGES:
        return
    if why_not := changes_refusal(checkpoint):
        raise Conflict(
            why_not,
            currentStatus=checkpoint.status.value,
            round=checkpoint.round,
            rounds=checkpoint.rounds,
        )


def _check_edit(edited: Json, schema: dict[str, Any] | None) -> None:
    if schema is None:
        raise Invalid.field("editedData", "this checkpoint cannot be edited.")
    try:
        problems = list(_first_problems(edited, schema))
    except SchemaError as error:
        message = f"the handler's schema for edits is broken: {error.message}"
        raise Invalid.field("editedData", message) from None
    if problems:
        raise Invalid(fields=problems)


def _first_problems(edited: Json, schema: dict[str, Any]) -> list[FieldError]:
    Draft202012Validator.check_schema(schema)
    found: list[FieldError] = []
    error: ValidationError
    for error in Draft202012Validator(schema).iter_errors(edited):
        path = ".".join(["editedData", *map(str, error.absolute_path)])
        found.append(FieldError(path, error.message[:500]))
        if len(found) == MAX_EDIT_ERRORS:
            break
    return found


class Asked(Protocol):
    """What is known of who asked for a job."""

    @property
    def requested_by(self) -> str | None:
        """The account's id, None for a command on the server."""

    @property
    def requested_by_name(self) -> str | None:
        """The account's name, or the operator's."""


def is_own(actor: Actor, asked: Asked) -> bool:
    """Say whether ``actor`` asked for the job whose checkpoint this is.

    A command typed on the server has no account: the name of the operator stands for it.
    """
    if actor.id is not None:
        return actor.id == asked.requested_by
    return asked.requested_by is None and actor.name == asked.requested_by_name


def self_approval_refusal(reader: Queries, actor: Actor, asked: Asked, policy: SelfApproval) -> str:
    """Return why ``actor`` may not decide a checkpoint of their own; "" when they may.

    Whoever types commands on the server owns its database: refusing would only hide the act,
    so it is allowed, and journaled as self approval.
    """
    if policy == "always" or actor.kind in {"cli", "system"} or not is_own(actor, asked):
        return ""
    if policy == "never":
        return "You asked for this job yourself; somebody else has to decide."
    if another_decider(reader, actor.id, DECIDERS):
        return (
            "You asked for this job yourself; another account may decide, so somebody else has to."
        )
    return ""


def still_stands(reader: Queries, approval: Approval, policy: SelfApproval) -> str:
    """Return why ``approval`` does not hold any more under the policy of this moment, or "".

    An account that was disabled, or lost its role, between decision and resume has not decided;
    nor has somebody who may not decide alone by now.
    """
    if approval.decided_by in {None, POLICY}:
        return ""
    name = approval.decided_by_name or "the account"
    account = find(reader, approval.decided_by or "")
    if account is None or account.disabled or account.role not in DECIDERS:
        return f"{name} approved this, but may not decide any more; somebody else has to."
    actor = Actor(kind="user", id=account.id, name=account.name)
    if self_approval_refusal(reader, actor, approval, policy):
        return f"{name} approved a job of their own; somebody else has to decide now."
    return ""


def refuse_own(reader: Queries, actor: Actor, checkpoint: Checkpoint, policy: SelfApproval) -> None:
    """Raise when ``actor`` may not decide because the job is their own.

    Raises:
        Forbidden: the policy wants somebody else.
    """
    reason = self_approval_refusal(reader, actor, checkpoint, policy)
    if reason:
        raise Forbidden(reason, selfApproval=policy)
