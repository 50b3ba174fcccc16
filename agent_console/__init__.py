"""The public SDK of agent_console: what handlers and agents are written with.

Names are loaded on first use: importing this package starts nothing and loads neither the pages
nor the database.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_console.domain.changes import FileChange as FileChange
    from agent_console.domain.changes import ImageChange as ImageChange
    from agent_console.domain.changes import RowsChange as RowsChange
    from agent_console.domain.changes import TextChange as TextChange
    from agent_console.domain.context import Passage as Passage
    from agent_console.domain.destinations import Refused as Refused
    from agent_console.domain.errors import Conflict as Conflict
    from agent_console.domain.errors import ConsoleError as ConsoleError
    from agent_console.domain.errors import Invalid as Invalid
    from agent_console.domain.errors import TooLarge as TooLarge
    from agent_console.domain.jobs import Json as Json
    from agent_console.domain.limits import Limit as Limit
    from agent_console.domain.paths import WorkspacePath as WorkspacePath
    from agent_console.domain.paths import check_path as check_path
    from agent_console.domain.paths import check_paths as check_paths
    from agent_console.domain.retry import RetryPolicy as RetryPolicy
    from agent_console.domain.risk import Finding as Finding
    from agent_console.domain.risk import Severity as Severity
    from agent_console.domain.uniqueness import OnConflict as OnConflict
    from agent_console.domain.uniqueness import Unique as Unique
    from agent_console.gateways.breakers import CircuitOpen as CircuitOpen
    from agent_console.gateways.http import HttpFailed as HttpFailed
    from agent_console.gateways.http import HttpGateway as HttpGateway
    from agent_console.gateways.http import HttpResponse as HttpResponse
    from agent_console.gateways.workspace import StaleBase as StaleBase
    from agent_console.gateways.workspace import Workspace as Workspace
    from agent_console.runtime.async_context import AsyncJobContext as AsyncJobContext
    from agent_console.runtime.context import JobContext as JobContext
    from agent_console.runtime.decisions import Decision as Decision
    from agent_console.runtime.declarations import schedule as schedule
    from agent_console.runtime.errors import ChangesRequested as ChangesRequested
    from agent_console.runtime.errors import Expired as Expired
    from agent_console.runtime.errors import NonRetryable as NonRetryable
    from agent_console.runtime.errors import Rejected as Rejected
    from agent_console.runtime.errors import RetryLater as RetryLater
    from agent_console.runtime.library import ContextLibrary as ContextLibrary
    from agent_console.runtime.library import ContextText as ContextText
    from agent_console.runtime.registry import handler as handler
    from agent_console.runtime.waiting import Callback as Callback

__version__ = "0.1.0"

_HOMES = {
    "AsyncJobContext": "agent_console.runtime.async_context",
    "Callback": "agent_console.runtime.waiting",
    "ChangesRequested": "agent_console.runtime.errors",
    "CircuitOpen": "agent_console.gateways.breakers",
    "Conflict": "agent_console.domain.errors",
    "ConsoleError": "agent_console.domain.errors",
    "ContextLibrary": "agent_console.runtime.library",
    "ContextText": "agent_console.runtime.library",
    "Decision": "agent_console.runtime.decisions",
    "Expired": "agent_console.runtime.errors",
    "FileChange": "agent_console.domain.changes",
    "ImageChange": "agent_console.domain.changes",
    "Finding": "agent_console.domain.risk",
    "HttpFailed": "agent_console.gateways.http",
    "HttpGateway": "agent_console.gateways.http",
    "HttpResponse": "agent_console.gateways.http",
    "Invalid": "agent_console.domain.errors",
    "JobContext": "agent_console.runtime.context",
    "Json": "agent_console.domain.jobs",
    "Limit": "agent_console.domain.limits",
    "NonRetryable": "agent_console.runtime.errors",
    "OnConflict": "agent_console.domain.uniqueness",
    "Passage": "agent_console.domain.context",
    "Refused": "agent_console.domain.destinations",
    "Rejected": "agent_console.runtime.errors",
    "RetryLater": "agent_console.runtime.errors",
    "RetryPolicy": "agent_console.domain.retry",
    "RowsChange": "agent_console.domain.changes",
    "TextChange": "agent_console.domain.changes",
    "Severity": "agent_console.domain.risk",
    "StaleBase": "agent_console.gateways.workspace",
    "TooLarge": "agent_console.domain.errors",
    "Unique": "agent_console.domain.uniqueness",
    "Workspace": "agent_console.gateways.workspace",
    "WorkspacePath": "agent_console.domain.paths",
    "check_path": "agent_console.domain.paths",
    "check_paths": "agent_console.domain.paths",
    "handler": "agent_console.runtime.registry",
    "schedule": "agent_console.runtime.declarations",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - the names are strings of a table


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
