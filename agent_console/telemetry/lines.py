"""Lines of plain facts, rendered many at a time: the way of events into the log.

A record may carry any number of lines; each is written like a record of its own, without the
steps that a free text needs. What is no id or single word is searched for secrets all the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, cast

import structlog
from structlog.typing import EventDict

from agent_console.telemetry.run_ids import add_run_ids

LINES = "agent_console_lines"  # the attribute of a record that holds its lines


class Line(NamedTuple):
    """What one line says: the event, and facts by name (texts, numbers)."""

    event: str
    facts: Mapping[str, object]


Facts = Mapping[str, object]
Clean = Callable[[EventDict], EventDict]  # takes secrets and forged lines out
IsPlain = Callable[[str, object], bool]  # whether nothing of a field can have to be taken out


class LinesFormatter(logging.Formatter):
    """Renders records with lines itself, and leaves all others to ``others``."""

    def __init__(
        self, others: logging.Formatter, clean: Clean, is_plain: IsPlain, *, as_json: bool
    ) -> None:
        """Render for machines (``as_json``) or for people, in the form that ``others`` has."""
        super().__init__()
        self._others, self._clean, self._is_plain = others, clean, is_plain
        self._line = _json_line if as_json else _people_line

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of ``record``, a line for each of its lines."""
        lines = cast("Sequence[Line] | None", getattr(record, LINES, None))
        if lines is None:
            return self._others.format(record)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        same = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": f"{at.removesuffix('+00:00')}Z",
        }
        ids = add_run_ids(None, "", structlog.contextvars.get_contextvars())
        line = self._line(same)
        return "\n".join(
            line(self._cleaned({**ids, **one.facts, "event": one.event})) for one in lines
        )

    def _cleaned(self, said: Facts) -> Facts:
        """Return ``said`` without secrets and forged lines; most of it needs no search for them."""
        is_plain = self._is_plain
        suspects = {name: value for name, value in said.items() if not is_plain(name, value)}
        return {**said, **self._clean(suspects)} if suspects else said


def _json_line(same: Facts) -> Callable[[Facts], str]:
    def line(said: Facts) -> str:
        return json.dumps({**same, **said}, sort_keys=True, default=str)

    return line


def _people_line(same: Facts) -> Callable[[Facts], str]:
    head = f"{same['timestamp']} [{same['level']:<9}]"
    logger = same["logger"]

    def line(said: Facts) -> str:
        pairs = " ".join(f"{name}={_shown(said[name])}" for name in sorted(said) if name != "event")
        return f"{head} {said['event']:<30} [{logger}] {pairs}"

    return line


def _shown(value: object) -> str:
    """Return ``value`` as people read it: quoted when it is more than one word."""
    text = str(value)
    return repr(text) if " " in text or "=" in text else text
