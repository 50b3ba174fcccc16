"""The header ``traceparent``, as the W3C writes it down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain import trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_valid_header_is_read_and_written_back() -> None:
    place = trace.parse(f"00-{TRACE}-{SPAN}-01")
    assert place == trace.TraceContext(TRACE, SPAN, 1)
    assert str(place) == f"00-{TRACE}-{SPAN}-01"
    assert not place.is_beginning


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-03", 1),  # only the first flag has a meaning
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be", 1),
        (f" 00-{TRACE}-{SPAN}-01 ", 1),
    ],
)
def test_flags_and_later_versions(header: str, flags: int) -> None:
    place = trace.parse(header)
    assert str(place) == f"00-{TRACE}-{SPAN}-0{flags}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\r\nX: y",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 1000}",
    ],
)
def test_whatever_is_not_valid_is_no_place(header: str | None) -> None:
    assert trace.parse(header) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    place = trace.parse(text)
    assert place is None or trace.parse(str(place)) is not None


def test_a_beginning_is_known_as_one_and_is_never_the_same() -> None:
    made = {trace.beginning() for _ in range(100)}
    assert len(made) == 100
    assert all(place.is_beginning and trace.parse(str(place)) == place for place in made)


def test_a_job_that_stored_nothing_has_one_trace_all_the_same() -> None:
    assert trace.of_job("job_1", None) == trace.of_job("job_1", "nonsense")
    assert trace.of_job("job_1", None) != trace.of_job("job_2", None)
    assert trace.of_job("job_1", f"00-{TRACE}-{SPAN}-01").trace_id == TRACE


def test_the_place_of_work_ends_with_its_block() -> None:
    assert trace.current() is None
    with trace.within(f"00-{TRACE}-{SPAN}-01"):
        assert trace.current() == trace.TraceContext(TRACE, SPAN, 1)
        with trace.within("nonsense"):
            assert trace.current() is None
        assert trace.current() is not None
    assert trace.current() is None
