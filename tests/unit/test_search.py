from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from agent_console.domain import search
from agent_console.domain.search import MAX_INDEX, MAX_WORD, Term, index_text, wanted, words
from agent_console.store.dialects import match_text

FACTS = {"artifact_id": "art_0123456789", "job_id": "job_1", "artifact_type": "report"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The 100% tide-table.md", ["the", "100", "tide", "table", "md"]),
        ("snake_case v1.2", ["snake", "case", "v1", "2"]),
        ("Straße Ünïted ＡＢ ﬁne", ["strasse", "united", "ab", "fine"]),
        ("全文検索test", ["全", "文", "検", "索", "test"]),
        ("%_' \ue000", []),
        ("x" * 200, ["x" * MAX_WORD]),
    ],
)
def test_words_are_folded_and_cut(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


def test_each_word_is_kept_once_with_its_facts() -> None:
    kept = index_text(FACTS, "Tide table", "the tide").split(" ")
    assert kept[3:] == ["tide", "table", "the"]
    assert kept[:3] == ["\ue000art_0123456789", "\ue001job_1", "\ue002report"]


def test_the_index_of_a_text_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    text = index_text(FACTS, " ".join(f"w{n:x}ü" for n in range(300_000)))
    assert MAX_INDEX - 100 < len(text.replace(" ", "").encode()) <= MAX_INDEX
    monkeypatch.setattr(search, "MAX_INDEX", 60)
    assert index_text(FACTS, "a" * 10, "b" * 64, "c").endswith("a" * 10)


@pytest.mark.parametrize("sign", ["", "%", "_ - '", "\ue002"])
def test_a_search_of_signs_asks_for_nothing(sign: str) -> None:
    assert wanted(sign, {}) is None


def test_facts_are_exact_and_strange_ones_find_nothing() -> None:
    asked = wanted("tide", {"job_id": "job_1", "artifact_type": None})
    assert asked is not None
    assert asked.facts == (Term("\ue001job_1"),)
    assert asked.terms == (Term("tide", prefix=True),)
    assert wanted("tide", {"job_id": "a b"}) is None
    assert wanted("tide", {"job_id": '"'}) is None


def test_a_query_is_written_in_either_language() -> None:
    asked = wanted("art_0123456789", {"artifact_type": "report"})
    assert asked is not None
    exact, fact = "\ue000art_0123456789", "\ue002report"
    assert match_text(asked, "sqlite") == (
        f'("{exact}" OR ("art"* AND "0123456789"*)) AND "{fact}"'
    )
    assert match_text(asked, "postgresql") == (
        f"('{exact}' | ('art':* & '0123456789':*)) & '{fact}'"
    )


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_a_part_of_a_text_is_always_found_in_it(before: str, part: str) -> None:
    kept = set(index_text(FACTS, f"{before} {part}").split(" "))
    asked = wanted(part, {})
    assert asked is None or {one.text for one in asked.terms} <= kept
