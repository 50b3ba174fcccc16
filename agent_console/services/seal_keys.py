"""The keys that sign the journal's seals: secrets ``audit.seal.1``, ``audit.seal.2`` and so on."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from agent_console.gateways.keystore import Keystore, SecretStore, open_keystore, open_store
from agent_console.settings import Settings

NAME = "audit.seal"
_MARK = b"agent_console seal key\n"


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key and its id: its number, and a fingerprint that tells it from others of that number."""

    number: int
    id: str
    value: bytes = field(repr=False)


class SealKeys:
    """Finds keys by id. A key is made once, at the first seal; later ones by ``rotate`` only.

    No seal is signed with a key made in passing: a machine without the keystore would go on under
    a key of its own, and nobody could tell that from somebody who has cut the journal.
    """

    def __init__(self, keystore: Keystore, store: Callable[[], SecretStore]) -> None:
        """Read from ``keystore``; ``store`` opens the one that can be written."""
        self._keystore, self._store = keystore, store

    def newest(self, floor: int = 0) -> SealKey | None:
        """Return the key with the highest number; up to ``floor`` numbers may be missing.

        Raises:
            Misconfigured: the keystore cannot be opened.
        """
        found: SealKey | None = None
        for number in count(1):
            value = self._keystore.get(f"{NAME}.{number}")
            if value is not None:
                found = _key(number, value)
            elif number > floor:
                break
        return found

    def signing(self, last_key_id: str | None) -> SealKey | None:
        """Return the key to sign the seal after one signed with ``last_key_id`` (None: the first).

        None: this process does not hold that key, nor one made after it.

        Raises:
            Misconfigured: the keystore cannot be opened, or (at the first seal) not be written.
        """
        if last_key_id is None:
            return self.newest() or self.rotate(None)
        last = number_of(last_key_id)
        key = self.newest(last)
        if key is None or key.number < last:
            return None
        known = key.number > last or self.find(last_key_id) is not None
        return key if known else None

    def find(self, key_id: str) -> bytes | None:
        """Return the key called ``key_id``, if the keystore has it.

        Raises:
            Misconfigured: the keystore cannot be opened.
        """
        number = number_of(key_id)
        values = self._keystore.versions(f"{NAME}.{number}") if number > 0 else ()
        keys = (_key(number, value) for value in values)
        return next((key.value for key in keys if key.id == key_id), None)

    def rotate(self, last_key_id: str | None) -> SealKey:
        """Make the key after all others; the ones before stay, to verify with.

        ``last_key_id`` is the newest that signed, whether this keystore has it or not.

        Raises:
            Misconfigured: the keystore cannot be written.
        """
        last = 0 if last_key_id is None else number_of(last_key_id)
        before = self.newest(last)
        number = max(last, 0 if before is None else before.number) + 1
        value = base64.b64encode(secrets.token_bytes(32)).decode()
        # Should two processes make the first key at once, both stay acceptable, one is used.
        self._store().put(f"{NAME}.{number}", value, keep_previous=True)
        return _key(number, self._keystore.get(f"{NAME}.{number}") or value)


def seal_keys(settings: Settings) -> SealKeys:
    """Return the keys of this installation; nothing is opened before it is asked."""
    return SealKeys(open_keystore(settings), lambda: open_store(settings))


def _key(number: int, value: str) -> SealKey:
    fingerprint = hashlib.sha256(_MARK + value.encode()).hexdigest()[:16]
    return SealKey(number, f"{number}-{fingerprint}", value.encode())


def number_of(key_id: str) -> int:
    """Return the number of the key called ``key_id``; 0: it is no such id."""
    number = key_id.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() else 0
