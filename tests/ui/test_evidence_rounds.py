"""The difference between rounds, told by what findings, drafts and reports say."""

from __future__ import annotations

from typing import Any

from agent_console.domain.checkpoints import CheckpointStatus, Round
from agent_console.domain.rounds import difference
from agent_console.ui.components import review_build as build
from agent_console.ui.evidence_rounds import OTHER, since
from tests.ui.test_desk_views import NOW, detail
from tests.ui.test_evidence_views import ANSWER, FINDING


def told(before: Any, after: Any, **more: Any) -> dict[str, tuple[Any, Any]]:
    """Return what is shown of the step from ``before`` to ``after``, by name."""
    old, new = detail(data=before).checkpoint, detail(data=after, **more).checkpoint
    made = since(old, new, difference(old, new))
    return {str(one.get("path") or one["title"]): (one["before"], one["after"]) for one in made}


def lines(text: Any) -> set[str]:
    return {line.strip() for line in str(text).splitlines()}


def findings(*claims: str) -> dict[str, Any]:
    made = [{**FINDING, "id": f"F{n}", "claim": text} for n, text in enumerate(claims, 1)]
    ids = [one["id"] for one in made]
    return {"topic": "t", "findings": made, "answers": [{**ANSWER, "findingIds": ids}]}


def test_a_finding_left_out_changes_no_other_although_they_are_numbered_anew() -> None:
    shown = told(findings("One.", "Two.", "Three."), findings("One.", "Three."))
    assert list(shown) == ["Findings"]
    before, after = map(lines, shown["Findings"])
    assert before - after == {"• Two."}
    assert after - before == set()


def test_a_change_of_confidence_or_of_what_only_json_shows_is_told() -> None:
    changed = findings("One.")
    changed["findings"][0]["confidence"] = 0.4
    changed["findings"][0]["extra"] = "new"
    before, after = map(lines, told(findings("One."), changed | {"topic": "u"})["Findings"])
    assert after - before == {
        "Minutes, version 2, characters 10–25; confidence 0.4",
        "extra: new",
    }
    assert told(findings("One."), findings("One.") | {"topic": "u"}).keys() == {OTHER}


def test_drafts_are_compared_by_their_names() -> None:
    def made(**texts: str) -> dict[str, Any]:
        entries = [{"name": name, "text": text} for name, text in texts.items()]
        return {"title": "t", "variations": entries}

    shown = told(made(Brief="a\n", Long="b\n"), made(Brief="A\n", New="c\n"))
    assert shown["Draft Brief"] == ("a\n", "A\n")
    assert shown["Draft Long"] == ("b\n", None)
    assert shown["Draft New"] == (None, "c\n")
    assert list(shown)[-1] == OTHER


def test_a_report_is_compared_as_the_text_it_is() -> None:
    shown = told({"title": "t", "markdown": "# a\n"}, {"title": "t", "markdown": "# b\n"})
    assert shown == {"Report": ("# a\n", "# b\n")}


def test_other_data_and_files_are_compared_as_before() -> None:
    assert list(told({"n": 1}, {"n": 2})) == ["data"]
    assert list(told({"markdown": "a"}, {"n": 2})) == ["data"]
    file = {"kind": "file", "path": "a.py", "before": "", "after": "x\n"}
    shown = told({"markdown": "a"}, {"markdown": "b"}, changes=[file])
    assert list(shown) == ["Report", "a.py"]
    assert list(told({"markdown": "a"}, {"markdown": "a"}, changes=[file])) == ["a.py"]


def test_the_card_names_its_round_and_what_was_said_before() -> None:
    def one(number: int, status: CheckpointStatus, said: str) -> Round:
        return Round(
            id=f"chk_{number}",
            round=number,
            status=status,
            said=said,
            decided_by_name="Rita" if said else None,
            decided_at=NOW if said else None,
            created_at=NOW,
        )

    before = detail(data=findings("One.", "Two.")).checkpoint
    facts = {
        "id": "chk_2",
        "data": findings("One."),
        "round": 2,
        "rounds": 3,
        "previous_id": "chk_1",
        "changes_refusal": "",
    }
    chain = [
        one(1, CheckpointStatus.CHANGES_REQUESTED, "Without\u202e F2."),
        one(2, CheckpointStatus.PENDING, ""),
    ]
    shown = detail(**facts, previous=before, chain=chain, since_last=[{"kind": "?"}])
    body, ruling = build.body(shown), build.ruling(shown)
    assert (body.round_word, body.since_word) == ("Round 2 of 3", "What changed since round 1")
    assert [(one.title, one.removed) for one in body.since] == [("Findings", "\N{MINUS SIGN}3")]
    first, second = ruling.rounds
    assert (first.name, first.said, first.who) == ("Round 1", "Without⟨U+202E⟩ F2.", "Rita")
    assert (first.current, second.current) == (False, True)
    assert first.href == "/admin/agent-checkpoints/chk_1"


def test_a_card_without_rounds_says_nothing_of_them() -> None:
    body, ruling = build.body(detail()), build.ruling(detail())
    assert (body.round_word, body.since_word, body.since, ruling.rounds) == ("", "", [], [])
    assert "does not propose in rounds" in ruling.changes_refusal
