"""The guide of the desk tells the keys that there are, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from agent_console.ui.components.hotkeys import GROUPS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "reviewing.md"


def test_every_key_is_in_the_guide_and_the_other_way_round() -> None:
    section = GUIDE.read_text(encoding="utf-8").split("## Keys")[1]
    told = set(re.findall(r"`([^`]+)`", section)) - {"Shift"}
    real = {key for _, keys in GROUPS for one in keys for key in one.keys.split()}
    assert told == real - {"Esc"}  # which closes what is open, as everywhere
