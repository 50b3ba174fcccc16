"""Signing in and out, who a session belongs to, and the first account of all."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace

from agent_console.domain.access import Actor, Role
from agent_console.domain.errors import ConsoleError, Invalid, RateLimited, Unauthenticated
from agent_console.domain.events import Event
from agent_console.domain.records import User
from agent_console.services.access_base import (
    CACHE_SECONDS,
    AccessBase,
    SessionGrant,
    actor_of,
    checked_email,
    checked_name,
    sha256,
)
from agent_console.services.passwords import check_password
from agent_console.services.throttle import delay_after
from agent_console.store import accounts, sessions
from agent_console.store.accounts import Credentials, NewUser
from agent_console.store.ids import new_id
from agent_console.store.transactions import Tx

SETUP_SECONDS = 900.0
SEEN_SECONDS = 60.0  # a session in use is marked at most this often
_CACHE_SIZE = 10_000
_MAX_AGENT = 300  # characters of the browser's name that are kept

_log = logging.getLogger(__name__)


class SignIn(AccessBase):
    """Sessions. These methods take no actor: they are how one comes to be one."""

    def needs_setup(self) -> bool:
        """Say whether there is no account yet."""
        with self._db.read() as reader:
            return not accounts.any_user(reader)

    def create_setup_link(self) -> str:
        """Return the secret of a new single-use link to make the first admin; lasts 15 minutes.

        Raises:
            Conflict: there is an account already.
        """
        secret = secrets.token_urlsafe(32)
        self._db.write(lambda tx: accounts.add_setup_link(tx, sha256(secret), SETUP_SECONDS))
        return secret

    def claim_setup(
        self, token: str, email: str, name: str, password: str, *, ip: str | None = None
    ) -> User:
        """Make the first admin. Of two claims at the same time one wins.

        Raises:
            Unauthenticated: the link is used, expired or unknown.
            Invalid: a field is not acceptable.
            Conflict: there is an account already.
        """
        link = sha256(token)
        with self._db.read() as reader:  # before the costly hash
            if not accounts.setup_link_is_open(reader, link):
                raise _closed()
        address = checked_email(email)
        shown = checked_name(name)
        check_password(password, email=address)
        new = NewUser(
            id=new_id("usr"),
            email=address,
            name=shown,
            role=Role.ADMIN.value,
            password_hash=self._passwords.hash(password),
        )
        return self._db.write(lambda tx: _claim(tx, link, new, ip))

    def login(
        self, email: str, password: str, *, ip: str | None = None, user_agent: str | None = None
    ) -> SessionGrant:
        """Open a session: always a new one, whatever the browser had before.

        An unknown account costs the same work and gets the same answer as a wrong password.

        Raises:
            Unauthenticated: address and password do not fit.
            RateLimited: too many failures; ``retryAfter`` is in seconds.
        """
        address = _plain(email)
        known = self._credentials(address)
        self._wait_for_turn(address, known, ip)
        usable = known if known is not None and not known.user.disabled else None
        stored = None if usable is None else usable.password_hash
        fits = self._passwords.matches(stored, password)
        if usable is None or not fits:
            self._failed(address, known, ip)  # a disabled account shows no other pace
            raise Unauthenticated("The e-mail address or the password is not right.")
        rehashed = self._passwords.rehashed(usable.password_hash, password)
        grant = self._open(usable.user, rehashed, ip, user_agent)
        self._throttle.forget(address)
        return grant

    def logout(self, secret: str) -> None:
        """End the session; no word about one that has ended before."""
        session_id = sha256(secret)
        self._cache.pop(session_id, None)

        def work(tx: Tx) -> None:
            user_id = sessions.revoke_session(tx, session_id)
            if user_id is not None:
                actor = actor_of(accounts.by_id(tx, user_id), session=session_id)
                tx.record(Event(action="user.signed_out", actor=actor, subject_id=user_id))

        self._db.write(work)

    def remembered_actor(self, secret: str, ip: str | None = None) -> Actor | None:
        """Return who the session belongs to if that was read a moment ago; asks no database."""
        actor, until = self._cache.get(sha256(secret), (None, 0.0))
        known = actor is not None and self._clock.monotonic() < until
        return replace(actor, ip=ip) if actor is not None and known else None

    def actor_for_session(self, secret: str, ip: str | None = None) -> Actor | None:
        """Return who the session belongs to; None when it has ended or never was."""
        if (known := self.remembered_actor(secret, ip)) is not None:
            return known
        actor = self.actors_for_sessions([secret]).get(secret)
        return None if actor is None else replace(actor, ip=ip)

    def actors_for_sessions(self, given: Sequence[str]) -> dict[str, Actor]:
        """Return who the sessions of the ``given`` secrets belong to, read now in one statement.

        Those that have ended or never were are left out.
        """
        ids = {sha256(secret): secret for secret in given}
        until = self._clock.monotonic() + CACHE_SECONDS
        with self._db.read() as reader:
            live = sessions.live_sessions(reader, [*ids], self._options.session_idle)
        often = min(SEEN_SECONDS, self._options.session_idle / 4)
        self._mark_seen([session_id for session_id, row in live.items() if row.unseen >= often])
        found = {each: actor_of(row.user, session=each) for each, row in live.items()}
        for session_id in ids.keys() - found.keys():
            self._cache.pop(session_id, None)
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache.update((each, (actor, until)) for each, actor in found.items())
        return {ids[session_id]: actor for session_id, actor in found.items()}

    def _mark_seen(self, session_ids: Sequence[str]) -> None:
        if not session_ids:
            return
        try:
            self._db.write(lambda tx: sessions.seen(tx, session_ids))
        except ConsoleError:
            # Who can be read must not be turned away because nothing can be written just now.
            _log.warning("sessions in use could not be marked as seen", exc_info=True)

    def _credentials(self, address: str) -> Credentials | None:
        with self._db.read() as reader:
            return accounts.credentials(reader, address)

    def _wait_for_turn(self, address: str, known: Credentials | None, ip: str | None) -> None:
        of_account = self._throttle.wait(address) if known is None else known.wait
        of_address = self._addresses.wait(ip) if ip else 0.0
        seconds = max(of_account, of_address)
        if seconds > 0:
            wait = math.ceil(seconds)
            raise RateLimited(f"Too many attempts; try again in {wait} s.", retryAfter=wait)

    def _failed(self, address: str, known: Credentials | None, ip: str | None) -> None:
        if ip:
            self._addresses.failed(ip)
        if known is None:
            self._throttle.failed(address)
            return
        user, delay = known.user, delay_after(known.failed_logins + 1)

        def work(tx: Tx) -> None:
            accounts.failed(tx, user.id, delay)
            stranger = Actor(kind="anonymous", name="anonymous", ip=ip)
            tx.record(Event(action="user.sign_in_failed", actor=stranger, subject_id=user.id))

        self._db.write(work)

    def _open(
        self, user: User, rehashed: str | None, ip: str | None, user_agent: str | None
    ) -> SessionGrant:
        secret = secrets.token_urlsafe(32)
        actor = actor_of(user, session=sha256(secret), ip=ip)

        def work(tx: Tx) -> SessionGrant:
            accounts.succeeded(tx, user.id, rehashed)
            expires_at = sessions.open_session(
                tx,
                sha256(secret),
                user.id,
                lifetime=self._options.session_lifetime,
                ip=ip,
                user_agent=_printable(user_agent),
            )
            tx.record(Event(action="user.signed_in", actor=actor, subject_id=user.id))
            return SessionGrant(secret=secret, actor=actor, expires_at=expires_at)

        return self._db.write(work)


def _claim(tx: Tx, link: str, new: NewUser, ip: str | None) -> User:
    if not accounts.use_setup_link(tx, link):
        raise _closed()
    user = accounts.insert_first(tx, new)
    tx.record(
        Event(
            action="user.created",
            actor=actor_of(user, ip=ip),
            subject_id=user.id,
            data={"email": user.email, "role": user.role, "firstAdmin": True},
        )
    )
    return user


def _closed() -> Unauthenticated:
    return Unauthenticated(
        "This setup link is used, expired or unknown; restart the console for a new one."
    )


def _plain(email: str) -> str:
    """Return the address to look for; what is no address finds no account, at equal cost."""
    try:
        return checked_email(email)
    except Invalid:
        return ""


def _printable(value: str | None) -> str | None:
    return None if value is None else "".join(c for c in value if c.isprintable())[:_MAX_AGENT]
