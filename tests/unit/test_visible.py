from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.visible import is_hidden, reveal


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("if admin:\u202e\u2066 # check", "if admin:⟨U+202E⟩⟨U+2066⟩ # check", 2),
        ("pass\u200bword", "pass⟨U+200B⟩word", 1),
        ("\x1b[2Jgone", "⟨U+001B⟩[2Jgone", 1),
        ("a\x00b\x07", "a⟨U+0000⟩b⟨U+0007⟩", 2),
        ("one\rtwo", "one⟨U+000D⟩two", 1),
        ("line\u2028sep\u2029", "line⟨U+2028⟩sep⟨U+2029⟩", 2),
        ("non\u00a0breaking", "non⟨U+00A0⟩breaking", 1),
        ("\u3164\uffa0\u115f\u2800", "⟨U+3164⟩⟨U+FFA0⟩⟨U+115F⟩⟨U+2800⟩", 4),
        ("tag\U000e0041", "tag⟨U+E0041⟩", 1),
        ("a\ufe0f\ufe0f", "a⟨U+FE0F⟩⟨U+FE0F⟩", 2),
        ("\ufeffstart", "⟨U+FEFF⟩start", 1),
        ("half \ud800", "half ⟨U+D800⟩", 1),
        ("private \ue000", "private ⟨U+E000⟩", 1),
        ("p\u0430ypal and adm\u0456n", "p⟨U+0430⟩ypal and adm⟨U+0456⟩n", 2),
        ("\u0410dmin", "⟨U+0410⟩dmin", 1),
        ("r\u043e\u043et\u200b", "r⟨U+043E⟩⟨U+043E⟩t⟨U+200B⟩", 3),
    ],
)
def test_hidden_characters_are_written_out_and_counted(text: str, shown: str, hidden: int) -> None:
    revealed = reveal(text)
    assert (revealed.text, revealed.hidden) == (shown, hidden)


@pytest.mark.parametrize(
    "text",
    [
        "plain\n\ttext with spaces",
        "windows\r\nline ends\r\n",
        "Grüße, 你好, עברית, हिन्दी",
        "москва и Athens: αβγ, ΑΘΗΝΑ, Δx, 5 µs",
        "❤️ and 👩‍👩‍👧 and 👍🏽",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert reveal(text) == reveal(reveal(text).text)
    assert (reveal(text).text, reveal(text).hidden) == (text, 0)


def test_every_control_and_format_character_is_hidden() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and char not in "\n\t":
            assert is_hidden(char), hex(code)


@given(st.text())
def test_nothing_hidden_is_left_but_emoji_parts_and_line_ends(text: str) -> None:
    revealed = reveal(text)
    left = {char for char in revealed.text if is_hidden(char)}
    assert left <= {"\r", "\ufe0f", "\u200d"}
    assert (revealed.hidden > 0) == (revealed.text != text)
