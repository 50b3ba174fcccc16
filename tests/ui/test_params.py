from __future__ import annotations

import pytest

from agent_console.domain.access import ANONYMOUS
from agent_console.ui.params import DeskParams, JobsParams
from agent_console.ui.states.jobs import query


def test_what_is_unknown_falls_back() -> None:
    assert JobsParams.parse({}) == JobsParams()
    assert JobsParams.parse({"status": "nonsense", "x": "1"}) == JobsParams()
    assert JobsParams.parse({"status": "waiting"}).status == "WAITING"
    assert DeskParams.parse({}).status == "PENDING"
    assert DeskParams.parse({"status": "'; drop table"}).status == "PENDING"


def test_what_is_too_long_is_cut() -> None:
    params = JobsParams.parse({"q": "x" * 9999, "cursor": "y" * 9999})
    assert (len(params.q), len(params.cursor)) == (200, 512)


def test_an_address_reads_back_as_it_was_written() -> None:
    params = JobsParams(status="FAILED", q="type:x a&b=ü", cursor="c+/=")
    address = params.url()
    from urllib.parse import parse_qsl, urlsplit

    assert JobsParams.parse(dict(parse_qsl(urlsplit(address).query))) == params
    assert JobsParams().url() == "/jobs"
    assert params.url(status="", q="", cursor="") == "/jobs"
    desk = DeskParams(status="ALL", job_type="x", job="job_1", kind="INFO", q="a&b=ü", cursor="c+")
    assert DeskParams.parse(dict(parse_qsl(urlsplit(desk.url()).query))) == desk


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type:code-generation", ("code-generation", None, "")),
        ("status:failed nightly run", (None, "FAILED", "nightly run")),
        ("id:job_1", (None, None, "job_1")),
        ("plain words", (None, None, "plain words")),
    ],
)
def test_the_typed_search(text: str, expected: tuple[str | None, str | None, str]) -> None:
    asked = query(ANONYMOUS, JobsParams(q=text))
    assert (asked.job_type, asked.status, asked.search) == expected


def test_a_typed_status_wins_over_the_tab() -> None:
    assert query(ANONYMOUS, JobsParams(status="RUNNING", q="status:FAILED")).status == "FAILED"
