"""The form of a question on the desk: made from its schema, read, and refused where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import FieldError
from agent_console.domain.review_policies import AtDeadline, Deadline, Terms
from agent_console.ui import answer_forms, forms
from agent_console.ui.forms import NEEDED
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from tests.ui.conftest import Browser, Console
from tests.ui.test_desk_events import at_the_desk, notices, stored, waiting

COLOUR = {"type": "string", "enum": ["red", "green", "a\u202eb"]}
SOME = {
    "type": "array",
    "items": {"type": "string", "enum": ["red", "green"]},
    "minItems": 1,
    "uniqueItems": True,
}
TRIP = {
    "$defs": {"Way": {"type": "string", "enum": ["train", "boat"]}},
    "type": "object",
    "properties": {
        "to": {"type": "string", "maxLength": 5},
        "way": {"$ref": "#/$defs/Way"},
        "nights": {"type": "integer", "default": 1, "minimum": 1},
        "ways": {"type": "array", "items": {"$ref": "#/$defs/Way"}},
        "direct": {"type": "boolean", "default": False},
    },
    "required": ["to", "way"],
}


def laid_out(schema: Any, default: Any = None) -> list[forms.FieldView]:
    form, data = answer_forms.form_of(schema, default)
    return answer_forms.told(form.fields(data), data)


@pytest.mark.parametrize(
    ("schema", "kind", "typed", "answer"),
    [
        (COLOUR, "radio", {"answer": "red"}, "red"),
        (SOME, "several", {"answer:tick:1": "green"}, ["green"]),
        ({"type": "boolean"}, "yesno", {"answer": "false"}, False),
        ({"type": "string"}, "text", {"answer": "so"}, "so"),
        ({"type": "integer"}, "integer", {"answer": " 12 "}, 12),
        ({"type": "object"}, "json", {"answer": '{"a": 1}'}, {"a": 1}),
    ],
)
def test_one_thing_becomes_one_field(schema: Any, kind: str, typed: Any, answer: Any) -> None:
    (view,) = laid_out(schema)
    assert (view.kind, view.label, view.required) == (kind, "Your answer", True)
    assert not any(one.checked for one in view.marks)
    form, _ = answer_forms.form_of(schema, None)
    assert answer_forms.collected(form, typed) == (answer, [])
    assert answer_forms.collected(form, {})[1] == [FieldError("inputData.answer", NEEDED)]


def test_a_model_becomes_a_form_in_its_own_order() -> None:
    views = {one.name: one for one in laid_out(TRIP)}
    assert {name: one.kind for name, one in views.items()} == {
        "to": "text",
        "way": "choice",
        "nights": "integer",
        "ways": "several",
        "direct": "boolean",
    }
    form, _ = answer_forms.form_of(TRIP, None)
    typed = {"to": "Oslo", "way": "boat", "nights": "2", "ways:tick:0": "train"}
    assert answer_forms.collected(form, typed) == (
        {"to": "Oslo", "way": "boat", "nights": 2, "ways": ["train"], "direct": False},
        [],
    )


def test_the_default_is_chosen_and_said_to_be_it() -> None:
    (colour,) = laid_out(COLOUR, "green")
    assert [(one.value, one.checked, one.note) for one in colour.marks] == [
        ("red", False, ""),
        ("green", True, "default"),
        ("a\u202eb", False, ""),
    ]
    assert colour.marks[2].label == "a⟨U+202E⟩b"
    (yes,) = laid_out({"type": "boolean"}, False)
    assert [(one.label, one.note) for one in yes.marks] == [("Yes", ""), ("No", "default")]
    views = {one.name: one for one in laid_out(TRIP, {"to": "Oslo", "way": "boat", "nights": 3})}
    assert (views["to"].value, views["nights"].value) == ("Oslo", "3")
    assert views["to"].help == "Default: Oslo"


def test_errors_of_the_services_find_their_fields() -> None:
    single, _ = answer_forms.form_of(COLOUR, None)
    assert answer_forms.placed(single, [FieldError("answer", "no")])[0].field == "inputData.answer"
    model, _ = answer_forms.form_of(TRIP, None)
    placed = answer_forms.placed(model, [FieldError("answer.to", "no"), FieldError("answer", "x")])
    assert [one.field for one in placed] == ["inputData.to", "inputData"]


def sent(console: Console, checkpoint_id: str, **typed: str) -> dict[str, str]:
    digest = stored(console, checkpoint_id).payload_digest
    return {
        "verdict:checkpoint_id": checkpoint_id,
        "verdict:payload_digest": digest,
        **{name.replace("__", ":"): text for name, text in typed.items()},
    }


def test_it_is_answered_and_the_next_opens(console: Console) -> None:
    first = waiting(console, answer=COLOUR, default="green")
    second = waiting(console, 2)

    async def then(browser: Browser) -> None:
        await browser.until(lambda: browser.wire.value(Desk, "body").id == first)
        assert browser.wire.value(Desk, "body").question is True
        (view,) = browser.wire.value(Desk, "fields")
        assert [one.checked for one in view.marks] == [False, True, False]
        asked = browser.wire.value(Desk, "ruling").asked
        assert asked.at_deadline == (
            "the default answer is given, and the job goes on with it (default: green)"
        )
        assert browser.wire.value(Desk, "rows")[0].type_word == "Question"
        await browser.send(Desk.answer(sent(console, first, answer="red")))
        await browser.until(lambda: browser.wire.value(Desk, "body").id == second)
        assert browser.wire.value(Desk, "undoable").text == "Answered: greet"
        assert browser.wire.value(Desk, "fields") == []

    at_the_desk(console, "reviewer", BASE, then)
    done = stored(console, first)
    assert (done.status, done.response) == ("APPROVED", "red")


def test_what_is_wrong_is_said_at_its_field(console: Console) -> None:
    on = waiting(console, answer=TRIP)

    def errors(browser: Browser) -> dict[str, str]:
        found = browser.wire.value(Desk, "fields") or []
        return {one.name: one.error for one in found if one.error}

    async def then(browser: Browser) -> None:
        await browser.until(lambda: browser.wire.value(Desk, "fields"))
        await browser.send(Desk.answer(sent(console, on, nights="two")))
        await browser.until(lambda: errors(browser))
        assert errors(browser) == {
            "to": NEEDED,
            "way": NEEDED,
            "nights": "Enter a whole number.",
        }
        await browser.send(Desk.answer(sent(console, on, to="Trondheim", way="boat", nights="0")))
        await browser.until(lambda: "too long" in errors(browser).get("to", ""))
        assert set(errors(browser)) == {"to", "nights"}
        await browser.send(Desk.approve({"checkpoint_id": on}))
        await browser.send(Desk.answer({"verdict:checkpoint_id": "chk_other"}))
        await browser.send(Desk.answer(["nothing"]))

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, on).status == "PENDING"


def test_who_was_slower_is_told_who_answered(console: Console) -> None:
    on = waiting(console, answer=COLOUR)
    form = sent(console, on, answer="green")

    async def then(browser: Browser) -> None:
        await browser.until(lambda: browser.wire.value(Desk, "fields"))
        said = Verdict(verb=CheckpointVerb.ANSWER, response="red")
        console.services.review.decide(console.actor("admin"), on, said)
        await browser.send(Desk.answer(form))
        await browser.until(lambda: "was faster" in (browser.wire.value(Desk, "conflict") or ""))
        ruling = browser.wire.value(Desk, "ruling")
        assert (ruling.headline, ruling.answer_text) == ("Answered by Admin", "red")

    at_the_desk(console, "reviewer", f"{BASE}/{on}", then)
    assert stored(console, on).response == "red"


def test_who_may_not_decide_may_not_answer(console: Console) -> None:
    on = waiting(console, answer=COLOUR)

    async def then(browser: Browser) -> None:
        await browser.until(lambda: browser.wire.value(Desk, "fields"))
        await browser.send(Desk.answer(sent(console, on, answer="red")))
        await browser.until(lambda: any("checkpoints:decide" in one for one in notices(browser)))

    at_the_desk(console, "viewer", BASE, then)
    assert stored(console, on).status == "PENDING"


def test_a_policy_and_votes_are_told_in_the_words_of_a_question(console: Console) -> None:
    terms = Terms(required_approvals=2, deadline=Deadline(then=AtDeadline.APPROVE))
    console.actor("reviewer")
    console.services.policies.save(console.actor("admin"), "greet", terms)
    on = waiting(console, answer=COLOUR)
    said = Verdict(verb=CheckpointVerb.ANSWER, response="red")
    console.services.review.decide(console.actor("admin"), on, said)

    async def then(browser: Browser) -> None:
        await browser.until(lambda: browser.wire.value(Desk, "fields"))
        asked = browser.wire.value(Desk, "ruling").asked
        assert asked.approvals == "1 of 2 like answers: Admin"
        assert [one.verb for one in asked.votes] == ["answered: red"]
        assert asked.at_deadline == "it expires, and its job fails unless it knows better"
        await browser.send(Desk.answer(sent(console, on, answer="red")))
        await browser.until(lambda: browser.wire.value(Desk, "undoable").text == "Answered: greet")

    at_the_desk(console, "reviewer", BASE, then)
    assert stored(console, on).response == "red"
