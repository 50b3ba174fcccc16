"""What can go wrong, said in words a person can act on.

The docstring of an error is its default message and ``code`` its problem type
(RFC 9457); the doors turn both into their own form, so each sentence exists once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: a JSON path such as ``inputData.files.0.path`` and why."""

    field: str
    message: str


class ConsoleError(Exception):
    """Something went wrong in the console."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, **context: object) -> None:
        """Take ``message`` (default: the docstring) and facts for the answer's body."""
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").split("\n")[0]
        self.context: Mapping[str, object] = context
        super().__init__(self.message)


class Invalid(ConsoleError):
    """Some fields are not acceptable."""

    code = "invalid"
    status = 422

    def __init__(self, message: str | None = None, fields: Sequence[FieldError] = ()) -> None:
        """Name the refused ``fields``; the message falls back to the first of them."""
        self.fields = tuple(fields)
        if message is None and self.fields:
            first = self.fields[0]
            message = f"{first.field}: {first.message}" if first.field else first.message
        super().__init__(message)

    @classmethod
    def field(cls, name: str, message: str) -> Invalid:
        """Return the error for a single field."""
        return cls(fields=[FieldError(name, message)])


class TooLarge(ConsoleError):
    """The request is larger than allowed."""

    code = "too_large"
    status = 413


class Unauthenticated(ConsoleError):
    """Sign in, or send a valid API token."""

    code = "unauthenticated"
    status = 401


class Forbidden(ConsoleError):
    """You are not allowed to do this."""

    code = "forbidden"
    status = 403


class NotFound(ConsoleError):
    """There is nothing here with that id."""

    code = "not_found"
    status = 404


class Conflict(ConsoleError):
    """The current state does not allow this."""

    code = "conflict"
    status = 409


class RateLimited(ConsoleError):
    """Too many attempts; wait before trying again."""

    code = "rate_limited"
    status = 429


class Unavailable(ConsoleError):
    """The database is not available; try again in a moment."""

    code = "unavailable"
    status = 503


class LostClaim(ConsoleError):
    """This run no longer owns its job: it was canceled, paused or taken over."""

    code = "lost_claim"
    status = 409


class HandlersNotLoaded(ConsoleError):
    """A module of handlers could not be loaded."""

    code = "handlers_not_loaded"


class Misconfigured(ConsoleError):
    """A setting has a value that is not allowed."""

    code = "misconfigured"
