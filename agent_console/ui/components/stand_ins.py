"""Who stands in for whom: the list, and the dialog in which one lends one's right to decide."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.delegations import LONGEST
from agent_console.ui.components.basics import section, verb_button
from agent_console.ui.components.dialog_parts import complaint, line, verbs
from agent_console.ui.elements import moment
from agent_console.ui.states.delegations import StandInRow, StandIns


def stand_ins() -> rx.Component:
    """Return the section."""
    lend = verb_button(
        "Let somebody stand in",
        reason=StandIns.refusal,
        icon_name="user_round_check",
        size="1",
        variant="soft",
        on_click=StandIns.turn(True),
    )
    rows = rx.el.ul(rx.foreach(StandIns.rows, _row), class_name="ac-rows", aria_label="Stand-ins")
    none = rx.el.p("Nobody decides in anybody's stead.", class_name="ac-meta")
    return rx.el.div(
        section("Stand-ins", rx.cond(StandIns.rows.length() > 0, rows, none), lend),
        rx.dialog.root(_dialog(), open=StandIns.opened, on_open_change=StandIns.turn),
        class_name="jt",
    )


def _row(row: rx.Var[StandInRow]) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.el.strong(row.stand_in), " for ", rx.el.strong(row.owner), class_name="ac-cut"
        ),
        rx.el.span(
            "from ", moment(row.starts_at), ", ends ", moment(row.ends_at, "until"),
            class_name="ac-meta",
        ),
        verb_button(
            "End", reason=row.refusal, size="1", variant="soft", color_scheme="gray",
            on_click=StandIns.end(row.id), aria_label="End: " + row.stand_in + " for " + row.owner,
        ),
        key=row.id,
        class_name="ac-row ac-past",
        data_testid="stand-in",
    )  # fmt: skip


def _dialog() -> rx.Component:
    return rx.dialog.content(
        rx.dialog.title("Let somebody stand in"),
        rx.dialog.description(
            "They may decide what you may, beside you, from now on. Both is in the journal: who "
            "decided, and in whose stead."
        ),
        rx.form(
            line("si-to", "to", "Who stands in, by e-mail address", max_length=254),
            line(
                "si-days", "days", f"For how many days (at most {LONGEST.days})",
                default_value="7", max_length=3,
            ),
            complaint(StandIns.wrong),
            verbs("Let them decide"),
            on_submit=StandIns.lend,
            reset_on_submit=False,
        ),
        max_width="28rem",
    )  # fmt: skip
