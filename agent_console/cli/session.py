"""Opens the console for one command: the services, as the operator of this machine."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent_console.domain.access import Actor, local_operator
from agent_console.settings import Settings, load_settings

if TYPE_CHECKING:
    from agent_console.bootstrap import Console


@contextmanager
def opened() -> Iterator[tuple[Console, Actor]]:
    """Yield the console (migrated, nothing running) and the actor of this command."""
    from agent_console.bootstrap import build

    console = build(quiet(load_settings()))
    console.open()
    try:
        yield console, operator()
    finally:
        console.stop()


def quiet(settings: Settings) -> Settings:
    """Return ``settings`` that log warnings only, unless a level was asked for."""
    if "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "WARNING"})


def operator() -> Actor:
    """Return who types: the operating system's account, journaled as such."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such account, as in some containers
        name = "operator"
    return local_operator(name)
