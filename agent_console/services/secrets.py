"""Secrets of the installation: who stored, read or changed which one is in the journal."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Misconfigured, NotFound
from agent_console.domain.events import Event
from agent_console.domain.redaction import conceal
from agent_console.gateways.keystore import (
    EnvironmentKeystore,
    SecretInfo,
    SecretStore,
    check_name,
    check_value,
)
from agent_console.store.database import Database

GENERATED = 32  # random bytes of a secret that nobody chose


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """What may be shown of a secret; ``overridden``: a variable of the environment is used."""

    info: SecretInfo
    overridden: bool


@runtime_checkable
class Rekeyable(SecretStore, Protocol):
    """A store whose encryption key is ours to change."""

    @property
    def wants_new_passphrase(self) -> bool:
        """Say whether ``rekey`` needs to be given a passphrase."""
        ...

    def rekey(self, passphrase: str | None = None) -> None:
        """Encrypt everything with a new key, or with ``passphrase``."""
        ...


class SecretService:
    """Use cases of the keystore. Every method checks the actor's permission itself.

    The journal is written first: what could not be recorded is not done.
    """

    def __init__(self, db: Database, store: Callable[[], SecretStore]) -> None:
        """Journal in ``db``; ``store`` opens the configured keystore."""
        self._db = db
        self._store = store

    def names(self, actor: Actor) -> list[StoredSecret]:
        """Return the stored secrets by name, without any value.

        Raises:
            Misconfigured: the store cannot be opened.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        variables = EnvironmentKeystore()
        return [
            StoredSecret(info=each, overridden=variables.get(each.name) is not None)
            for each in self._store().names()
        ]

    def reveal(self, actor: Actor, name: str) -> str:
        """Return the stored secret itself; the journal says who saw it.

        Raises:
            NotFound: nothing of that name is stored.
            Misconfigured: the store cannot be opened.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        check_name(name)
        value = self._store().get(name)
        if value is None:
            raise NotFound(f"There is no secret {name}.")
        conceal(value)
        self._journal(actor, "secret.revealed", name)
        return value

    def set(self, actor: Actor, name: str, value: str) -> SecretInfo:
        """Store ``value``; what was there before is forgotten and accepted no more.

        Raises:
            Invalid: the name or the value is not acceptable.
            Misconfigured: the store cannot be opened.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        check_name(name)
        check_value(value)
        conceal(value)
        store = self._store()
        self._journal(actor, "secret.set", name)
        return store.put(name, value)

    def rotate(self, actor: Actor, name: str, value: str | None = None) -> SecretInfo:
        """Replace the secret by ``value`` (None: a random one); the one before stays acceptable.

        Raises:
            NotFound: there is nothing to rotate.
            Invalid: the value is not acceptable.
            Misconfigured: the store cannot be opened.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        check_name(name)
        value = generated() if value is None else value
        check_value(value)
        conceal(value)
        store = self._store()
        if store.get(name) is None:
            raise NotFound(f"There is no secret {name} to rotate.")
        self._journal(actor, "secret.rotated", name)
        return store.put(name, value, keep_previous=True)

    def delete(self, actor: Actor, name: str) -> None:
        """Forget the secret.

        Raises:
            NotFound: nothing of that name is stored.
            Misconfigured: the store cannot be opened.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        check_name(name)
        store = self._store()
        if store.get(name) is None:
            raise NotFound(f"There is no secret {name}.")
        self._journal(actor, "secret.deleted", name)
        store.delete(name)

    def needs_passphrase(self, actor: Actor) -> bool:
        """Say whether ``rekey`` has to be given the new passphrase.

        Raises:
            Misconfigured: as in ``rekey``.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        return self._file_store().wants_new_passphrase

    def rekey(self, actor: Actor, passphrase: str | None = None) -> None:
        """Encrypt the store with a new key, or with ``passphrase``; the secrets stay.

        Raises:
            Misconfigured: the store cannot be opened, or is not a file of ours.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        store = self._file_store()
        store.names()  # opens it: a journal entry about what could not begin would mislead
        self._journal(actor, "keystore.rekeyed", None)
        store.rekey(passphrase)

    def _file_store(self) -> Rekeyable:
        store = self._store()
        if not isinstance(store, Rekeyable):
            raise Misconfigured(
                "The system's keyring keeps its own key; it cannot be changed here."
            )
        return store

    def _journal(self, actor: Actor, action: str, name: str | None) -> None:
        event = Event(action=action, actor=actor, subject_id=name)
        self._db.write(lambda tx: tx.record(event))


def generated() -> str:
    """Return a new random secret: 256 bits in Base64, a form that every signer takes."""
    return base64.b64encode(secrets.token_bytes(GENERATED)).decode()
