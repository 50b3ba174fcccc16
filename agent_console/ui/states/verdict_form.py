"""What a browser sent as a verdict: anything at all, until it has been read here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.jobs import Json

MAX_TEXT = 10_000  # characters of a reason or feedback
MAX_EDITED = 1_048_576  # characters of edited JSON


@dataclass(frozen=True, slots=True)
class VerdictForm:
    """A submitted form of the verdict bar, every field text."""

    checkpoint_id: str
    payload_digest: str
    feedback: str
    reason: str
    edited: str

    @classmethod
    def read(cls, form: object) -> VerdictForm:
        """Take the known fields out of ``form``; what is missing or no text is empty."""
        fields = form if isinstance(form, Mapping) else {}

        def text(name: str, limit: int) -> str:
            value = fields.get(name)
            return value.strip()[:limit] if isinstance(value, str) else ""

        return cls(
            checkpoint_id=text("checkpoint_id", 100),
            payload_digest=text("payload_digest", 100),
            feedback=text("feedback", MAX_TEXT),
            reason=text("reason", MAX_TEXT),
            edited=text("edited_data", MAX_EDITED + 1),
        )

    def verdict(self, verb: CheckpointVerb, edited: Json = None) -> Verdict:
        """Return the verdict, bound to the payload that was on the screen.

        A browser that sends no digest gets one that matches nothing.
        """
        return Verdict(
            verb=verb,
            reason=self.reason or None,
            feedback=self.feedback or None,
            edited_data=edited,
            payload_digest=self.payload_digest or "none",
        )


def parse_edited(text: str) -> Json:
    """Return the JSON that a reviewer typed; integers stay exact.

    Raises:
        ValueError: it is no JSON; the message says where.
    """
    if len(text) > MAX_EDITED:
        raise ValueError("This is larger than 1 MiB.")
    try:
        value: Json = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message = f"Line {error.lineno}, column {error.colno}: {error.msg}."
        raise ValueError(message) from None
    except RecursionError:
        raise ValueError("This is nested too deeply.") from None
    if value is None:
        raise ValueError("null is not an edit; approve without edits instead.")
    return value


def parsed(text: str) -> Json:
    """Return the JSON that the console itself has written for the field; None for none."""
    found: Json = json.loads(text) if text else None
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON.")
