"""Secrets that lie in the database: encrypted with a key from the keystore, and nowhere else.

Where secrets belong to rows that come and go (the addresses of notifications), the row holds the
ciphertext, so that it is made and deleted with it and every machine that has the key can read it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from agent_console.domain.errors import Misconfigured
from agent_console.gateways.keystore import Keystore, SecretStore, open_keystore, open_store
from agent_console.settings import Settings

_MARK = b"agent_console vault key\n"


class Vault:
    """Encrypts with the keystore's secret ``name``, which is made when it is first needed."""

    def __init__(self, name: str, keystore: Keystore, store: Callable[[], SecretStore]) -> None:
        """Read from ``keystore``; ``store`` opens the one that can be written."""
        self.name = name
        self._keystore, self._store = keystore, store

    @property
    def opens(self) -> bool:
        """Whether this process has a key.

        Raises:
            Misconfigured: the keystore cannot be opened.
        """
        return bool(self._keys())

    def close(self, text: str) -> str:
        """Return ``text`` encrypted.

        Raises:
            Misconfigured: there is no key, and the keystore cannot be written.
        """
        keys = self._keys()
        if not keys:
            value = base64.b64encode(secrets.token_bytes(32)).decode()
            # Should two processes make it at once, both stay acceptable.
            self._store().put(self.name, value, keep_previous=True)
            keys = self._keys()
        return MultiFernet(keys).encrypt(text.encode()).decode()

    def open(self, token: str) -> str:
        """Return what was encrypted.

        Raises:
            Misconfigured: the keystore lacks the key.
        """
        keys = self._keys()
        try:
            return MultiFernet(keys).decrypt(token.encode()).decode() if keys else self._lack()
        except InvalidToken:
            return self._lack()

    def _lack(self) -> str:
        raise Misconfigured(
            f"The keystore of this process lacks the key {self.name} this was encrypted with."
        ) from None

    def _keys(self) -> list[Fernet]:
        return [Fernet(_derived(value)) for value in self._keystore.versions(self.name)]


def open_vault(settings: Settings, name: str) -> Vault:
    """Return the vault of this installation; nothing is opened before it is used."""
    return Vault(name, open_keystore(settings), lambda: open_store(settings))


def _derived(value: str) -> bytes:
    """Return a key of the form the cipher takes, whatever secret somebody has set."""
    return base64.urlsafe_b64encode(hashlib.sha256(_MARK + value.encode()).digest())
