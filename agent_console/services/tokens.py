"""API tokens: ``ac_<id>_<secret>``, shown once, hashed at rest."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission, Role, authorize
from agent_console.domain.errors import ConsoleError, Forbidden, Invalid, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.records import User
from agent_console.services.access_base import (
    AccessBase,
    actor_of,
    checked_email,
    checked_name,
    sha256,
)
from agent_console.store import accounts, sessions
from agent_console.store.ids import new_id
from agent_console.store.sessions import ApiTokenView
from agent_console.store.transactions import Tx

DEFAULT_DAYS, MAX_DAYS = 90, 3650
USED_SECONDS = 60.0  # a token in use is marked at most this often
_FORM = re.compile(r"ac_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_PREFIX = "tok"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """A new token; ``token`` is shown once and kept nowhere."""

    token: str
    id: str
    scopes: tuple[Permission, ...]
    expires_at: datetime


class Tokens(AccessBase):
    """API tokens. Every method with an actor checks the actor's permission itself."""

    def create_token(
        self,
        actor: Actor,
        email: str,
        *,
        name: str,
        scopes: Sequence[str] | None = None,
        days: int = DEFAULT_DAYS,
    ) -> TokenGrant:
        """Make a token of the account with ``email``; by default with all that it may do.

        Raises:
            Forbidden: it is somebody else's account and the actor does not manage accounts.
            Invalid: an unknown scope, one that account or actor do not have, days out of bounds.
            NotFound: there is no such account.
        """
        authorize(actor, Permission.TOKENS_OWN)
        if not 1 <= days <= MAX_DAYS:
            raise Invalid.field("days", f"must be between 1 and {MAX_DAYS}.")
        shown = checked_name(name)
        owner = self._owner(actor, email)
        granted = _granted(actor, Role(owner.role), scopes)
        token_id, secret = new_id(_PREFIX), secrets.token_urlsafe(32)

        def work(tx: Tx) -> datetime:
            expires_at = sessions.add_token(
                tx,
                token_id,
                owner.id,
                name=shown,
                digest=sha256(secret),
                scopes=[scope.value for scope in granted],
                days=days,
            )
            listed: list[Json] = [scope.value for scope in granted]
            data: dict[str, Json] = {"name": shown, "owner": owner.id, "scopes": listed}
            tx.record(Event(action="token.created", actor=actor, subject_id=token_id, data=data))
            return expires_at

        return TokenGrant(
            token=f"ac_{token_id.removeprefix(f'{_PREFIX}_')}_{secret}",
            id=token_id,
            scopes=granted,
            expires_at=self._db.write(work),
        )

    def tokens(self, actor: Actor) -> list[ApiTokenView]:
        """Return the actor's own tokens; all of them to who manages accounts."""
        authorize(actor, Permission.TOKENS_OWN)
        if not actor.may(Permission.USERS_MANAGE) and actor.id is None:
            return []
        owner = None if actor.may(Permission.USERS_MANAGE) else actor.id
        with self._db.read() as reader:
            return sessions.tokens(reader, owner)

    def revoke_token(self, actor: Actor, token_id: str) -> None:
        """End a token, at once.

        Raises:
            NotFound: there is no such token, or it is somebody else's.
        """
        authorize(actor, Permission.TOKENS_OWN)

        def work(tx: Tx) -> None:
            owner = sessions.token_owner(tx, token_id)
            if owner is None or (owner != actor.id and not actor.may(Permission.USERS_MANAGE)):
                raise NotFound(f"There is no token {token_id}.")
            if sessions.revoke_token(tx, token_id):
                tx.record(Event(action="token.revoked", actor=actor, subject_id=token_id))

        self._db.write(work)

    def actor_for_token(self, bearer: str, ip: str | None = None) -> Actor | None:
        """Return who a token acts for, with what both its scopes and its owner's role allow.

        None when it is unknown, ended, or its account is disabled.
        """
        form = _FORM.fullmatch(bearer)
        if form is None:
            return None
        token_id = f"{_PREFIX}_{form[1]}"
        with self._db.read() as reader:
            row = sessions.live_token(reader, token_id)
        if row is None or not hmac.compare_digest(row.secret_hash, sha256(form[2])):
            return None
        if row.unused >= USED_SECONDS:
            self._mark_used(token_id)
        owner = actor_of(row.user, session=sha256(token_id), ip=ip)
        scopes = frozenset(scope for scope in owner.permissions if scope.value in row.scopes)
        return replace(owner, kind="token", permissions=scopes)

    def _mark_used(self, token_id: str) -> None:
        try:
            self._db.write(lambda tx: sessions.token_used(tx, token_id))
        except ConsoleError:
            # Who can be read must not be turned away because nothing can be written just now.
            _log.warning("the use of a token could not be noted", exc_info=True)

    def _owner(self, actor: Actor, email: str) -> User:
        address = checked_email(email)
        with self._db.read() as reader:
            found = accounts.by_email(reader, address)
        if found is None or found.id != actor.id:
            authorize(actor, Permission.USERS_MANAGE)
        if found is None:
            raise NotFound(f"There is no account {address}.")
        if found.disabled:
            raise Forbidden("This account is disabled.")
        return found


def _granted(actor: Actor, role: Role, wanted: Sequence[str] | None) -> tuple[Permission, ...]:
    """Return the scopes: those wanted, all of which account and actor must have.

    Deciding and commenting bring reading along.
    """
    possible = ROLE_PERMISSIONS[role] & actor.permissions
    if wanted is None:
        return tuple(sorted(possible))
    known = {permission.value: permission for permission in Permission}
    for scope in wanted:
        if scope not in known:
            raise Invalid.field("scopes", f"unknown scope; known are {', '.join(known)}.")
        if known[scope] not in possible:
            message = f"{scope} is more than this account ({role}) or you yourself may do."
            raise Invalid.field("scopes", message)
    if not wanted:
        raise Invalid.field("scopes", "name at least one scope.")
    granted = {known[scope] for scope in wanted}
    if granted & {Permission.CHECKPOINTS_DECIDE, Permission.CHECKPOINTS_COMMENT}:
        # Nobody can decide, or speak of, what they cannot see.
        granted.add(Permission.CHECKPOINTS_READ)
    return tuple(sorted(granted))
