"""The review card: one checkpoint, in the order in which a careful reader decides."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import theme
from agent_console.ui.components.basics import (
    callout,
    fact,
    facts,
    icon,
    identifier,
    status_mark,
    words,
)
from agent_console.ui.components.file_diff import OnCard
from agent_console.ui.components.review_asked import asked_facts, deadline_fact
from agent_console.ui.components.review_content import content, decided, part
from agent_console.ui.components.review_context import context_section
from agent_console.ui.components.review_findings import findings_section
from agent_console.ui.components.review_models import (
    BodyView,
    ContextView,
    RulingView,
)
from agent_console.ui.components.review_rounds import rounds_section
from agent_console.ui.elements import moment


def review_card(
    body: rx.Var[BodyView],
    ruling: rx.Var[RulingView],
    context: rx.Var[ContextView],
    *,
    verdict_bar: rx.Component,
    alert: rx.Component,
    claim_bar: rx.Component,
    votes: rx.Component,
    question: rx.Component,
    by_itself: rx.Component,
    thread: rx.Component,
    lines: OnCard,
) -> rx.Component:
    """Return the card; ``verdict_bar`` closes it, ``claim_bar`` follows its head.

    ``votes`` tell what was said so far where several people have to agree; ``alert`` says why a
    verdict was not taken; ``question`` stands in for what will happen where something is asked;
    ``by_itself`` is what a rule had to do with it, and ``thread`` is what people say about it,
    of whose ``lines`` some have been spoken of.

    Keyed by the checkpoint's id: what is being typed cannot move to another card.
    """
    return rx.el.article(
        _head(body, ruling),
        claim_bar,
        rx.el.div(
            rx.el.div(alert, role="alert"),
            decided(ruling),
            votes,
            rx.cond(
                body.question,
                question,
                rx.cond(body.note, _words(body), _action(body, ruling)),
            ),
            findings_section(body),
            rounds_section(body, ruling),
            content(body, lines),
            rx.cond(body.note | body.question, rx.fragment(), _words(body)),
            by_itself,
            _why(body, ruling),
            thread,
            context_section(body, context),
            class_name="card-body",
        ),
        verdict_bar,
        key=body.id,
        tab_index=-1,
        class_name="card",
        aria_label=body.label,
        data_testid="review-card",
        custom_attrs={"data-checkpoint": body.id},
    )


def _head(body: rx.Var[BodyView], ruling: rx.Var[RulingView]) -> rx.Component:
    return rx.el.header(
        rx.link(
            icon("arrow_left", 15),
            "All checkpoints",
            href="/admin/agent-checkpoints",
            class_name="card-back",
            underline="none",
        ),
        rx.el.div(
            rx.el.h2(body.job_type, class_name="card-title"),
            rx.cond(
                body.note,
                status_mark(body.type, theme.CHECKPOINT_TYPE_MARKS),
                status_mark(ruling.status, theme.CHECKPOINT_MARKS),
            ),
            rx.cond(body.round_word != "", rx.el.span(body.round_word, class_name="ac-meta")),
            rx.cond(
                ruling.pending & (ruling.expires_at != ""),
                rx.el.span("expires ", moment(ruling.expires_at, "until"), class_name="ac-meta"),
            ),
            _watched(ruling),
            rx.el.span(
                rx.link(
                    icon("link", 14),
                    href=body.href,
                    class_name="ac-icon",
                    title="Permanent link",
                    aria_label="Permanent link to this checkpoint",
                ),
                class_name="card-tools",
            ),
            class_name="card-line",
        ),
        rx.cond(body.task != "", rx.el.p(body.task, class_name="card-task")),
        class_name="card-head",
    )


def _watched(ruling: rx.Var[RulingView]) -> rx.Component:
    """Say who else looks at the card; the place is kept, so that nothing moves when they come."""
    return rx.el.span(
        rx.cond(
            ruling.watched != "",
            rx.fragment(icon("eye", 14), rx.el.span(ruling.watched, class_name="ac-cut")),
        ),
        class_name="card-watched",
        title=ruling.watched,
        role="status",
        aria_live="polite",
    )


def _action(body: rx.Var[BodyView], ruling: rx.Var[RulingView]) -> rx.Component:
    return rx.el.section(
        rx.el.h3(words(ruling.pending, "What will happen", "What was asked"), class_name="card-h"),
        rx.el.p(body.action, class_name="card-action"),
        rx.cond(
            body.hidden_note != "",
            callout(
                "amber",
                "eye_off",
                body.hidden_note + " in what would be done: written out as ⟨U+…⟩.",
            ),
        ),
        rx.el.div(
            rx.cond(
                ruling.moved != "",
                callout(
                    "amber",
                    "git_compare_arrows",
                    "Changed since this was asked: " + ruling.moved + ". The difference below is to"
                    " what was there then. Approve, and the job sees that before it writes: nothing"
                    " is written, and it asks again with the new difference. Reject what is no"
                    " longer wanted.",
                ),
            ),
            role="status",
            data_testid="moved",
        ),
        rx.cond(
            body.uninspectable,
            callout(
                "red",
                "triangle_alert",
                "Part of this request cannot be pictured. Read the raw change before you decide.",
            ),
        ),
        class_name="card-part",
    )


def _words(body: rx.Var[BodyView]) -> rx.Component:
    return rx.cond(
        body.message != "",
        part(
            "The agent's own words",
            rx.el.blockquote(body.message, class_name="card-words"),
            aside=rx.el.span(
                "not checked by the console",
                rx.cond(
                    body.message_note != "",
                    rx.el.span(
                        icon("eye_off", 12),
                        body.message_note,
                        class_name="ac-mark",
                        custom_attrs={"data-tone": "amber"},
                    ),
                ),
                class_name="ac-meta card-aside",
            ),
        ),
    )


def _why(body: rx.Var[BodyView], ruling: rx.Var[RulingView]) -> rx.Component:
    return rx.el.section(
        rx.el.h3(
            words(ruling.pending, "Why am I asked", "About this checkpoint"), class_name="card-h"
        ),
        rx.cond(
            ruling.may_decide & ruling.self_approval,
            callout(
                "amber",
                "user_round_check",
                "You asked for this job yourself. You may decide because nobody else can;"
                " the journal will say so.",
            ),
        ),
        facts(
            (
                "Requested by",
                rx.el.span(rx.cond(body.requester != "", body.requester, "the system")),
            ),
            ("Asked", moment(body.created_at)),
        ),
        rx.cond(body.note, rx.fragment(), asked_facts(ruling)),
        rx.cond(ruling.pending, _consequences(body, ruling)),
        facts(
            ("Type", rx.el.span(body.type, class_name="card-type")),
            ("Checkpoint", identifier(body.id)),
            ("Digest", identifier(body.digest)),
        ),
        class_name="card-part",
    )


def _consequences(body: rx.Var[BodyView], ruling: rx.Var[RulingView]) -> rx.Component:
    changes = rx.cond(
        ruling.changes_refusal == "",
        rx.el.span("Nothing is done; the job makes another proposal from your words."),
        rx.el.span(ruling.changes_refusal),
    )
    return facts(
        fact("On answer", "The job resumes where it stopped, with it.", given=body.question),
        fact(
            "On approve",
            "The job resumes where it stopped, with exactly what is shown here.",
            given=~body.question,
        ),
        fact("On changes", changes, given=~body.question),
        ("On reject", "Nothing is done; the job gets your reason and fails unless it handles it."),
        ("On timeout", deadline_fact(ruling)),
    )
