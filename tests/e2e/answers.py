"""What the recorded model of the end-to-end tests answers, by what it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AGENTS = Path(__file__).with_name("agents")
SLOW = "When does wave 2 start, slowly?"
QUICK = "When does wave 2 start, quickly?"
GUARDED = "When does wave 2 start, after a search?"
SEARCH = {"query": "wave 2 start", "limit": 3}
CLAIM = "Wave 2 starts on 6 October 2025 with 355 couriers in 7 depots."
QUOTE = "| 2 | 6 October 2025 | 7 | 355 |"


def _found(question: str, quote: str = QUOTE) -> dict[str, Any]:
    finding = {
        "claim": CLAIM,
        "question": question,
        "document_id": "library:rollout-plan",
        "quote": quote,
        "confidence": 0.9,
    }
    return {"tool": "final_result", "arguments": {"findings": [finding]}}


ANSWERS: list[dict[str, Any]] = [
    # What a person said to the search, or what it found, is in the request by then.
    {"when": [GUARDED, '"role": "tool"'], **_found(GUARDED)},
    {"when": [GUARDED], "tool": "search", "arguments": SEARCH},
    # Two minutes, on a slow machine not too long: it is let go of before its end.
    {"when": [SLOW], **_found(SLOW, QUOTE * 25), "pause": 0.25, "piece": 2},
    {"when": [QUICK], **_found(QUICK)},
]
