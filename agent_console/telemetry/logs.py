"""Log lines: structured, redacted, one line each, for people or for machines.

The standard library's ``logging`` is the only door: the console's own loggers and those of its
libraries end in one handler, which adds the ids of the context, takes secrets out and renders.
"""

from __future__ import annotations

import logging
import re
import sys
from functools import lru_cache
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from agent_console.domain.redaction import (
    REDACTED,
    is_known,
    learned,
    names_secret,
    redact,
    redact_text,
)
from agent_console.settings import Settings
from agent_console.telemetry.lines import LinesFormatter
from agent_console.telemetry.run_ids import add_run_ids

# Chatty below WARNING; the socket libraries also print whole packets, cookies included.
_QUIET = (
    "alembic",
    "apscheduler",
    "asyncio",
    "engineio",
    "httpcore",
    "httpx",
    "socketio",
    "sqlalchemy",
    "urllib3",
    "watchfiles",
)
# Line separators and terminal controls: a message must not be able to forge a second line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TRACEBACK = "exception"
_OURS = frozenset({"level", "logger", "timestamp"})  # made by the processors below
_ID = re.compile("(?:[a-z]{3}_)?[0-9a-f]{32}")  # the console's own, and those of traces
_ID_LENGTHS = frozenset({32, 36})
_WORD = re.compile("[A-Za-z0-9_.-]+")
_LONGEST_WORD = 48  # characters
_names_secret = lru_cache(maxsize=1024)(names_secret)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line through one handler to ``stream`` (default: standard error).

    Calling it again replaces the earlier handler. Standard output stays free for commands
    that print JSON.
    """
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(as_json=settings.log_json, colors=target.isatty()))
    handler.setLevel(settings.log_level)  # some libraries set a lower one on their own loggers
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "agent_console", False)]:
        root.removeHandler(old)
        old.close()
    handler.agent_console = True  # type: ignore[attr-defined]  # marks ours among others' handlers
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    _configure_structlog()


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # configure() may be called again, by tests and by serve
    )


def _formatter(*, as_json: bool, colors: bool) -> logging.Formatter:
    processors: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    if as_json:
        # Escapes whatever is not ASCII: no reader takes U+2028 for the end of a line.
        processors += [structlog.processors.JSONRenderer(sort_keys=True, default=str)]
    else:
        processors += [
            _one_line,
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    others = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()], processors=processors
    )
    return LinesFormatter(
        others, _clean_json if as_json else _clean_text, _is_plain, as_json=as_json
    )


def _clean_json(said: EventDict) -> EventDict:
    return _without_secrets(None, "", said)


def _clean_text(said: EventDict) -> EventDict:
    return _one_line(None, "", _without_secrets(None, "", said))


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        add_run_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_secrets(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Take secrets out of the message, the values and the traceback."""
    suspects = {
        key: value
        for key, value in event_dict.items()
        if key not in _OURS and not _is_plain(key, value)
    }
    if suspects:
        clean = redact(suspects)
        event_dict.update(clean if isinstance(clean, dict) else dict.fromkeys(suspects, REDACTED))
    return event_dict


def _is_plain(key: str, value: object) -> bool:
    """Say whether a field needs no search: most of an event's are ids and single words.

    Searching them took longer than everything else about a line, on the path of every job.
    """
    if isinstance(value, str):
        if len(value) in _ID_LENGTHS and _ID.fullmatch(value) is not None:
            return not (is_known(value) or _names_secret(key))
        return len(value) <= _LONGEST_WORD and _is_plain_word(key, value, learned())
    return (value is None or isinstance(value, int | float)) and not _names_secret(key)


@lru_cache(maxsize=4096)
def _is_plain_word(key: str, value: str, _learned: int) -> bool:
    """Say whether ``value`` is a word and nothing to be taken out, as far as that is known."""
    word = _WORD.fullmatch(value) is not None
    return word and redact_text(value) == value and not _names_secret(key)


def _one_line(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Escape control characters; a traceback keeps its lines, each behind a bar."""
    for key, value in event_dict.items():
        if key == _TRACEBACK:
            event_dict[key] = "\n".join(f"  | {escape(part)}" for part in str(value).split("\n"))
        elif isinstance(value, str) and not value.isprintable():
            event_dict[key] = escape(value)
    return event_dict


def escape(text: str) -> str:
    """Return ``text`` with every control character written out as an escape."""
    return _CONTROL.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
