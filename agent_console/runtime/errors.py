"""What a run may end with, as exceptions.

Errors for handlers are ordinary exceptions. Signals of the engine derive from ``EndOfRun``, a
``BaseException``, so that a handler's ``except Exception`` does not swallow them by accident.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.comments import Remark
from agent_console.domain.errors import ConsoleError
from agent_console.domain.parking import Call


class NonRetryable(ConsoleError):
    """The job cannot succeed however often it is tried."""

    code = "non_retryable"


class Rejected(NonRetryable):
    """A reviewer rejected this; ``comments`` were made before."""

    code = "rejected"

    def __init__(
        self,
        reason: str | None = None,
        *,
        feedback: str | None = None,
        comments: Sequence[Remark] = (),
    ) -> None:
        """Keep what the reviewer said; the reason is the message."""
        super().__init__(reason)
        self.reason = reason or ""
        self.feedback = feedback or ""
        self.comments = tuple(comments)


class ChangesRequested(Rejected):
    """A reviewer wants this changed and will look at the next proposal.

    ``feedback`` says what to change, ``round`` (from 1) which proposal it is about. Not caught, it
    fails the job like any rejection, with the feedback as the reason.
    """

    code = "changes_requested"

    def __init__(
        self,
        feedback: str,
        *,
        round: int = 1,  # noqa: A002 - the desk's word
        comments: Sequence[Remark] = (),
    ) -> None:
        """Keep what the reviewer said."""
        super().__init__(feedback, feedback=feedback, comments=comments)
        self.round = round


class Expired(NonRetryable):
    """Nobody decided in time; the checkpoint expired."""

    code = "expired"


class RetryLater(ConsoleError):
    """The attempt failed, and another one makes no sense before a while has passed."""

    code = "retry_later"

    def __init__(self, message: str | None = None, *, after: float) -> None:
        """Ask for at least ``after`` seconds until the next attempt."""
        super().__init__(message)
        self.after = max(0.0, after)


class Misused(NonRetryable):
    """The handler used its context in a way that cannot be replayed."""

    code = "misused"


class TimedOut(ConsoleError):
    """The handler ran longer than its timeout."""

    code = "timed_out"


class EndOfRun(BaseException):
    """The engine ends this run; raised through the handler's code."""


class Suspend(EndOfRun):
    """A blocking checkpoint is open: the run ends, the job waits."""


class Interrupted(EndOfRun):
    """The run lost its claim, or its worker is stopping."""


class Diverged(EndOfRun):
    """The handler asks for something else than what its record holds: the job is parked.

    ``position`` is that of the call, counted from 0, ``recorded`` what the record holds for it and
    ``asked`` what the code asks for, where there is such a thing.
    """

    def __init__(
        self,
        difference: str,
        *,
        position: int | None = None,
        recorded: Call | None = None,
        asked: Call | None = None,
    ) -> None:
        """Say the ``difference``; it becomes the job's park reason."""
        super().__init__(difference)
        self.difference = difference
        self.position, self.recorded, self.asked = position, recorded, asked
