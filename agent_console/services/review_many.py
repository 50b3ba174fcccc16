"""One verdict on many checkpoints: checked together, decided in few transactions, told one by one.

A transaction decides as many as make it cheap and keep nobody waiting for long; the jobs of the
first are running again while the next is decided. Each remembers its own answer under the request's
key, so that a repetition goes on where an earlier attempt broke off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import Verdict
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import FieldError, Invalid, Unavailable
from agent_console.domain.review_policies import SelfApproval
from agent_console.domain.rulings import BULK_VERBS, MAX_AT_ONCE, Fate, Item, Ruling
from agent_console.services import job_requests, review_policy
from agent_console.store import decisions
from agent_console.store.database import Database
from agent_console.store.job_writes import RequestKey

TOGETHER = 250  # checkpoints in one transaction
MAX_FIELDS = 100  # refused fields that one answer names
_UNKNOWN = "The database did not answer: look whether it was decided, and try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedMany:
    """What became of each, in the order asked; ``replayed``: the request was a repetition."""

    rulings: list[Ruling]
    replayed: bool


def decide_many(
    db: Database,
    actor: Actor,
    items: Sequence[Item],
    verdict: Verdict,
    *,
    policy: SelfApproval,
    key: str | None,
    hold: int = 0,
) -> DecidedMany:
    """Decide all of ``items``; the permission to decide has been checked."""
    _check(items, verdict)
    body = [asdict(verdict), [asdict(one) for one in items]]
    rulings: list[Ruling] = []
    replayed = True
    for start in range(0, len(items), TOGETHER):
        part = items[start : start + TOGETHER]
        part_key = job_requests.request_key(actor, f"decide many {start}", key, body)
        try:
            told, repeated = _together(
                db, actor, _each(part, verdict), policy=policy, key=part_key, hold=hold
            )
        except Unavailable:
            if not rulings:
                raise
            told, repeated = [_unknown(one) for one in part], False
        rulings += told
        replayed = replayed and repeated
    return DecidedMany(rulings=rulings, replayed=replayed)


def _each(items: Sequence[Item], verdict: Verdict) -> dict[str, Verdict]:
    return {one.checkpoint_id: replace(verdict, payload_digest=one.payload_digest) for one in items}


def _together(
    db: Database,
    actor: Actor,
    verdicts: Mapping[str, Verdict],
    *,
    policy: SelfApproval,
    key: RequestKey | None,
    hold: int,
) -> tuple[list[Ruling], bool]:
    told = db.write(
        lambda tx: decisions.decide_many(
            tx,
            verdicts,
            actor=actor,
            key=key,
            check=review_policy.checker(actor, policy, bulk=True),
            hold=hold,
        )
    )
    crashpoint("decide.committed")
    return told


def _unknown(item: Item) -> Ruling:
    return Ruling(checkpoint_id=item.checkpoint_id, fate=Fate.UNKNOWN, message=_UNKNOWN)


def _check(items: Sequence[Item], verdict: Verdict) -> None:
    """Refuse what cannot be decided together.

    Raises:
        Invalid: names the fields, as ``checkpoints.3.id``.
    """
    if verdict.verb not in BULK_VERBS:
        raise Invalid.field("action", f"must be one of {', '.join(BULK_VERBS)}.")
    for field, given in (("editedData", verdict.edited_data), ("response", verdict.response)):
        if given is not None:
            raise Invalid.field(field, "belongs to one checkpoint; decide that by itself.")
    review_policy.check_form(replace(verdict, payload_digest=None))
    if not 1 <= len(items) <= MAX_AT_ONCE:
        raise Invalid.field("checkpoints", f"must be 1 to {MAX_AT_ONCE:,} checkpoints.")
    refused: list[FieldError] = []
    seen: dict[str, int] = {}
    for number, item in enumerate(items):
        try:
            _check_item(seen, number, item)
        except Invalid as error:
            refused += error.fields
    if refused:
        raise Invalid(fields=refused[:MAX_FIELDS])


def _check_item(seen: dict[str, int], number: int, item: Item) -> None:
    field = f"checkpoints.{number}"
    job_requests.text(f"{field}.id", item.checkpoint_id, job_requests.MAX_NAME)
    job_requests.text(f"{field}.payloadDigest", item.payload_digest, job_requests.MAX_NAME)
    first = seen.setdefault(item.checkpoint_id, number)
    if first != number:
        raise Invalid.field(f"{field}.id", f"is that of checkpoints.{first} already.")
