"""Lending one's right to decide to somebody else, for a period."""

from __future__ import annotations

from datetime import datetime

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.clock import from_micros
from agent_console.domain.delegations import LONGEST, Delegation
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.records import User
from agent_console.domain.review_policies import DECIDING_ROLES
from agent_console.store import accounts
from agent_console.store import delegations as store
from agent_console.store.database import Database
from agent_console.store.transactions import Queries, Tx


class DelegationService:
    """Use cases of delegations. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def page(self, actor: Actor) -> list[Delegation]:
        """Return the delegations that hold or will, soonest first."""
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            return store.still_open(reader)

    def create(
        self,
        actor: Actor,
        to: str,
        ends_at: datetime,
        *,
        starts_at: datetime | None = None,
        owner: str | None = None,
    ) -> Delegation:
        """Lend the actor's right to ``to`` until ``ends_at``, from ``starts_at``, by default now.

        Accounts are named by id or e-mail address. Lending the right of another ``owner`` takes
        the permission to manage policies. ``to`` needs the permission to decide all the same.

        Raises:
            Forbidden: no permission.
            Invalid: no such account that may decide, twice the same, or not such a period.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)

        def work(tx: Tx) -> Delegation:
            lender = _account(tx, "from", owner or actor.id or "")
            if lender.id != actor.id:
                authorize(actor, Permission.POLICIES_MANAGE)
            borrower = _account(tx, "to", to)
            if borrower.id == lender.id:
                raise Invalid.field("to", "is the same account.")
            now = from_micros(tx.now())
            begins = max(starts_at or now, now)
            if not begins < ends_at <= begins + LONGEST:
                raise Invalid.field("endsAt", f"must be later, within {LONGEST.days} days.")
            return store.create(
                tx,
                store.person(lender),
                store.person(borrower),
                starts_at=starts_at and begins,
                ends_at=ends_at,
                actor=actor,
            )

        return self._db.write(work)

    def revoke(self, actor: Actor, delegation_id: str) -> Delegation:
        """End a delegation of the actor's own right; of others with leave to manage policies.

        Raises:
            Forbidden: no permission.
            NotFound: there is none that is open.
        """
        authorize(actor, Permission.CHECKPOINTS_DECIDE)

        def work(tx: Tx) -> Delegation:
            found = store.get(tx, delegation_id)
            if found is None:
                raise NotFound(f"There is no open delegation {delegation_id}.")
            if found.from_id != actor.id:
                authorize(actor, Permission.POLICIES_MANAGE)
            return store.revoke(tx, delegation_id, actor)

        return self._db.write(work)


def _account(queries: Queries, field: str, wanted: str) -> User:
    """Return the account named by id or e-mail address.

    Raises:
        Invalid: there is none, or it may not decide.
    """
    plain = wanted.strip()
    found = accounts.find(queries, plain) or accounts.by_email(queries, plain.lower())
    if found is None or found.disabled or found.role not in {r.value for r in DECIDING_ROLES}:
        raise Invalid.field(field, "is no account that may decide.")
    return found
