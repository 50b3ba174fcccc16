"""Elements Reflex has no component for: a form the browser itself submits, and living times."""

from __future__ import annotations

from typing import Literal

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

TimeMode = Literal["ago", "until", "elapsed"]


class NativeForm(BaseHTML):
    """A form that the browser submits; Reflex's own always prevents that."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


class NativeLink(BaseHTML):
    """A link that the browser itself follows: downloads, places in the page, other servers.

    Reflex's own hands every address to its router, which knows pages only.
    """

    tag = "a"

    href: rx.Var[str]
    download: rx.Var[str]


class TimeTag(BaseHTML):
    """The custom element of ``assets/time.js``; it ticks without asking the server."""

    tag = "AcTime"  # names the generated module, where a hyphen is no name
    alias = "ac-time"

    at: rx.Var[str]
    to: rx.Var[str]
    mode: rx.Var[str]


def moment(
    at: rx.Var[str] | str, mode: TimeMode = "ago", *, to: rx.Var[str] | str = ""
) -> rx.Component:
    """Show the instant ``at`` (ISO 8601) relative to now; the tooltip says it in full.

    ``mode`` is ``ago`` ("3 min ago"), ``until`` ("in 3 min", amber when near, "overdue") or
    ``elapsed`` (a duration up to ``to``, or up to now when ``to`` is empty).
    """
    return TimeTag.create(at=at, to=to, mode=mode)
