"""Which language model an agent uses, if any: a choice, not yet a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent_console import Invalid

LOCAL = "local"  # no model: the extractive way of working
KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}

Secrets = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model of a provider. ``base_url`` leads to another server that speaks its protocol.

    ``streams``: answers are asked for word by word, so that they can be watched.
    """

    provider: str
    name: str
    base_url: str
    secrets: Secrets
    streams: bool = True

    @property
    def label(self) -> str:
        """The model as it is written in a setting: ``provider:name``."""
        return f"{self.provider}:{self.name}"

    def key(self) -> str | None:
        """Return the provider's API key as it is now, or None."""
        return self.secrets(KEYS[self.provider])


@dataclass(frozen=True, slots=True)
class Models:
    """What agents without a model of their own use; ``default`` empty or "local" is none.

    ``base_url`` is another server for the provider of ``default``, else for ``openai``.
    """

    default: str = ""
    base_url: str = ""
    secrets: Secrets = lambda name: None  # noqa: ARG005 - no keystore, no secret
    streams: bool = True

    def choose(self, wanted: str) -> ModelChoice | None:
        """Return the model that ``wanted`` names, by default the default one; None: none.

        Raises:
            Invalid: it is not ``local``, ``openai:…`` or ``anthropic:…``.
        """
        text = (wanted or self.default).strip()
        if text in {"", LOCAL}:
            return None
        provider, _, name = text.partition(":")
        if provider not in KEYS or not name.strip():
            raise Invalid(f"{text!r} is no model: use local, openai:… or anthropic:….")
        home = self.default.partition(":")[0].strip() or "openai"
        base_url = self.base_url if provider == home else ""  # one server speaks one protocol
        return ModelChoice(provider, name.strip(), base_url, self.secrets, self.streams)
