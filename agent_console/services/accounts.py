"""Managing accounts."""

from __future__ import annotations

import math
from collections.abc import Callable

from agent_console.domain.access import Actor, Permission, Role, authorize
from agent_console.domain.errors import Forbidden, Invalid, RateLimited
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.records import User
from agent_console.services.access_base import (
    AccessBase,
    checked_email,
    checked_name,
    checked_role,
)
from agent_console.services.passwords import check_password
from agent_console.store import accounts, sessions
from agent_console.store.accounts import NewUser
from agent_console.store.ids import new_id
from agent_console.store.transactions import Tx


class Accounts(AccessBase):
    """Accounts. Every method checks the actor's permission itself.

    What changes here holds at once in this process, within a second in others.
    """

    def users(self, actor: Actor) -> list[User]:
        """Return all accounts, oldest first."""
        authorize(actor, Permission.USERS_MANAGE)
        with self._db.read() as reader:
            return accounts.users(reader)

    def create_user(self, actor: Actor, email: str, name: str, role: str, password: str) -> User:
        """Make an account.

        Raises:
            Invalid: a field is not acceptable.
            Conflict: the address is taken.
        """
        authorize(actor, Permission.USERS_MANAGE)
        address = checked_email(email)
        shown, known = checked_name(name), checked_role(role)
        check_password(password, email=address)
        new = NewUser(
            id=new_id("usr"),
            email=address,
            name=shown,
            role=known.value,
            password_hash=self._passwords.hash(password),
        )

        def work(tx: Tx) -> User:
            user = accounts.insert(tx, new)
            _record(tx, actor, "user.created", user, {"email": user.email, "role": user.role})
            return user

        return self._db.write(work)

    def set_role(self, actor: Actor, user_id: str, role: str) -> User:
        """Change what an account is for; its sessions end (they were granted for another role).

        Raises:
            Invalid: there is no such role.
            NotFound: there is no such account.
            Conflict: no enabled admin would be left.
        """
        authorize(actor, Permission.USERS_MANAGE)
        known: Role = checked_role(role)

        def work(tx: Tx) -> User:
            before = accounts.by_id(tx, user_id)
            user = accounts.change(tx, user_id, role=known.value)
            sessions.revoke_sessions(tx, user_id)
            data: dict[str, Json] = {"before": before.role, "after": user.role}
            _record(tx, actor, "user.role_changed", user, data)
            return user

        return self._changed(work)

    def set_disabled(self, actor: Actor, user_id: str, disabled: bool) -> User:
        """Disable an account, which ends its sessions and stops its tokens, or enable it again.

        Raises:
            NotFound: there is no such account.
            Conflict: no enabled admin would be left.
        """
        authorize(actor, Permission.USERS_MANAGE)

        def work(tx: Tx) -> User:
            user = accounts.change(tx, user_id, disabled=disabled)
            sessions.revoke_sessions(tx, user_id)
            _record(tx, actor, "user.disabled" if disabled else "user.enabled", user, {})
            return user

        return self._changed(work)

    def set_password(self, actor: Actor, user_id: str, password: str) -> User:
        """Give an account a new password; its sessions end.

        Raises:
            Invalid: the password is not acceptable.
            NotFound: there is no such account.
        """
        authorize(actor, Permission.USERS_MANAGE)
        return self._set_password(actor, user_id, password)

    def change_password(self, actor: Actor, *, current: str, new: str) -> User:
        """Change one's own password; all own sessions end, sign in again.

        Raises:
            Forbidden: the actor is a token or a command: they have no password to know.
            Invalid: ``current`` is wrong, or ``new`` is not acceptable.
            RateLimited: ``current`` was wrong too often; ``retryAfter`` is in seconds.
        """
        authorize(actor, Permission.TOKENS_OWN)
        if actor.kind != "user" or actor.id is None:
            raise Forbidden("Only somebody who is signed in can change their own password.")
        with self._db.read() as reader:
            user = accounts.by_id(reader, actor.id)
            known = accounts.credentials(reader, user.email)
        wait = math.ceil(self._throttle.wait(f"own {actor.id}"))
        if wait:
            raise RateLimited(f"Too many attempts; try again in {wait} s.", retryAfter=wait)
        if known is None or not self._passwords.matches(known.password_hash, current):
            self._throttle.failed(f"own {actor.id}")
            raise Invalid.field("current", "is not your password.")
        return self._set_password(actor, actor.id, new)

    def _set_password(self, actor: Actor, user_id: str, password: str) -> User:
        with self._db.read() as reader:
            check_password(password, email=accounts.by_id(reader, user_id).email)
        hashed = self._passwords.hash(password)

        def work(tx: Tx) -> User:
            user = accounts.change(tx, user_id, password_hash=hashed)
            sessions.revoke_sessions(tx, user_id)
            _record(tx, actor, "user.password_changed", user, {})
            return user

        return self._changed(work)

    def _changed(self, work: Callable[[Tx], User]) -> User:
        user = self._db.write(work)
        self._forget_sessions()
        return user


def _record(tx: Tx, actor: Actor, action: str, user: User, data: dict[str, Json]) -> None:
    tx.record(Event(action=action, actor=actor, subject_id=user.id, data=data))
