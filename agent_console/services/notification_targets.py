"""Where messages go: a secret, checked when it is given, encrypted where it lies."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_console.domain.destinations import AllowedHost, check_allowed, destination
from agent_console.domain.errors import FieldError, Invalid, Misconfigured
from agent_console.domain.redaction import conceal
from agent_console.gateways.apprise_targets import conceal_target
from agent_console.gateways.signing import PREFIX
from agent_console.gateways.vault import Vault

_BYTES = range(24, 65)  # of a signing secret, as Standard Webhooks says


@dataclass(frozen=True, slots=True)
class Target:
    """A URL and, of a webhook, the secret that signs."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)

    def closed(self, vault: Vault, subscription_id: str) -> str:
        """Return it encrypted for one subscription.

        Raises:
            Misconfigured: the keystore can neither be read nor written.
        """
        # With the id in it, a ciphertext that somebody moved to another row opens nothing.
        return vault.close(json.dumps([subscription_id, self.url, self.secret]))

    @classmethod
    def opened(cls, vault: Vault, subscription_id: str, token: str) -> Target:
        """Return what was encrypted for the subscription; it is concealed from now on.

        Raises:
            Misconfigured: the keystore lacks the key, or it was encrypted for another one.
        """
        of, url, secret = json.loads(vault.open(token))
        if of != subscription_id:
            raise Misconfigured("The target of this subscription belongs to another one.")
        conceal_target(url)
        conceal(secret)
        return cls(url, secret)


def webhook(url: str, secret: str, allow: Sequence[AllowedHost]) -> str:
    """Check the address of a webhook and its secret; return what may be shown of it.

    Raises:
        Invalid: it is no address, its host is not on the list of those that may be called, or the
            secret is not one of Standard Webhooks; neither is repeated.
    """
    conceal_target(url)
    check_secret(secret)
    conceal(secret)
    try:
        to = destination(url)
        check_allowed(to, allow)
    except Invalid as error:
        raise Invalid(fields=[FieldError("target", _reason(error))]) from None
    return f"{to.origin}/…"


def _reason(error: Invalid) -> str:
    return error.fields[0].message if error.fields else error.message


def new_secret() -> str:
    """Return a signing secret of 256 bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Refuse what receivers could not verify with.

    Raises:
        Invalid: it is not ``whsec_`` and 24 to 64 bytes in base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in _BYTES:
        raise Invalid.field("secret", "must be whsec_ and 24 to 64 bytes in base64.")
