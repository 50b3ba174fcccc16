"""The operating system's keyring: Keychain, Credential Locker, Secret Service, KWallet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, PasswordDeleteError

from agent_console.domain.errors import Misconfigured, Unavailable
from agent_console.gateways import keystore_records as records
from agent_console.gateways.keystore import SecretInfo, check_name, check_value
from agent_console.gateways.keystore_records import Versions
from agent_console.gateways.private_files import locked

SERVICE = "agent-console"
INDEX = "."  # no secret can have this name; keyrings cannot say what they hold
LOCK = "keystore.lock"


class SystemKeystore:
    """Secrets in the keyring of the account that runs the process."""

    def __init__(self, folder: Path, backend: KeyringBackend | None = None) -> None:
        """Use ``backend``, by default the system's; ``folder`` keeps the lock of writers.

        Raises:
            Misconfigured: the system has no keyring that protects what it holds.
        """
        self._folder = folder
        self._backend = keyring.get_keyring() if backend is None else backend
        # Backends that store plain text, or nothing, rate themselves below 1.
        if self._backend.priority < 1:
            raise Misconfigured(
                "AGENT_CONSOLE_KEYSTORE=keyring: this system has no keyring that this account can "
                "use. Use file, the default."
            )

    def get(self, name: str) -> str | None:
        """Return the secret called ``name``, or None."""
        values = self.versions(name)
        return values[0] if values else None

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the secret, then the one before its rotation."""
        with _translated():
            return tuple(each.value for each in self._load(name))

    def names(self) -> list[SecretInfo]:
        """Return what is stored, by name, without any value."""
        with _translated():
            held = {name: self._load(name) for name in self._index()}
        # The index is written first: a name without a secret was never finished.
        return [records.info(name, versions) for name, versions in held.items() if versions]

    def put(self, name: str, value: str, *, keep_previous: bool = False) -> SecretInfo:
        """Store ``value``; with ``keep_previous`` the one before stays acceptable."""
        check_name(name)
        check_value(value)
        with _translated(), self._alone():
            self._backend.set_password(SERVICE, INDEX, json.dumps(sorted({*self._index(), name})))
            versions = records.renewed(self._load(name), value, keep_previous=keep_previous)
            self._backend.set_password(SERVICE, name, records.dumps(versions))
        return records.info(name, versions)

    def delete(self, name: str) -> bool:
        """Forget ``name``; say whether there was one."""
        with _translated(), self._alone():
            try:
                self._backend.delete_password(SERVICE, name)
            except PasswordDeleteError:
                return False
            left = [each for each in self._index() if each != name]
            self._backend.set_password(SERVICE, INDEX, json.dumps(left))
        return True

    def _load(self, name: str) -> Versions:
        text = None if name == INDEX else self._backend.get_password(SERVICE, name)
        return () if text is None else records.loads(text)

    def _index(self) -> list[str]:
        text = self._backend.get_password(SERVICE, INDEX)
        return [] if text is None else [str(name) for name in json.loads(text)]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self._folder / LOCK):
            yield


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KeyringError as error:
        kind = type(error).__name__
        raise Unavailable(f"The system's keyring does not answer ({kind}).") from error
