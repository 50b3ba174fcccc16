"""The page of review policies: who may decide what, and what the deadline brings."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.review_policies import ENDS, AtDeadline
from agent_console.ui import shell
from agent_console.ui.components.basics import (
    bones,
    empty,
    fact,
    facts,
    verb_button,
    words,
)
from agent_console.ui.components.dialog_parts import box, complaint, ending, line, verbs
from agent_console.ui.components.policy_rules import record_dialog, suggestions, try_button
from agent_console.ui.components.reviewer_groups import reviewer_groups
from agent_console.ui.components.stand_ins import stand_ins
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.policy_views import PATH
from agent_console.ui.states.delegations import StandIns
from agent_console.ui.states.groups import ReviewerGroups
from agent_console.ui.states.policy_rules import PolicyRules
from agent_console.ui.states.review_policies import PolicyRow, ReviewPolicies, VersionRow

FORM = ReviewPolicies.form
_THEN = {
    AtDeadline.FAIL: "It expires; the job fails unless it knows better",
    AtDeadline.REJECT: "It is rejected",
    AtDeadline.APPROVE: "It is approved",
    AtDeadline.DEFAULT: "A question is answered by its default; anything else expires",
    AtDeadline.ESCALATE: "Others are asked",
    AtDeadline.EXTEND: "It waits longer",
}
_SELF = {
    "": "As the setting says",
    "auto": "Where nobody else may decide",
    "never": "Never",
    "always": "Always",
}


def _row(row: rx.Var[PolicyRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.h2(row.title, class_name="ac-strong ac-cut"),
                rx.cond(row.version != "", rx.el.span(row.version, class_name="ac-meta")),
                class_name="ac-workerhead",
            ),
            rx.cond(row.source != "", rx.el.div(row.source, class_name="ac-meta")),
            rx.cond(
                row.saved_by != "",
                rx.el.div(
                    "saved by ", row.saved_by, " ", moment(row.saved_at), class_name="ac-meta"
                ),
            ),
            rx.cond(row.note != "", rx.el.div(row.note, class_name="jt-why")),
            _verbs(row),
            style={"min_width": "0"},
        ),
        facts(
            ("Who is asked", row.who),
            ("Approvals", row.approvals),
            ("At the deadline", row.at_deadline),
            fact(
                "By itself",
                rx.fragment(row.automatic, rx.el.div(row.figures, class_name="ac-meta")),
                given=row.automatic != "",
            ),
            fact("Also", row.more, given=row.more != ""),
        ),
        key=row.key,
        class_name="ac-worker rp-row",
        data_testid="policy-row",
        custom_attrs={"aria-current": words(row.current, "true", "false")},
    )


def _verbs(row: rx.Var[PolicyRow]) -> rx.Component:
    return rx.el.div(
        verb_button(
            words(row.own, "Change", "Set"),
            reason=row.refusal,
            icon_name="pencil",
            size="1",
            variant="soft",
            on_click=ReviewPolicies.edit(row.job_type, row.action),
            aria_label=words(row.own, "Change policy of ", "Set policy of ") + row.title,
        ),
        rx.cond(
            row.own,
            verb_button(
                "Versions",
                icon_name="history",
                size="1",
                variant="soft",
                color_scheme="gray",
                on_click=ReviewPolicies.show_versions(row.job_type, row.action),
                aria_label="Versions of the policy of " + row.title,
            ),
        ),
        rx.cond(
            row.own,
            verb_button(
                "By itself",
                icon_name="bot",
                size="1",
                variant="soft",
                color_scheme="gray",
                on_click=PolicyRules.look(row.job_type, row.action),
                aria_label="What is approved by itself of " + row.title,
            ),
        ),
        class_name="ac-ownverbs",
    )


def _tick(name: str, label: str, checked: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=name, default_checked=checked),
        label,
        class_name="ac-check",
    )


def _input(name: str, label: str, value: Any, **more: Any) -> rx.Component:
    given = {"max_length": 12, "input_mode": "numeric", **more}
    return line(f"rp-{name}", name, label, default_value=value, **given)


def _choice(
    name: str, label: str, value: Any, options: dict[str, str], **more: Any
) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=f"rp-{name}"),
        rx.el.select(
            *[rx.el.option(said, value=one) for one, said in options.items()],
            id=f"rp-{name}",
            name=name,
            default_value=value,
            class_name="ac-input",
            **more,
        ),
        class_name="ac-field",
    )


_BY_ITSELF = {
    "": "Nothing: people are asked",
    "NONE": "What has no finding",
    "LOW": "What has no finding above LOW",
    "MEDIUM": "What has no finding above MEDIUM",
    "HIGH": "What has no finding above HIGH",
}


def _automatic() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Without a person"),
        _choice(
            "automatic",
            "Approved by itself",
            FORM.automatic,
            _BY_ITSELF,
            on_change=ReviewPolicies.choose,
        ),
        rx.el.div(
            _tick("shadow", "Shadow: decide nothing, record what it would approve", FORM.shadow),
            class_name="ac-field",
        ),
        try_button(),
        class_name="rp-part",
    )


def _people(legend: str, checks: Any) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend),
        rx.el.div(rx.foreach(checks, box), class_name="rp-people"),
        class_name="ac-field",
    )


def _target() -> rx.Component:
    """Return the choice of job type and action of a policy that is new."""
    kinds = rx.el.div(
        rx.el.label("Job type", html_for="rp-jobType"),
        rx.el.select(
            rx.foreach(ReviewPolicies.job_types, lambda one: rx.el.option(one, value=one, key=one)),
            id="rp-jobType",
            name="jobType",
            on_change=ReviewPolicies.aim_type,
            class_name="ac-input",
        ),
        class_name="ac-field",
    )
    action = _input(
        "action",
        "Action, to the letter as the card shows it",
        "",
        max_length=200,
        input_mode="text",
        on_blur=ReviewPolicies.aim_action,
    )
    return rx.cond(FORM.new, rx.fragment(kinds, action))


def _deadline() -> rx.Component:
    ends = {one.value: _THEN[one] for one in ENDS}
    return rx.el.fieldset(
        rx.el.legend("When nobody decides in time"),
        _choice("then", "Then", FORM.then, {one.value: said for one, said in _THEN.items()}),
        rx.el.div(
            _input("minutes", "Minutes more", FORM.minutes, input_mode="decimal"),
            _input("times", "How often", FORM.times),
            class_name="jt-rate",
        ),
        _people("Others to ask", FORM.others),
        _choice("last", "And after that", FORM.last, ends),
        _input(
            "remind", "Reminders, minutes before", FORM.remind, max_length=80, input_mode="text"
        ),
        class_name="rp-part",
    )


def _edit() -> rx.Component:
    return rx.fragment(
        rx.dialog.title(words(FORM.new, "New policy", "Review policy of " + FORM.title)),
        rx.dialog.description(
            "Saving makes a new version. It holds at once, for what is open already too; "
            "what is decided stays as it is."
        ),
        rx.form(
            _target(),
            _people("Who may decide", FORM.deciders),
            rx.el.div(
                _input("approvals", "Approvals needed", FORM.approvals),
                _input("undo", "Undo, seconds (empty: setting)", FORM.undo),
                class_name="jt-rate",
            ),
            rx.el.div(
                _tick("veto", "One rejection ends it", FORM.veto),
                _tick("bulk", "May be decided together with others", FORM.bulk),
                class_name="ac-field rp-ticks",
            ),
            _choice("selfApproval", "Deciding what one asked for", FORM.self_approval, _SELF),
            _deadline(),
            _automatic(),
            _input("note", "Note for everybody", FORM.note, max_length=500, input_mode="text"),
            _end(),
            key=FORM.key,
            on_submit=ReviewPolicies.save,
            reset_on_submit=False,
        ),
    )


def _end() -> rx.Component:
    end = rx.cond(FORM.base > 0, ending("End policy", ReviewPolicies.remove))
    return rx.fragment(complaint(ReviewPolicies.wrong), verbs("Save policy", end))


def _versions() -> rx.Component:
    return rx.fragment(
        rx.dialog.title("Versions"),
        rx.dialog.description("Each decision names the version that was applied."),
        rx.el.ol(
            rx.foreach(ReviewPolicies.versions, _version), class_name="card-rounds", role="list"
        ),
        rx.el.div(
            rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
            class_name="ac-dialogverbs",
        ),
    )


def _version(one: rx.Var[VersionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.strong(one.version),
        rx.el.span(" by ", one.saved_by, " ", moment(one.saved_at), class_name="ac-meta"),
        rx.el.div(one.said),
        key=one.key,
    )


def _list() -> rx.Component:
    return rx.fragment(
        rx.el.ul(
            rx.foreach(ReviewPolicies.rows, _row),
            class_name="ac-rows",
            aria_label="Review policies",
        ),
        rx.dialog.root(
            rx.dialog.content(
                rx.cond(ReviewPolicies.asking == "versions", _versions(), _edit()),
                max_width="38rem",
            ),
            open=ReviewPolicies.asking != "",
            on_open_change=ReviewPolicies.turn,
        ),
        record_dialog(),
        suggestions(),
        reviewer_groups(),
        stand_ins(),
    )


def page() -> rx.Component:
    """Lay out the page."""
    add = verb_button(
        "New policy of an action",
        reason=ReviewPolicies.refusal,
        icon_name="plus",
        on_click=ReviewPolicies.add,
    )
    return shell.frame(
        "Review policies",
        shell.heading("Review policies", shell.stale_badge(ReviewPolicies.stale), actions=(add,)),
        rx.el.p(
            "Who may decide, how many have to agree, and what happens when nobody does. "
            "The most exact one holds: of an action, of a job type, of all.",
            class_name="ac-quiet",
        ),
        rx.cond(
            ReviewPolicies.problem != "",
            empty("circle_alert", "This page cannot be shown", ReviewPolicies.problem),
            rx.cond(ReviewPolicies.loaded, _list(), bones(4, "7rem")),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/review-policies``."""
    watched = (ReviewPolicies.watch, StandIns.watch, ReviewerGroups.watch, PolicyRules.load)
    live_page(app, PATH, "Review policies", page, *watched)
