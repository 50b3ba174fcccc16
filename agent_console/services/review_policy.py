"""Who may decide what they asked for themselves, and what a verdict must look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from agent_console.domain import questions, review_policies
from agent_console.domain.access import POLICY, Actor
from agent_console.domain.checkpoints import CheckpointVerb, Verdict, changes_refusal
from agent_console.domain.delegations import Delegator, in_whose_stead
from agent_console.domain.errors import Conflict, Forbidden, Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import check_json
from agent_console.domain.review_policies import (
    DECIDING_ROLES,
    DEFAULT,
    UNBOUND,
    ReviewPolicy,
    SelfApproval,
)
from agent_console.services import schemas
from agent_console.services.job_requests import text
from agent_console.store import delegations, votes
from agent_console.store.accounts import another_decider, find
from agent_console.store.cases import Case
from agent_console.store.decisions import Check
from agent_console.store.rechecks import Approval
from agent_console.store.review_policies import by_id
from agent_console.store.transactions import Queries, Tx

DECIDERS = tuple(role.value for role in DECIDING_ROLES)
MAX_REASON = 4_000  # characters
MAX_FEEDBACK = 16_000
VERBS = (
    CheckpointVerb.APPROVE,
    CheckpointVerb.ANSWER,
    CheckpointVerb.REQUEST_CHANGES,
    CheckpointVerb.REJECT,
)


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
    if verdict.verb is CheckpointVerb.ANSWER:
        _check_answer(verdict)
    if verdict.verb is CheckpointVerb.REQUEST_CHANGES:
        _check_request(verdict)


def _check_answer(verdict: Verdict) -> None:
    if verdict.response is None:
        raise Invalid.field("answer", "an answer is needed; null is none.")
    for field, value in (("reason", verdict.reason), ("editedData", verdict.edited_data)):
        if value is not None:
            raise Invalid.field(field, "belongs to another verdict than an answer.")


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


def checker(actor: Actor, setting: SelfApproval, *, bulk: bool = False) -> Check:
    """Return what checks verdicts of ``actor`` within one transaction.

    ``setting`` holds for self approval where the policy of a checkpoint says nothing; ``bulk``:
    they are given on many at once. However many there are, the accounts are asked once for each
    policy whether somebody else may decide. It raises:
        Forbidden: the policy asks others; or the job is the actor's own and somebody else has to.
        Conflict: somebody else has claimed it, or it is to be decided by itself.
        Conflict, Invalid: as ``check_payload``, ``check_rounds`` and ``check_response``.
    """
    own_refusals: dict[str | None, str] = {}
    lent: list[list[Delegator]] = []

    def check(tx: Tx, case: Case) -> dict[str, Json]:
        own, policy = is_own(actor, case), case.policy
        why_not = review_policies.refusal(policy, actor, escalated=case.escalated)
        if why_not and not lent:
            lent.append(delegations.held_by(tx, actor.id))
        stead = _stead(case, policy, lent[0], escalated=case.escalated) if why_not else None
        if why_not and stead is None:
            raise Forbidden(why_not, reviewPolicy=policy.title, policyVersion=policy.version)
        if own and policy.id not in own_refusals:
            own_refusals[policy.id] = self_approval_refusal(tx, actor, case, setting, policy)
        if own and own_refusals[policy.id]:
            raise Forbidden(
                own_refusals[policy.id], selfApproval=policy.terms.self_approval or setting
            )
        if bulk and not policy.terms.bulk_allowed:
            message = f"The review policy of {policy.title} wants each decided by itself."
            raise Conflict(message, currentStatus=case.status.value, bulkAllowed=False)
        if case.claim is not None and case.claim.user_id != actor.who:
            raise case.claim.conflict(actor.who)
        check_payload(case)
        check_rounds(case)
        check_response(case)
        facts: dict[str, Json] = {"selfApproval": True} if own else {}
        return facts if stead is None else {**facts, "forId": stead.id, "forName": stead.name}

    return check


def asked_refusal(
    reader: Queries, actor: Actor, asked: Asked, policy: ReviewPolicy, *, escalated: bool
) -> str:
    """Return why the policy does not ask ``actor``, nor anybody in whose stead they decide; ""."""
    why_not = review_policies.refusal(policy, actor, escalated=escalated)
    if not why_not:
        return ""
    lent = delegations.held_by(reader, actor.id)
    return why_not if _stead(asked, policy, lent, escalated=escalated) is None else ""


def _stead(
    asked: Asked, policy: ReviewPolicy, lent: Sequence[Delegator], *, escalated: bool
) -> Delegator | None:
    return in_whose_stead(policy, lent, escalated=escalated, requested_by=asked.requested_by)


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


def check_response(case: Case) -> None:
    """Refuse what does not answer a question, and free words where several have to agree.

    An answer is part of what they agree on; what else a verdict brings along is not.

    Raises:
        Invalid: the answer does not fit, is missing, or was not asked for; or a response is given
            where several people have to agree.
        Conflict: changes are requested of a question.
    """
    questions.check_kind(case.verdict, asks=case.asks)
    if case.answer_schema is not None:
        schemas.check("answer", case.verdict.response, case.answer_schema)
        return
    if case.verdict.response is None:
        return
    if review_policies.needed(case.policy.terms, case.verdict.verb) > 1:
        message = "cannot be given where several people have to agree; edit the data instead."
        raise Invalid.field("response", message)


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
    schemas.check("editedData", edited, schema)


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


def self_approval_refusal(
    reader: Queries,
    actor: Actor,
    asked: Asked,
    setting: SelfApproval,
    policy: ReviewPolicy = DEFAULT,
) -> str:
    """Return why ``actor`` may not decide a checkpoint of their own; "" when they may.

    Whoever types commands on the server owns its database: refusing would only hide the act,
    so it is allowed, and journaled as self approval.
    """
    rule = policy.terms.self_approval or setting
    if rule == "always" or actor.kind in UNBOUND or not is_own(actor, asked):
        return ""
    if rule == "never":
        return "You asked for this job yourself; somebody else has to decide."
    deciders = policy.terms.deciders
    roles, people = [role.value for role in deciders.roles], deciders.ids
    if another_decider(reader, actor.id, roles, people, DECIDERS):
        return (
            "You asked for this job yourself; another account may decide, so somebody else has to."
        )
    return ""


def still_stands(reader: Queries, approval: Approval, policy: SelfApproval) -> str:
    """Return why ``approval`` does not hold any more, or "".

    An account that was disabled, or lost its role, between decision and resume has not decided;
    nor has somebody who may not decide alone by now. ``policy`` is the setting; where the review
    policy of the decision has its own word on that, it is the version that was applied. It says as
    well whether enough of those who agreed could still do so.
    """
    if approval.decided_by in {None, POLICY}:
        return ""
    name = approval.decided_by_name or "the account"
    account = find(reader, approval.decided_by or "")
    if account is None or account.disabled or account.role not in DECIDERS:
        return f"{name} approved this, but may not decide any more; somebody else has to."
    actor = Actor(kind="user", id=account.id, name=account.name)
    applied = by_id(reader, approval.policy_id) if approval.policy_id else None
    if self_approval_refusal(reader, actor, approval, policy, applied or DEFAULT):
        return f"{name} approved a job of their own; somebody else has to decide now."
    return "" if applied is None else _too_few(reader, approval, applied)


def _too_few(reader: Queries, approval: Approval, policy: ReviewPolicy) -> str:
    """Return why an approval of several people does not hold any more, or ""."""
    wanted = review_policies.needed(policy.terms, CheckpointVerb.APPROVE)
    checkpoint_id = approval.checkpoint_id or ""
    if wanted == 1:
        return ""
    given = votes.of(reader, [checkpoint_id])[checkpoint_id]
    same = [
        one
        for verb in review_policies.AGREED
        for one in review_policies.agreeing(given, policy.terms, verb, approval.digest)
    ]
    left = 1 + sum(one.user_id != approval.decided_by for one in same)
    if left >= wanted:
        return ""
    return f"{wanted} people approved this, of whom {left} may still decide; others have to agree."
