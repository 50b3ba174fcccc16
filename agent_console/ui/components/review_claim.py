"""The line under a card's head: who has claimed the checkpoint, and the way to change that."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon, words
from agent_console.ui.components.hotkeys import hotkey
from agent_console.ui.components.review_models import RulingView
from agent_console.ui.elements import moment


def claim_bar(
    ruling: rx.Var[RulingView],
    claim: Callable[[bool], rx.event.EventType[()]],
    release: rx.event.EventType[()],
) -> rx.Component:
    """Return the line; it shows for whoever could claim, and for all once somebody has.

    ``claim`` takes whether it is to be taken over from somebody else.
    """
    return rx.cond(
        ruling.pending & (ruling.may_claim | (ruling.claimed_by != "")),
        rx.el.div(
            rx.cond(
                ruling.claimed_by == "",
                rx.fragment(
                    rx.el.span("Nobody has claimed this.", class_name="ac-meta"),
                    _button("Claim", claim(False), ruling, hotkey("c")),
                ),
                rx.fragment(
                    icon("user_check", 14),
                    rx.el.span(
                        words(ruling.claim_own, "You have", ruling.claimed_by + " has"),
                        " claimed this; the claim ends ",
                        moment(ruling.claimed_until, "until"),
                    ),
                    rx.cond(
                        ruling.claim_own,
                        _button("Release", release, ruling, hotkey("c")),
                        _button("Take over", claim(True), ruling, {}),
                    ),
                ),
            ),
            class_name="card-claim",
            role="status",
            custom_attrs={"data-claimed": words(ruling.claimed_by != "", "yes", "no")},
        ),
    )


def _button(
    label: str, event: rx.event.EventType[()], ruling: rx.Var[RulingView], keys: dict[str, str]
) -> rx.Component:
    return rx.button(
        label,
        on_click=event,
        size="1",
        variant="soft",
        color_scheme="gray",
        disabled=OFFLINE | ~ruling.may_claim,
        custom_attrs=keys,
    )
