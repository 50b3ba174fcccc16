"""How large the campaigns are: small in ``make test``, full in ``make chaos``, or as told.

``AGENT_CONSOLE_CAMPAIGN=full`` asks for the full sizes; ``AGENT_CONSOLE_ZOMBIES=200`` sets one of
them; ``AGENT_CONSOLE_SEED`` repeats a campaign.
"""

from __future__ import annotations

import os
import random
import sys

import pytest

FULL = os.environ.get("AGENT_CONSOLE_CAMPAIGN") == "full"
SEED = int(os.environ.get("AGENT_CONSOLE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


def size(name: str, small: int, full: int) -> int:
    """Return how large the campaign ``name`` is to be."""
    told = os.environ.get(f"AGENT_CONSOLE_{name}")
    if told:
        return int(told)
    return full if FULL else small


def tell(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Print the figures of a campaign, whatever pytest captures."""
    with capsys.disabled():
        sys.stdout.write(f"\n{line}, seed {SEED}\n")
