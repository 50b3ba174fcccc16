"""Who may decide what they asked for themselves, and what a verdict must look like."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission
from agent_console.domain.checkpoints import CheckpointVerb, Verdict, changes_refusal
from agent_console.domain.errors import Conflict, FieldError, Forbidden, Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import check_json
from agent_console.services.job_requests import text, who
from agent_console.store.accounts import another_decider, find
from agent_console.store.decisions import Case, Check
from agent_console.store.policy_approvals import POLICY
from agent_console.store.rechecks import Approval
from agent_console.store.transactions import Queries, Tx

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


def checker(actor: Actor, policy: SelfApproval) -> Check:
    """Return what checks verdicts of ``actor`` within one transaction.

    However many there are, the accounts are asked once whether somebody else may decide. It raises:
        Forbidden: the job is the actor's own and policy wants somebody else.
        Conflict: somebody else has claimed it.
        Conflict, Invalid: as ``check_payload`` and ``check_rounds``.
    """
    own_refusal: list[str] = []

    def check(tx: Tx, case: Case) -> dict[str, Json]:
        own = is_own(actor, case)
        if own and not own_refusal:
            own_refusal.append(self_approval_refusal(tx, actor, case, policy))
        if own and own_refusal[0]:
            raise Forbidden(own_refusal[0], selfApproval=policy)
        if case.claim is not None and case.claim.user_id != who(actor):
            raise case.claim.conflict(who(actor))
        check_payload(case)
        check_rounds(case)
        return {"selfApproval": True} if own else {}

    return check


def check_payload(case: Case) -> None:
    """Refuse a verdict on something else than what is stored, and edits that do not fit.

    Raises:
        Conflict: the payload is not the one that was on screen; ``currentDigest`` is its digest.
        Invalid: the checkpoint is not editable, or the edited data break its schema.
    """
    current, verdict = case.payload_digest, case.verdict
    if verdict.payload_digest is not None and verdict.payload_digest.lower() != current:
        raise Conflict(
            "What you saw is not what is stored now; look at it again before you decide.",
            currentStatus=case.status.value,
            currentDigest=current,
        )
    if verdict.edited_data is not None:
        _check_edit(verdict.edited_data, case.edit_schema)


def check_rounds(case: Case) -> None:
    """Refuse to ask for changes where no round comes after.

    Raises:
        Conflict: the job does not propose in rounds, or this is its last one.
    """
    if case.verdict.verb is not CheckpointVerb.REQUEST_CHANGES:
        return
    if why_not := changes_refusal(case):
        raise Conflict(
            why_not,
            currentStatus=case.status.value,
            round=case.round,
            rounds=case.rounds,
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
