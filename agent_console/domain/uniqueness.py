"""Unique jobs: at most one of a type and key at a time, and what happens to one too many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import LIVE, JobStatus

MAX_KEY = 500  # characters


class OnConflict(StrEnum):
    """What a new job meets when its key is taken."""

    REJECT = "reject"  # it is refused; the answer names the earlier one
    EXISTING = "existing"  # the earlier one is the answer
    REPLACE = "replace"  # the earlier one is canceled


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A job is the only one of its type and ``key`` while an earlier one is in ``while_in``.

    As the default of a job type ``key`` is a function of the input; None means: not this one.

    Raises:
        Invalid: the key is empty or too long, a status is unknown, none is named, or an earlier
            job would have to be canceled that has ended.
    """

    key: str | Callable[[Any], str | None]
    while_in: tuple[JobStatus, ...] = tuple(s for s in JobStatus if s in LIVE)
    on_conflict: OnConflict = OnConflict.REJECT

    def __post_init__(self) -> None:
        """Check, and take plain words for statuses and policy."""
        if isinstance(self.key, str) and not 1 <= len(self.key) <= MAX_KEY:
            raise Invalid.field("unique.key", f"must have 1 to {MAX_KEY} characters.")
        object.__setattr__(self, "while_in", _statuses(self.while_in))
        object.__setattr__(self, "on_conflict", _policy(self.on_conflict))
        ended = [status.value for status in self.while_in if status not in LIVE]
        if self.on_conflict is OnConflict.REPLACE and ended:
            message = f"a job that is {ended[0]} cannot be replaced."
            raise Invalid.field("unique.whileIn", message)

    def settled(self) -> str:
        """Return the key.

        Raises:
            Invalid: it is still a function of the input, or holds what no database stores.
        """
        if not isinstance(self.key, str):
            raise Invalid.field("unique.key", "must be a text.")
        if "\x00" in self.key or any("\ud800" <= sign <= "\udfff" for sign in self.key):
            raise Invalid.field("unique.key", "contains what no database stores.")
        return self.key


def _statuses(given: Iterable[str]) -> tuple[JobStatus, ...]:
    named = {given} if isinstance(given, str) else set(given)
    unknown = sorted(named - set(JobStatus))
    if unknown or not named:
        known = ", ".join(JobStatus)
        message = f"unknown status {unknown[0]!r}" if unknown else "must name a status"
        raise Invalid.field("unique.whileIn", f"{message}; known are {known}.")
    return tuple(status for status in JobStatus if status in named)


def _policy(given: str) -> OnConflict:
    try:
        return OnConflict(given)
    except ValueError:
        listed = ", ".join(OnConflict)
        raise Invalid.field("unique.onConflict", f"unknown value; known are {listed}.") from None
