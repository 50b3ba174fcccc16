"""Why a job is parked, as data: what a page, and who has to choose, need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from agent_console.domain.jobs import Json

MAX_TEXT = 2_000  # characters of a message that is kept with a difference


class ParkCode(StrEnum):
    """The kinds of reasons."""

    DIVERGED = "diverged"  # the code asks for something else than the record holds
    NO_HANDLER = "no_handler"  # nobody knows the job type
    POISON = "poison"  # its runs ended with their workers, again and again
    ENGINE = "engine"  # the engine itself failed around a run
    OUTCOME = "outcome"  # how a run ended could not be stored


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call: its kind and name, and the message of a checkpoint."""

    kind: str
    name: str
    message: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the form that is stored."""
        message = self.message
        if len(message) > MAX_TEXT:
            message = f"{message[: MAX_TEXT - 1]}…"
        return {"kind": self.kind, "name": self.name, "message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where code and record part: at ``position``, counted from 0.

    ``recorded`` is None where the record has nothing, ``asked`` where the code asks for nothing.
    ``code_before`` is the version that made the record, ``code_now`` the one that parted from it.
    """

    position: int
    recorded: Call | None
    asked: Call | None
    code_before: str | None = None
    code_now: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the form that is stored and sent."""
        return {
            "position": self.position,
            "recorded": None if self.recorded is None else self.recorded.to_json(),
            "asked": None if self.asked is None else self.asked.to_json(),
            "codeBefore": self.code_before,
            "codeNow": self.code_now,
        }


def divergence_of(code: str | None, detail: Json) -> Divergence | None:
    """Return the stored divergence of a job parked with ``code``; None: it is parked otherwise."""
    if code != ParkCode.DIVERGED or not isinstance(detail, dict):
        return None
    position = detail.get("position")
    if not isinstance(position, int):
        return None
    return Divergence(
        position=position,
        recorded=_call(detail.get("recorded")),
        asked=_call(detail.get("asked")),
        code_before=cast("str | None", detail.get("codeBefore")),
        code_now=cast("str | None", detail.get("codeNow")),
    )


def _call(stored: Json) -> Call | None:
    if not isinstance(stored, dict):
        return None
    return Call(str(stored["kind"]), str(stored["name"]), str(stored.get("message", "")))
