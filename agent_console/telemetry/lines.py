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


Clean = Callable[[EventDict], EventDict]  # takes secrets and forged lines out


class LinesFormatter(logging.Formatter):
    """Renders records with lines itself, and leaves all others to ``others``."""

    def __init__(self, others: logging.Formatter, clean: Clean, *, as_json: bool) -> None:
        """Render for machines (``as_json``) or for people, in the form that ``others`` has."""
        super().__init__()
        self._others, self._clean = others, clean
        self._render = _json_line if as_json else _people_line

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of ``record``, a line for each of its lines."""
        lines = cast("Sequence[Line] | None", getattr(record, LINES, None))
        if lines is None:
            return self._others.format(record)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        same: dict[str, object] = {
            **add_run_ids(None, "", structlog.contextvars.get_contextvars()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": f"{at.removesuffix('+00:00')}Z",
        }
        clean, render = self._clean, self._render
        return "\n".join(
            render(clean({**same, **line.facts, "event": line.event})) for line in lines
        )


def _json_line(said: EventDict) -> str:
    return json.dumps(said, sort_keys=True, default=str)


def _people_line(said: EventDict) -> str:
    head = f"{said.pop('timestamp')} [{said.pop('level'):<9}] {said.pop('event'):<30}"
    logger = said.pop("logger")
    pairs = " ".join(f"{name}={_shown(said[name])}" for name in sorted(said))
    return f"{head} [{logger}] {pairs}"


def _shown(value: object) -> str:
    """Return ``value`` as people read it: quoted when it is more than one word."""
    text = str(value)
    return repr(text) if " " in text or "=" in text else text
