"""The encrypted file: secrets under a key that lies beside it, or under a passphrase.

``keystore.json`` holds one Fernet token (AES with an HMAC) with all records in it, so none of them
can be read, changed, moved or left out. The key is in a file of its own that can lie elsewhere,
or is derived from a passphrase by scrypt. Several keys in the key file, newest first, are what a
rotation that was interrupted leaves; all of them open, the first one closes.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from agent_console.domain.errors import Misconfigured
from agent_console.gateways import keystore_records as records
from agent_console.gateways.keystore import SecretInfo, check_name, check_value
from agent_console.gateways.keystore_records import Versions
from agent_console.gateways.private_files import locked, read_private, write_private

FILE, KEY_FILE, LOCK = "keystore.json", "keystore.key", "keystore.lock"
FORMAT = 1
SCRYPT_COST = 2**15  # 32 MiB, about a tenth of a second: once per process
_SALT = 16  # bytes

Records = dict[str, Versions]


class FileKeystore:
    """Secrets in ``folder``. Nothing is made before the first secret is stored."""

    def __init__(
        self, folder: Path, *, key_file: Path | None = None, passphrase: str | None = None
    ) -> None:
        """Keep the names; ``key_file`` defaults to one beside the store."""
        self.path = folder / FILE
        self.key_path = key_file or folder / KEY_FILE
        self._lock_path = folder / LOCK
        self._passphrase = passphrase
        self._lock = threading.RLock()
        self._derived: dict[tuple[str, str], Fernet] = {}

    @property
    def wants_new_passphrase(self) -> bool:
        """Say whether ``rekey`` needs to be given a passphrase."""
        document = self._document()
        return document is not None and document["protection"] == "passphrase"

    def get(self, name: str) -> str | None:
        """Return the secret called ``name``, or None.

        Raises:
            Misconfigured: the file is there and its key is not, or is another one.
        """
        values = self.versions(name)
        return values[0] if values else None

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the secret, then the one before its rotation."""
        return tuple(each.value for each in self._read().get(name, ()))

    def names(self) -> list[SecretInfo]:
        """Return what is stored, by name, without any value."""
        return [records.info(name, versions) for name, versions in sorted(self._read().items())]

    def put(self, name: str, value: str, *, keep_previous: bool = False) -> SecretInfo:
        """Store ``value``; with ``keep_previous`` the one before stays acceptable."""
        check_name(name)
        check_value(value)

        def change(held: Records) -> None:
            before = held.get(name, ())
            held[name] = records.renewed(before, value, keep_previous=keep_previous)

        return records.info(name, self._change(change)[name])

    def delete(self, name: str) -> bool:
        """Forget ``name``; say whether there was one."""
        if name not in self._read():
            return False
        found: list[Versions | None] = []
        self._change(lambda held: found.append(held.pop(name, None)))
        return found[0] is not None

    def rekey(self, passphrase: str | None = None) -> None:
        """Encrypt everything with a new key: a new key file, or ``passphrase``.

        A store under a key file goes over to the configured passphrase when there is one.

        Raises:
            Misconfigured: the store cannot be opened as it is.
        """
        with self._held():
            held = self._read()
            wanted = passphrase or self._passphrase
            if wanted is not None:
                check_value(wanted)
                self._write(held, *self._under_passphrase(wanted, os.urandom(_SALT)))
                self._passphrase = wanted
                self.key_path.unlink(missing_ok=True)
                return
            new = Fernet.generate_key()
            # Both keys first: whenever the power fails, the file can be opened by one of them.
            write_private(self.key_path, b"\n".join([new, *self._keys()]) + b"\n")
            self._write(held, {"protection": "key-file"}, Fernet(new))
            write_private(self.key_path, new + b"\n")

    def _change(self, change: Callable[[Records], None]) -> Records:
        with self._held():
            held = self._read()
            change(held)
            self._write(held, *self._protection())
            return held

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Change alone: among the threads of this process, and among processes."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock, locked(self._lock_path):
            yield

    def _protection(self) -> tuple[dict[str, str], Fernet | MultiFernet]:
        """Return how the file is protected, or will be when there is none yet."""
        document = self._document()
        if document is not None:
            return _header(document), self._opener(document)
        if self._passphrase is not None:
            return self._under_passphrase(self._passphrase, os.urandom(_SALT))
        if not self._keys():
            write_private(self.key_path, Fernet.generate_key() + b"\n")
        return {"protection": "key-file"}, MultiFernet([Fernet(key) for key in self._keys()])

    def _read(self) -> Records:
        document = self._document()
        if document is None:
            return {}
        try:
            plain = self._opener(document).decrypt(document["records"])
        except InvalidToken:
            raise Misconfigured(
                f"{self.path} cannot be opened: {self._named(document)} is not the one it was "
                "made with, or the file was changed."
            ) from None
        return {name: records.load(each) for name, each in json.loads(plain).items()}

    def _write(self, held: Records, header: dict[str, str], closer: Fernet | MultiFernet) -> None:
        plain = json.dumps({name: records.dump(each) for name, each in held.items()})
        document = {
            "format": FORMAT,
            **header,
            "updatedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "records": closer.encrypt(plain.encode()).decode(),
        }
        write_private(self.path, json.dumps(document, indent=1).encode() + b"\n")

    def _document(self) -> dict[str, Any] | None:
        content = read_private(self.path)
        if content is None:
            return None
        try:
            document = json.loads(content)
            if document["format"] == FORMAT and isinstance(document["records"], str):
                return dict(document)
        except (ValueError, KeyError, TypeError):
            raise Misconfigured(f"{self.path} is not a keystore, or is damaged.") from None
        raise Misconfigured(f"{self.path} was made by a newer agent_console.")

    def _opener(self, document: dict[str, Any]) -> Fernet | MultiFernet:
        if document["protection"] == "passphrase":
            if self._passphrase is None:
                raise Misconfigured(
                    f"{self.path} needs its passphrase: set AGENT_CONSOLE_KEYSTORE_PASSPHRASE."
                )
            salt = base64.b64decode(document["salt"])
            return self._under_passphrase(self._passphrase, salt)[1]
        keys = self._keys()
        if not keys:
            raise Misconfigured(
                f"{self.path} needs its key file, and {self.key_path} does not exist. Put it back, "
                "or set AGENT_CONSOLE_KEYSTORE_KEY_FILE to where it is."
            )
        return MultiFernet([Fernet(key) for key in keys])

    def _keys(self) -> list[bytes]:
        lines = (read_private(self.key_path) or b"").split()
        try:
            for line in lines:
                Fernet(line)
        except ValueError:
            raise Misconfigured(f"{self.key_path} is not a key file of the keystore.") from None
        return lines

    def _under_passphrase(self, passphrase: str, salt: bytes) -> tuple[dict[str, str], Fernet]:
        text = base64.b64encode(salt).decode()
        with self._lock:
            if (passphrase, text) not in self._derived:
                derived = Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(
                    passphrase.encode()
                )
                self._derived[passphrase, text] = Fernet(base64.urlsafe_b64encode(derived))
            return {"protection": "passphrase", "salt": text}, self._derived[passphrase, text]

    def _named(self, document: dict[str, Any]) -> str:
        if document["protection"] == "passphrase":
            return "the passphrase"
        return f"the key in {self.key_path}"


def _header(document: dict[str, Any]) -> dict[str, str]:
    return {name: document[name] for name in ("protection", "salt") if name in document}
