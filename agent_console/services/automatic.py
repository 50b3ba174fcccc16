"""Automatic approval by review policies: what it did, would do, might do, and how it is stopped."""

from __future__ import annotations

from dataclasses import replace

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.review_policies import (
    ALL_TYPES,
    DEFAULT,
    Automatic,
    ReviewPolicy,
    Terms,
)
from agent_console.domain.rule_history import (
    DAYS,
    MAX_DAYS,
    Backtest,
    RuleRecord,
    Suggestion,
    backtest,
    suggestions,
)
from agent_console.services.job_requests import MAX_NAME, text
from agent_console.services.review_policies import checked_automatic
from agent_console.store import review_policies as store
from agent_console.store.database import Database
from agent_console.store.reads import rule_history
from agent_console.store.transactions import Queries, Tx

MAX_REASON = 500  # characters


class AutomaticService:
    """Use cases of automatic approval. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def record(
        self, actor: Actor, job_type: str, action: str = "", *, days: int = DAYS
    ) -> RuleRecord:
        """Return what the rule of exactly this policy did, and would have done in shadow.

        Of all of its versions; with the latest checkpoints it is about.

        Raises:
            Invalid: not such a number of days.
            NotFound: there never was such a policy.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        _check_days(days)
        text("action", action, MAX_NAME)
        with self._db.read() as reader:
            versions = store.versions(reader, job_type, action)
            if not versions:
                raise NotFound("There is no such review policy.")
            ids = [str(one.id) for one in versions]
            found = rule_history.figures(reader, RuleRecord(policy=versions[0], days=days), ids)
            return rule_history.lists(reader, found, ids)

    def records(self, actor: Actor, *, days: int = DAYS) -> list[RuleRecord]:
        """Return the figures alone, of all policies that hold and have a rule.

        Raises:
            Invalid: not such a number of days.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        _check_days(days)
        with self._db.read() as reader:
            ruled = [one for one in store.current(reader) if one.terms.automatic.up_to is not None]
            return [
                rule_history.figures(reader, RuleRecord(policy=one, days=days), _ids(reader, one))
                for one in ruled
            ]

    def backtest(
        self,
        actor: Actor,
        job_type: str,
        rule: Automatic | None = None,
        *,
        action: str = "",
        version: int | None = None,
        days: int = DAYS,
    ) -> Backtest:
        """Return what a rule would have approved of what people decided in the last ``days``.

        Of a draft (``rule``), else of a version of this policy, else of what holds of it.

        Raises:
            Invalid: not such a rule, or number of days.
            NotFound: there is no such version.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        _check_days(days)
        text("action", action, MAX_NAME)
        with self._db.read() as reader:
            if rule is None:
                rule = _rule_of(store.versions(reader, job_type, action), version)
            rule = checked_automatic(replace(rule, shadow=False))
            draft = ReviewPolicy(job_type=job_type, action=action, terms=Terms(automatic=rule))
            kind = None if job_type == ALL_TYPES else job_type
            past, capped = rule_history.decided(reader, days, kind)
            return backtest(past, store.current(reader), draft, days=days, capped=capped)

    def suggestions(self, actor: Actor, *, days: int = DAYS) -> list[Suggestion]:
        """Return what might be approved by itself, judging by what people decided; saves nothing.

        Raises:
            Invalid: not such a number of days.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        _check_days(days)
        with self._db.read() as reader:
            past, _ = rule_history.decided(reader, days)
            return suggestions(past, store.current(reader), days=days)

    def stop(
        self, actor: Actor, job_type: str, action: str = "", *, reason: str = ""
    ) -> ReviewPolicy:
        """Stop approving by itself under exactly this policy, by a version without the rule.

        Whoever may decide may stop it: it only makes people be asked. Once this returns, nothing
        is approved by the rule any more. Returns what holds of the policy; where there is no rule
        already, nothing changes.

        Raises:
            Forbidden: no permission.
            Invalid: the reason is too long.
            NotFound: there is no such policy.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)
        text("action", action, MAX_NAME)
        text("reason", reason, MAX_REASON)

        def work(tx: Tx) -> ReviewPolicy:
            # Somebody may have saved a version meanwhile: it is there for the next statement.
            before = store.latest(tx, job_type, action) or store.latest(tx, job_type, action)
            if before is None or before.removed:
                raise NotFound("There is no such review policy.")
            if before.terms.automatic == Automatic():
                return before
            off = replace(before.terms, automatic=Automatic())
            return store.save(
                tx,
                job_type,
                action,
                off,
                base_version=before.version,
                actor=actor,
                facts={"automaticStopped": True, "reason": reason},
            )

        return self._db.write(work)


def _ids(reader: Queries, policy: ReviewPolicy) -> list[str]:
    """Return the versions that had this rule, back to where it was another one."""
    found: list[str] = []
    for one in store.versions(reader, policy.job_type, policy.action):
        if one.terms.automatic != policy.terms.automatic:
            break
        found.append(str(one.id))
    return found


def _rule_of(versions: list[ReviewPolicy], wanted: int | None) -> Automatic:
    if wanted is None:
        return (versions[0] if versions else DEFAULT).terms.automatic
    found = next((one for one in versions if one.version == wanted), None)
    if found is None:
        raise NotFound(f"There is no version {wanted} of this policy.")
    return found.terms.automatic


def _check_days(days: int) -> None:
    if not 1 <= days <= MAX_DAYS:
        raise Invalid.field("days", f"must be 1 to {MAX_DAYS}.")
