from __future__ import annotations

import re
from typing import Any

import pytest

from agent_console import JobContext, Limit, handler
from agent_console.domain.errors import Invalid, Misconfigured
from agent_console.domain.limits import Caps, check_overrides, effective, held_because, lane_of
from agent_console.runtime.registry import spec_of


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "at least one of running, per_key and starts"),
        ({"running": 0}, "running to be a whole number from 1"),
        ({"running": True}, "running to be a whole number"),
        ({"running": 1.5}, "running to be a whole number"),
        ({"per_key": 1}, "per_key and key together"),
        ({"running": 1, "key": str}, "per_key and key together"),
        ({"per_key": 1, "key": "customer"}, "key to be a function"),
        ({"starts": 3}, "starts and per (seconds) together"),
        ({"running": 1, "per": 60.0}, "starts and per (seconds) together"),
        ({"starts": 3, "per": 0}, "per to be 0.001 to"),
        ({"starts": 3, "per": float("nan")}, "per to be 0.001 to"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(says)):
        Limit(**wrong)


def test_a_handler_carries_its_limit() -> None:
    limit = Limit(running=3, per_key=1, key=lambda data: data["customer"], starts=10, per=60.0)

    @handler("invoice", limit=limit)
    def invoice(ctx: JobContext) -> None:
        """Send it."""

    spec = spec_of(invoice)
    assert spec is not None
    assert spec.info().limit == limit
    assert limit.caps.words == "3 running, 1 per key, 10 starts per 60 s"


def test_a_key_is_a_short_text_or_number() -> None:
    limit = Limit(per_key=1, key=lambda data: data["customer"])
    assert lane_of(limit, {"customer": "ada"}) == "ada"
    assert lane_of(limit, {"customer": 7}) == "7"
    assert lane_of(limit, {"customer": None}) is None
    assert lane_of(None, {}) is None
    for wrong in ({}, {"customer": "x" * 201}, {"customer": "\x00"}, {"customer": 1.5}):
        with pytest.raises(Invalid) as caught:
            lane_of(limit, wrong)
        assert caught.value.fields[0].field == "inputData"


def test_an_override_replaces_lifts_or_leaves_what_is_declared() -> None:
    declared = Caps(running=3, per_key=1, starts=10, per=60.0)
    assert effective(declared, Caps()) == declared
    assert effective(declared, Caps(running=5)).running == 5
    assert effective(declared, Caps(running=0, per_key=0, starts=0)) == Caps()
    assert effective(declared, Caps(starts=2, per=1.0)) == Caps(
        running=3, per_key=1, starts=2, per=1.0
    )


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Caps(running=-1), "limits.running"),
        (Caps(running=100_001), "limits.running"),
        (Caps(per_key=1), "limits.perKey"),
        (Caps(starts=1), "limits.per"),
        (Caps(per=1.0), "limits.starts"),
        (Caps(starts=1, per=0.0), "limits.per"),
    ],
)
def test_an_override_that_cannot_be_meant_names_its_field(wanted: Caps, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_overrides(wanted, keyed=False)
    assert caught.value.fields[0].field == field


def test_a_held_job_says_what_holds_it() -> None:
    caps = Caps(running=3, per_key=1, starts=10, per=60.0)

    def why(running: int = 0, in_lane: int = 0, wait: float = 0.0) -> str:
        return held_because(caps, None, running=running, in_lane=in_lane, lane="ada", wait=wait)

    assert why(running=3) == "3 of 3 running"
    assert why(in_lane=1) == "1 of 1 running for key ada"
    assert why(wait=1.0) == "10 starts per 60 s are used up"
    assert why() == ""
