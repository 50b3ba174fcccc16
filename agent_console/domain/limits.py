"""How many jobs of a type may run at once, how many per key, and how many may start in a time.

``Limit`` is what a handler declares; ``Caps`` are the figures alone, as they are stored, overridden
by operators and applied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent_console.domain.errors import Invalid, Misconfigured
from agent_console.domain.jobs import Json

MOST = 100_000  # jobs, in every limit
LONGEST = 7 * 86_400.0  # seconds of a rate's period
SHORTEST = 0.001
KEY_LENGTH = 200  # characters of a key's text

Key = Callable[[Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Figures of limits; None is no limit. ``per`` is seconds.

    As an operator's override None means "as declared" and 0 lifts what is declared.
    """

    running: int | None = None
    per_key: int | None = None
    starts: int | None = None
    per: float | None = None

    @property
    def any(self) -> bool:
        """Whether anything is limited at all."""
        return any((self.running, self.per_key, self.starts))

    @property
    def words(self) -> str:
        """The limits in words, "" without any."""
        found = [
            f"{self.running:,} running" if self.running else "",
            f"{self.per_key:,} per key" if self.per_key else "",
            f"{self.starts:,} starts per {self.per:g} s" if self.starts and self.per else "",
        ]
        return ", ".join(filter(None, found))

    def to_json(self) -> dict[str, Json]:
        """Return the figures under the names of the wire, without what is None."""
        named: dict[str, Json] = {
            "running": self.running,
            "perKey": self.per_key,
            "starts": self.starts,
            "per": self.per,
        }
        return {name: value for name, value in named.items() if value is not None}


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a handler's type may do at once, over all workers.

    At most ``running`` jobs run; at most ``per_key`` of those that have the same ``key(input)``,
    a text or number of at most 200 characters (None: not limited by key); at most ``starts`` runs
    begin in ``per`` seconds on average, and as many at once. A job that waits for a decision,
    sleeps or is queued takes none of it.
    """

    running: int | None = None
    per_key: int | None = None
    key: Key | None = None
    starts: int | None = None
    per: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that cannot be meant."""
        for name in ("running", "per_key", "starts"):
            value = getattr(self, name)
            if value is not None and not _is_count(value, least=1):
                raise Misconfigured(f"Limit needs {name} to be a whole number from 1 to {MOST:,}.")
        if not self.caps.any:
            raise Misconfigured("Limit needs at least one of running, per_key and starts.")
        if (self.per_key is None) != (self.key is None):
            raise Misconfigured("Limit needs per_key and key together.")
        if self.key is not None and not callable(self.key):
            raise Misconfigured("Limit needs key to be a function of the job's input.")
        if (self.starts is None) != (self.per is None):
            raise Misconfigured("Limit needs starts and per (seconds) together.")
        if self.per is not None and not _is_period(self.per):
            raise Misconfigured(f"Limit needs per to be {SHORTEST:g} to {LONGEST:g} seconds.")

    @property
    def caps(self) -> Caps:
        """The figures without the function."""
        return Caps(running=self.running, per_key=self.per_key, starts=self.starts, per=self.per)


def lane_of(limit: Limit | None, data: object) -> str | None:
    """Return the key of a job with the parsed input ``data``, as text; None when it has none.

    Raises:
        Invalid: the function fails on this input, or its value is no short text or number.
    """
    if limit is None or limit.key is None:
        return None
    try:
        value = limit.key(data)
    except Exception as error:
        message = f"the concurrency key cannot be told from it ({type(error).__name__}: {error})."
        raise Invalid.field("inputData", message) from error
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        message = f"the concurrency key must be a text or a whole number, not {value!r:.80}."
        raise Invalid.field("inputData", message)
    text = str(value)
    if len(text) > KEY_LENGTH or "\x00" in text:
        message = (
            f"the concurrency key must have at most {KEY_LENGTH} characters, none of them NUL."
        )
        raise Invalid.field("inputData", message)
    return text


def effective(declared: Caps, overrides: Caps) -> Caps:
    """Return what applies: an override where there is one, else what is declared."""
    rate = declared if overrides.starts is None else overrides
    found = Caps(
        running=_over(declared.running, overrides.running),
        per_key=_over(declared.per_key, overrides.per_key),
        starts=rate.starts or None,
        per=rate.per,
    )
    return found if found.starts else replace(found, per=None)


def _over(declared: int | None, override: int | None) -> int | None:
    return declared if override is None else (override or None)


def check_overrides(wanted: Caps, *, keyed: bool) -> None:
    """Refuse overrides that cannot be meant; ``keyed``: the type declares a key.

    Raises:
        Invalid: names the field under ``limits``.
    """
    named = {"running": wanted.running, "perKey": wanted.per_key, "starts": wanted.starts}
    for name, value in named.items():
        if value is not None and not _is_count(value, least=0):
            message = f"must be a whole number from 1 to {MOST:,}, 0 to lift it, or null."
            raise Invalid.field(f"limits.{name}", message)
    if wanted.per_key and not keyed:
        raise Invalid.field("limits.perKey", "the job type declares no key to limit by.")
    if wanted.starts and wanted.per is None:
        raise Invalid.field("limits.per", "is needed with starts: the seconds they are for.")
    if wanted.per is not None and not _is_period(wanted.per):
        message = f"must be {SHORTEST:g} to {LONGEST:g} seconds."
        raise Invalid.field("limits.per", message)
    if wanted.per is not None and not wanted.starts:
        raise Invalid.field("limits.starts", "is needed with per: how many may start in it.")


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST


def _is_period(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and SHORTEST <= float(value) <= LONGEST  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Who paused a job type, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTypeState:
    """A job type as operators see it.

    ``queued`` are jobs that wait for any reason, ``held`` those of them that are due and not let
    in; ``capped`` says that these two are floors. ``starts_left`` are runs that may begin now
    under the rate; None without one.
    """

    job_type: str
    title: str
    known: bool  # a handler of it is registered in this process
    keyed: bool
    declared: Caps
    overrides: Caps
    limits: Caps
    pause: Pause | None
    running: int
    queued: int
    held: int
    capped: bool
    starts_left: int | None


def held_because(
    limits: Caps, pause: Pause | None, *, running: int, in_lane: int, lane: str | None, wait: float
) -> str:
    """Say why a due job is not let in.

    ``wait`` is seconds until the rate allows a start. "" when nothing stands in its way any more:
    the next claim takes it.
    """
    if pause is not None:
        return f"type paused by {pause.by}" + (f": {pause.reason}" if pause.reason else "")
    if limits.running is not None and running >= limits.running:
        return f"{running} of {limits.running} running"
    if limits.per_key is not None and lane is not None and in_lane >= limits.per_key:
        return f"{in_lane} of {limits.per_key} running for key {lane}"
    if limits.starts is not None and wait > 0:
        return f"{limits.starts} starts per {limits.per:g} s are used up"
    return ""
