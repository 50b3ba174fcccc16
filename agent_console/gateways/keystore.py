"""Where secrets come from: one interface, and behind it the environment, a file or the system.

Whoever needs a secret asks for it by name, when it is needed, and does not keep it. A variable of
the environment that has the secret's name goes before the store: an operator may always override.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from agent_console.domain.errors import Invalid, Misconfigured
from agent_console.domain.redaction import conceal
from agent_console.settings import Settings

MAX_VALUE = 65_536  # bytes of UTF-8
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")
_NOT_IN_VARIABLES = re.compile(r"[^A-Z0-9]")


class Keystore(Protocol):
    """Finds secrets by name; they are read when they are needed, and not kept by who asks."""

    def get(self, name: str) -> str | None:
        """Return the secret called ``name``, or None.

        Raises:
            Misconfigured: the store is there and cannot be opened.
        """
        ...

    def versions(self, name: str) -> tuple[str, ...]:
        """Return what ``name`` may be: the secret first, then the one before its rotation.

        Sign with the first; accept a signature made with any of them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretInfo:
    """What may be shown of a secret. ``previous`` says that the one before is accepted too."""

    name: str
    version: int
    created_at: datetime
    previous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """One value that a secret has, or had before its rotation."""

    version: int
    created_at: datetime
    value: str = field(repr=False)


class SecretStore(Keystore, Protocol):
    """A keystore that can be written."""

    def put(self, name: str, value: str, *, keep_previous: bool = False) -> SecretInfo:
        """Store ``value``; with ``keep_previous`` the one before stays acceptable."""
        ...

    def delete(self, name: str) -> bool:
        """Forget ``name``; say whether there was one."""
        ...

    def names(self) -> list[SecretInfo]:
        """Return what is stored, by name, without any value."""
        ...


class EnvironmentKeystore:
    """Secrets in environment variables; an empty one counts as none.

    The variable has the secret's name, or that name in capitals with ``_`` for anything else:
    ``webhook.orders`` is ``WEBHOOK_ORDERS``.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Read from ``variables``, by default those of the process."""
        self._variables = os.environ if variables is None else variables

    def get(self, name: str) -> str | None:
        """Return the variable called ``name``, or None."""
        return self._variables.get(name) or self._variables.get(variable_of(name)) or None

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the variable's value alone: the environment remembers nothing."""
        value = self.get(name)
        return () if value is None else (value,)


class LayeredKeystore:
    """Several keystores as one: a name is answered by the first that knows it.

    What it hands out is taken out of logs and reports from then on, wherever it stands.
    """

    def __init__(self, layers: Sequence[Keystore]) -> None:
        """Ask ``layers`` in order."""
        self._layers = tuple(layers)

    def get(self, name: str) -> str | None:
        """Return the secret called ``name``, or None."""
        found = (layer.get(name) for layer in self._layers)
        value = next((value for value in found if value is not None), None)
        conceal(value)
        return value

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the values of the first keystore that has any."""
        found = (layer.versions(name) for layer in self._layers)
        values = next((values for values in found if values), ())
        for value in values:
            conceal(value)
        return values


def variable_of(name: str) -> str:
    """Return the environment variable that may hold the secret ``name``."""
    return _NOT_IN_VARIABLES.sub("_", name.upper())


def check_name(name: str) -> None:
    """Refuse what cannot name a secret.

    Raises:
        Invalid: not letters, digits, ``_``, ``.`` and ``-`` after a letter.
    """
    if not _NAME.fullmatch(name):
        message = "must be a letter, then at most 127 letters, digits, '_', '.' or '-'."
        raise Invalid.field("name", message)


def check_value(value: str) -> None:
    """Refuse what cannot be a secret.

    Raises:
        Invalid: empty, too long, or not text that every store can hold.
    """
    if not value:
        raise Invalid.field("value", "must not be empty.")
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise Invalid.field("value", "must be text.")
    if len(value.encode()) > MAX_VALUE:
        raise Invalid.field("value", f"must be at most {MAX_VALUE:,} bytes.")


def open_store(settings: Settings) -> SecretStore:
    """Return the store that ``settings`` name; nothing is opened before it is asked.

    Raises:
        Misconfigured: the environment alone was chosen, or the system has no keyring.
    """
    if settings.keystore == "environment":
        raise Misconfigured(
            "AGENT_CONSOLE_KEYSTORE=environment: secrets are variables of the environment; there "
            "is no store to change. Use file or keyring."
        )
    # Both cost time to import, and most processes never ask for a secret.
    if settings.keystore == "keyring":
        from agent_console.gateways.keystore_system import SystemKeystore  # noqa: PLC0415

        return SystemKeystore(settings.data_dir)
    from agent_console.gateways.keystore_file import FileKeystore  # noqa: PLC0415

    return FileKeystore(
        settings.data_dir,
        key_file=settings.keystore_key_file,
        passphrase=settings.keystore_passphrase,
    )


class _Deferred:
    """The configured store, opened by the first question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store: SecretStore | None = None

    def get(self, name: str) -> str | None:
        return self._opened().get(name)

    def versions(self, name: str) -> tuple[str, ...]:
        return self._opened().versions(name)

    def _opened(self) -> SecretStore:
        if self._store is None:
            self._store = open_store(self._settings)
        return self._store


def open_keystore(settings: Settings) -> Keystore:
    """Return where this console's secrets are: the environment, then the configured store."""
    if settings.keystore == "environment":
        return LayeredKeystore([EnvironmentKeystore()])
    return LayeredKeystore([EnvironmentKeystore(), _Deferred(settings)])
