"""What the services need to know of handlers, without knowing the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent_console.domain.jobs import Json
from agent_console.domain.records import HandlerInfo


class Catalog(Protocol):
    """The job types there are; implemented by the runtime's registry."""

    def handlers(self) -> Sequence[HandlerInfo]:
        """Return every registered handler."""
        ...

    def describe(self, job_type: str) -> HandlerInfo | None:
        """Return the handler of ``job_type``, or None."""
        ...

    def validate(self, job_type: str, data: dict[str, Json]) -> dict[str, Json]:
        """Return ``data`` with the input schema's defaults bound.

        Raises:
            Invalid: it does not fit; fields read ``inputData.…``.
        """
        ...

    def lane(self, job_type: str, data: dict[str, Json]) -> str | None:
        """Return the concurrency key of a job with the input ``data``; None when it has none.

        Raises:
            Invalid: it cannot be told from this input.
        """
        ...
