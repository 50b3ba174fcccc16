"""From review policies to what the card and the page of policies show; pure, no Reflex."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from agent_console.domain.access import POLICY, Permission, refusal
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.review_policies import (
    ALL_TYPES,
    ReviewPolicy,
    Tally,
    Vote,
    agreeing,
    deciders,
    fate_words,
)
from agent_console.domain.visible import reveal
from agent_console.services.review import CheckpointDetail
from agent_console.ui.answer_forms import words
from agent_console.ui.components.review_models import AskedView, VoteView
from agent_console.ui.views import iso

PATH = "/review-policies"
MAY_NOT_DECIDE = refusal(Permission.CHECKPOINTS_DECIDE)
_SAID = {
    CheckpointVerb.APPROVE: ("approved", "green"),
    CheckpointVerb.ANSWER: ("answered", "green"),
    CheckpointVerb.REJECT: ("rejected", "red"),
}


def asked(detail: CheckpointDetail) -> AskedView:
    """Return the policy of a card in words, and what was said under it."""
    point, policy = detail.checkpoint, detail.policy
    terms = policy.terms
    approvals = [one for one in detail.votes if one.verb is CheckpointVerb.APPROVE]
    edits = [one.edited_text for one in approvals if one.edited_text is not None]
    pending = point.status is CheckpointStatus.PENDING
    return AskedView(
        who=reveal(deciders(terms, escalated=point.escalated).words).text,
        approvals=_approvals(detail) if terms.required_approvals > 1 else "",
        at_deadline=_at_deadline(detail),
        policy=f"{title(policy)}, version {policy.version}" if policy.id else "",
        policy_href=href(policy),
        by_itself=_by_itself(detail),
        stops_type=policy.job_type if _approved_it(detail) else "",
        stops_action=policy.action if _approved_it(detail) else "",
        stop_refusal=MAY_NOT_DECIDE if detail.refusal == MAY_NOT_DECIDE else "",
        why_not_again=detail.approve_refusal if detail.may_decide else "",
        edit_text=json.dumps(json.loads(edits[-1]), indent=2, ensure_ascii=False) if edits else "",
        votes=[_vote(one, detail.reader, pending=pending) for one in detail.votes],
    )


def _at_deadline(detail: CheckpointDetail) -> str:
    point, policy = detail.checkpoint, detail.policy
    default = point.answer_default
    said = fate_words(
        policy,
        extensions=point.extensions,
        escalated=point.escalated,
        asks=point.asks,
        has_default=default is not None,
    )
    return said if default is None else f"{said} (default: {words(default)})"


def _approved_it(detail: CheckpointDetail) -> bool:
    point = detail.checkpoint
    ruled = point.rule_id is not None and not point.rule_shadow
    return ruled and point.decided_by == POLICY and point.policy_id == point.rule_id


def _by_itself(detail: CheckpointDetail) -> str:
    if _approved_it(detail):
        return "Approved by the review policy, without a person."
    if detail.checkpoint.rule_id is not None and detail.checkpoint.rule_shadow:
        return "A review policy in shadow would have approved this by itself."
    return ""


def _approvals(detail: CheckpointDetail) -> str:
    point, terms = detail.checkpoint, detail.policy.terms
    verb = CheckpointVerb.ANSWER if point.asks else CheckpointVerb.APPROVE
    given = {one.digest for one in detail.votes} if point.asks else {point.payload_digest}
    each = [agreeing(detail.votes, terms, verb, one) for one in sorted(given)]
    same = max(each, key=len, default=[])
    tally = Tally(verb=verb, given=len(same), needed=terms.required_approvals)
    if point.status is not CheckpointStatus.PENDING:
        return f"{tally.needed} were needed"
    return f"{tally.words}{_names(same)}"


def _names(given: Sequence[Vote]) -> str:
    names = ", ".join(reveal(one.user_name).text for one in given)
    return f": {names}" if names else ""


def _vote(one: Vote, reader: str, *, pending: bool) -> VoteView:
    word, tone = _SAID.get(one.verb, (one.verb.value, "gray"))
    edited = " with edits" if one.edited_text is not None else ""
    if one.verb is CheckpointVerb.ANSWER:
        edited = f": {words(one.given)}"
    return VoteView(
        key=one.user_id,
        who=reveal(one.user_name).text,
        verb=f"{word}{edited}",
        tone=tone,
        said=reveal(one.said).text,
        at=iso(one.at),
        own=pending and one.user_id == reader,
    )


def title(policy: ReviewPolicy) -> str:
    """Return what a policy is for, in words that hide nothing."""
    return reveal(policy.title).text


def href(policy: ReviewPolicy) -> str:
    """Return the address of the policy on its page."""
    if policy.job_type == ALL_TYPES:
        return PATH
    return f"{PATH}?{urlencode({'type': policy.job_type})}"
