"""What the parts of the access service share: store, clock, and values of signing in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.clock import Clock
from agent_console.domain.errors import Invalid
from agent_console.domain.records import User
from agent_console.services.job_requests import text
from agent_console.services.passwords import Passwords
from agent_console.services.throttle import Throttle
from agent_console.store.database import Database

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}")
MAX_NAME = 120  # characters
CACHE_SECONDS = 1.0  # for which a revoked session may still pass in another process
FREE_TRIES_PER_ADDRESS = 30  # an office may share one address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """Seconds after which a session ends: unused, and in any case."""

    session_idle: float = 1800.0
    session_lifetime: float = 43_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGrant:
    """A new session; ``secret`` goes into the cookie and nowhere else."""

    secret: str
    actor: Actor
    expires_at: datetime


class AccessBase:
    """State of the access service."""

    def __init__(
        self, db: Database, *, clock: Clock, options: AccessOptions, passwords: Passwords
    ) -> None:
        """Work on ``db``; ``clock`` drives the cache and the throttles of this process."""
        self._db = db
        self._clock = clock
        self._options = options
        self._passwords = passwords
        self._throttle = Throttle(clock)
        self._addresses = Throttle(clock, free=FREE_TRIES_PER_ADDRESS)
        self._cache: dict[str, tuple[Actor, float]] = {}

    def _forget_sessions(self) -> None:
        """Let every cached session be read again: something about accounts has changed."""
        self._cache.clear()


def sha256(secret: str) -> str:
    """Return the hash under which a 256-bit secret is stored; such secrets need no salt."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def actor_of(user: User, *, session: str | None = None, ip: str | None = None) -> Actor:
    """Return the actor of somebody who is signed in."""
    role = Role(user.role)
    return Actor(
        kind="user",
        id=user.id,
        name=user.name or user.email,
        role=role,
        permissions=ROLE_PERMISSIONS[role],
        session=session,
        ip=ip,
    )


def checked_email(email: str) -> str:
    """Return the address as it is stored: trimmed, in lower case.

    Raises:
        Invalid: it is no address.
    """
    plain = email.strip().lower()
    if len(plain) > 254 or not plain.isprintable() or not _EMAIL.fullmatch(plain):
        raise Invalid.field("email", "is not an e-mail address.")
    return plain


def checked_name(name: str, field: str = "name") -> str:
    """Return the name, trimmed.

    Raises:
        Invalid: it is empty, too long or holds control characters.
    """
    plain = name.strip()
    text(field, plain, MAX_NAME)
    if not plain or not plain.isprintable():
        raise Invalid.field(field, "must be text that can be shown.")
    return plain


def checked_role(role: str) -> Role:
    """Return the role.

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return Role(role)
    except ValueError:
        listed = ", ".join(known.value for known in Role)
        raise Invalid.field("role", f"unknown value; known are {listed}.") from None
