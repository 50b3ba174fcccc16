"""Passwords: what is acceptable, and hashing that cannot be used to exhaust the machine."""

from __future__ import annotations

import base64
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from agent_console.domain.errors import Invalid, RateLimited

MIN_LENGTH = 12
RECOMMENDED_LENGTH = 15
MAX_LENGTH = 256  # hashing work grows with the length
CONCURRENT_HASHES = 2  # each takes 64 MiB and about a tenth of a second
MAX_WAIT = 4.0  # seconds for a turn

# Stems of what tops every list of leaked passwords; digits and signs around them do not help.
_COMMON_TEXT = """
password passwort motdepasse contrasena senha parola haslo wachtwoord passw0rd p@ssw0rd
passwordpassword letmein letmeinplease welcome welcometo admin administrator adminadmin root
rootroot superuser user username login loginlogin default changeme changeit changethis secret
topsecret secretpassword mypassword thepassword newpassword yourpassword qwerty qwertyuiop
qwertyuiopasdf qwertzuiop azertyuiop asdfghjkl asdfghjklqwerty zxcvbnm qwertyqwerty qazwsxedc
qazwsxedcrfv zaqxswcde iloveyou iloveyouforever ilovemyself iloveyousomuch trustno monkey dragon
sunshine princess football baseball basketball superman batman spiderman pokemon starwars
jesuschrist correcthorsebatterystaple computer internet whatever nothing abcdefgh abcdefghijkl
abcdefghijklm agentconsole agentconsoleadmin reviewer operator
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)


def check_password(password: str, *, email: str = "") -> None:
    """Refuse what is short, endless, common or the e-mail address again.

    No rules of composition: they make passwords worse (NIST SP 800-63B).

    Raises:
        Invalid: says what to do better.
    """
    if len(password) < MIN_LENGTH:
        message = f"needs at least {MIN_LENGTH} characters; {RECOMMENDED_LENGTH} are better."
        raise Invalid.field("password", message)
    if len(password) > MAX_LENGTH:
        raise Invalid.field("password", f"must have at most {MAX_LENGTH} characters.")
    if "\x00" in password or any("\ud800" <= c <= "\udfff" for c in password):
        raise Invalid.field("password", "contains a character that cannot be typed.")
    if _is_guessable(password.lower(), email.lower()):
        raise Invalid.field("password", "is too easy to guess; a few random words are better.")


def _is_guessable(password: str, email: str) -> bool:
    letters = re.sub(r"[\W\d_]+", "", password)
    stem = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    local = email.partition("@")[0]
    plain = re.sub(r"[\W_]+", "", password)
    return (
        len(set(password)) < 5
        or letters in _COMMON
        or stem in _COMMON
        or any(plain in run or plain in run[::-1] for run in _RUNS)
        or _repeats(password)
        or (len(local) >= 4 and password.replace(local, "").strip("0123456789!@._-") == "")
        or password == email
    )


def _repeats(password: str) -> bool:
    """Say whether a short piece, up to four characters, is all there is."""
    return any(
        password == (password[:size] * len(password))[: len(password)] for size in range(1, 5)
    )


class Passwords:
    """Argon2id with the library's parameters (64 MiB, 3 passes, 4 lanes)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """``hasher`` replaces the default (tests use cheap parameters)."""
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(CONCURRENT_HASHES)
        self._decoy = _decoy(self._hasher)

    def hash(self, password: str) -> str:
        """Return the hash to store.

        Raises:
            RateLimited: too many hashes are being made.
        """
        with self._turn():
            return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Say whether ``password`` is the one of ``stored``.

        None stands for an unknown account: the same work is done, so that time tells nothing.

        Raises:
            RateLimited: too many hashes are being made.
        """
        attempt = password[:MAX_LENGTH].encode(errors="replace")
        with self._turn():
            try:
                self._hasher.verify(stored or self._decoy, attempt)
            except (VerifyMismatchError, InvalidHashError):
                return False
        return stored is not None

    def rehashed(self, stored: str, password: str) -> str | None:
        """Return a new hash when the parameters have changed since ``stored``, else None."""
        return self.hash(password) if self._hasher.check_needs_rehash(stored) else None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=MAX_WAIT):
            raise RateLimited("Too many people are signing in; try again shortly.", retryAfter=2)
        try:
            yield
        finally:
            self._turns.release()


def _decoy(hasher: PasswordHasher) -> str:
    """Return a hash of nothing anybody knows, which costs as much to compare as a real one."""

    def text(size: int) -> str:
        return base64.b64encode(os.urandom(size)).decode().rstrip("=")

    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${text(hasher.salt_len)}${text(hasher.hash_len)}"
