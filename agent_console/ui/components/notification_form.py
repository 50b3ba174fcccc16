"""The form of a subscription: a new one, or one that is changed."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import verb_button, words
from agent_console.ui.components.when_fields import attrs, labelled
from agent_console.ui.notification_views import DIGESTS, PAGE, TOPICS, WAYS
from agent_console.ui.states.notifications import Notifications
from agent_console.ui.when import own

_DRAFT = Notifications.draft
_EDITING = _DRAFT.id != ""


def subscription_form() -> rx.Component:
    """Return the form, filled with what is to be changed."""
    return rx.form(
        rx.el.div(_name(), _way(), class_name="notify-pair"),
        _target(),
        _input(
            "secret",
            "Signing secret",
            words(
                _EDITING,
                "Of a webhook: whsec_…; empty to keep the one it has.",
                "Of a webhook: whsec_…; without one, one is made.",
            ),
            type="password",
            optional=True,
        ),
        rx.el.div(_topics(), _only(), class_name="notify-pair"),
        rx.el.div(
            _input(
                "reminders",
                "Reminders at",
                "Percent of the time that is left.",
                default_value=_DRAFT.reminders,
            ),
            _input(
                "jobTypes",
                "Job types",
                "Names with commas between; empty for all.",
                optional=True,
                default_value=_DRAFT.job_types,
            ),
            class_name="notify-pair",
        ),
        _digest(),
        rx.el.div(
            verb_button(
                words(_EDITING, "Save changes", "Add subscription"), type="submit", size="2"
            ),
            rx.cond(_EDITING, rx.link("Leave it as it is", href=PAGE, size="2")),
            class_name="notify-save",
        ),
        key=Notifications.form_key + _DRAFT.id,  # another form, not this one with other words
        on_submit=Notifications.save,
        reset_on_submit=False,
        no_validate=True,
        aria_label="Subscription",
        class_name="notify-form",
    )


def _error(field: str) -> rx.Var[str]:
    return cast("rx.Var[str]", Notifications.errors.get(field, ""))


def _input(name: str, label: str, hint: Any, **more: Any) -> rx.Component:
    optional = more.pop("optional", False)
    control = rx.el.input(auto_complete="off", **attrs(name, _error(name)), **more)
    return labelled(name, label, control, _error(name), hint, optional=optional)


def _name() -> rx.Component:
    return _input(
        "name",
        "Name",
        "What it is for.",
        max_length=200,
        default_value=_DRAFT.name,
        auto_focus=_EDITING,  # who pressed Edit is led here
    )


def _way() -> rx.Component:
    control = rx.el.select(
        *[rx.el.option(label, value=one.value) for one, label in WAYS.items()],
        default_value=_DRAFT.way,
        disabled=_EDITING,
        **attrs("way", _error("way")),
    )
    hint = words(_EDITING, "It stays: make another one for another way.", "")
    return labelled("way", "Way", control, _error("way"), hint)


def _target() -> rx.Component:
    hint = rx.cond(
        _EDITING,
        rx.fragment(
            "It is ",
            rx.el.span(_DRAFT.shown, class_name="ac-mono"),
            " and never shown in full; empty to keep it.",
        ),
        rx.fragment(
            "Of a webhook the address that is called, which the settings must allow; for mail or "
            "chat a URL such as slack://… (",
            Notifications.schemes,
            "). Encrypted, and never shown again.",
        ),
    )
    return _input("target", "Target", hint, type="password", max_length=2000)


def _check(name: str, label: str, **props: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=own(name), **props),
        label,
        class_name="ac-check",
    )


def _topics() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Hear of"),
        rx.el.div(
            *[
                _check(
                    topic.value,
                    label,
                    default_checked=_DRAFT.topics.contains(topic.value),
                )
                for topic, label in TOPICS.items()
            ],
            class_name="notify-checks",
        ),
        rx.cond(_error("topics") != "", rx.el.div(_error("topics"), class_name="ac-error")),
        class_name="ac-field",
    )


def _only() -> rx.Component:
    shared = _check(
        "shared",
        "Shared by the administrators",
        default_checked=_DRAFT.shared,
        disabled=_EDITING,
        title=words(_EDITING, "Whose it is stays as it is.", ""),
    )
    return rx.el.fieldset(
        rx.el.legend("Who for"),
        rx.el.div(
            _check("decidable", "Only what I may decide", default_checked=_DRAFT.decidable),
            rx.cond(Notifications.may_share, shared),
            class_name="notify-checks",
        ),
        rx.cond(_error("decidable") != "", rx.el.div(_error("decidable"), class_name="ac-error")),
        class_name="ac-field",
    )


def _digest() -> rx.Component:
    control = rx.el.select(
        *[rx.el.option(said, value=str(one)) for one, said in DIGESTS.items()],
        rx.cond(_DRAFT.digest_words != "", rx.el.option(_DRAFT.digest_words, value=_DRAFT.digest)),
        default_value=_DRAFT.digest,
        **attrs("digestMinutes", _error("digestMinutes")),
    )
    hint = (
        "Gathered: one message of what is new and decided. Reminders, escalations and what has "
        "to be decided before come at once."
    )
    return labelled("digestMinutes", "When", control, _error("digestMinutes"), hint)
