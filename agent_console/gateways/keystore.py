"""Where secrets come from: one small interface, the environment behind it for now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol


class Keystore(Protocol):
    """Finds secrets by name; they are read when they are needed and kept nowhere."""

    def get(self, name: str) -> str | None:
        """Return the secret called ``name``, or None."""
        ...


class EnvironmentKeystore:
    """Secrets in environment variables of the same name; an empty one counts as none."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Read from ``variables``, by default those of the process."""
        self._variables = os.environ if variables is None else variables

    def get(self, name: str) -> str | None:
        """Return the variable called ``name``, or None."""
        return self._variables.get(name) or None
