"""Slots over real changes of the clock, against a walk through every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_console.domain.clock import MICROSECONDS, from_micros, to_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.schedules import Rule
from agent_console.services.recurrence import (
    between,
    checked,
    following,
    time_zones,
    upcoming,
    words,
)

ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
    "America/Havana", "America/Nuuk", "Asia/Beirut", "Asia/Kathmandu", "UTC",
)  # fmt: skip


@lru_cache
def changes(zone: str) -> list[datetime]:
    """Return every instant, to the hour, after which the clock of ``zone`` is set, 2024 to 2027."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=n) for n in range(4 * 8_766)]
    there = ZoneInfo(zone)
    return [
        one
        for one, two in pairwise(hours)
        if one.astimezone(there).utcoffset() != two.astimezone(there).utcoffset()
    ]


def near_a_change(zone: str) -> st.SearchStrategy[datetime]:
    found = changes(zone) or [datetime(2026, 3, 1, tzinfo=UTC)]
    around = st.integers(-36 * 60, 36 * 60).map(lambda n: timedelta(minutes=n))
    return st.tuples(st.sampled_from(found), around).map(lambda pair: pair[0] + pair[1])


zones_and_starts = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(st.just(zone), near_a_change(zone))
)
minutes = st.one_of(
    st.sampled_from(["*", "*/10", "*/7", "0", "30", "0,30", "15-45/15"]),
    st.integers(0, 59).map(str),
)
hours = st.one_of(
    st.sampled_from(["*", "*/2", "0", "1", "2", "3", "23", "0-3", "1,2"]),
    st.integers(0, 23).map(str),
)
days = st.sampled_from(["* * *", "* * SUN", "*/2 * *", "L * *", "1 * MON"])
rules = st.tuples(minutes, hours, days).map(" ".join)


def walls(rule: Rule, first: datetime, last: datetime) -> list[datetime]:
    """Return the instants, by elapsed time, at which the wall shows what the rule names."""
    named = CronSim(str(rule.cron), first)
    zone = ZoneInfo(rule.time_zone)
    found, at = [], first.replace(second=0, microsecond=0)
    while at <= last:
        wall = at.astimezone(zone)
        if wall.minute in named.minutes and wall.hour in named.hours and named.match_day(wall):
            found.append(at)
        at += timedelta(minutes=1)
    return found


def is_fixed(cron: str) -> bool:
    minute, hour = cron.split()[:2]
    return not minute.startswith("*") and not hour.startswith("*")


@settings(max_examples=25, deadline=None)
@given(zones_and_starts, rules)
def test_slots_rise_strictly_and_are_the_same_from_both_sides(
    where: tuple[str, datetime], cron: str
) -> None:
    zone, start = where
    rule = Rule(cron=cron.upper(), time_zone=zone)
    slots = upcoming(rule, to_micros(start), 12)
    assert all(one < two for one, two in pairwise([to_micros(start), *slots]))
    assert between(rule, slots[0], slots[-1], 100) == slots
    assert between(rule, slots[0], slots[-1], 7) == slots[-7:]
    # Wherever one starts: the slot after an instant is the first of all later ones.
    middle = slots[6] - 1
    assert following(rule, middle) == slots[6]


@settings(max_examples=40, deadline=None)
@given(zones_and_starts, rules.filter(lambda cron: not is_fixed(cron)))
def test_a_rule_with_a_star_follows_elapsed_time(where: tuple[str, datetime], cron: str) -> None:
    zone, start = where
    rule = Rule(cron=cron.upper(), time_zone=zone)
    end = start + timedelta(hours=30)
    expected = [to_micros(one) for one in walls(rule, start, end)]
    assert between(rule, to_micros(start), to_micros(end), 5_000) == [
        one for one in expected if one >= to_micros(start)
    ]


@settings(max_examples=80, deadline=None)
@given(zones_and_starts, st.integers(0, 23), st.integers(0, 59))
def test_a_fixed_time_has_one_slot_a_day_whatever_the_clock_does(
    where: tuple[str, datetime], hour: int, minute: int
) -> None:
    zone, start = where
    rule = Rule(cron=f"{minute} {hour} * * *", time_zone=zone)
    slots = [from_micros(one).astimezone(ZoneInfo(zone)) for one in upcoming(
        rule, to_micros(start - timedelta(days=2)), 6
    )]  # fmt: skip
    assert all(one.fold == 0 for one in slots)  # of a time that comes twice, the first
    expected = [slots[0].date() + timedelta(days=n) for n in range(6)]
    wall = [(one.hour, one.minute) == (hour, minute) for one in slots]
    for slot, day, shown in zip(slots, expected, wall, strict=True):
        # In a gap the slot is its end, which after a gap at midnight is the next day's first hour.
        assert slot.date() == day or (not shown and slot.date() == day + timedelta(days=1))
        before = (slot.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert shown or before.utcoffset() != slot.utcoffset()


def told(cron: str, zone: str, start: datetime, count: int) -> list[str]:
    rule = checked(Rule(cron=cron, time_zone=zone))
    slots = upcoming(rule, to_micros(start), count)
    return [from_micros(one).astimezone(ZoneInfo(zone)).isoformat()[8:22] for one in slots]


def test_the_changes_that_everybody_knows() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    berlin = "Europe/Berlin"
    assert told("30 2 * * *", berlin, spring, 2) == ["29T03:00:00+02", "30T02:30:00+02"]
    assert told("0,30 2 * * *", berlin, spring, 3) == [
        "29T03:00:00+02", "30T02:00:00+02", "30T02:30:00+02",
    ]  # fmt: skip
    assert told("30 2 * * *", berlin, autumn, 2) == ["25T02:30:00+02", "26T02:30:00+01"]
    late = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert told("30 2 * * *", berlin, late, 1) == ["26T02:30:00+01"]
    assert told("30 * * * *", berlin, late - timedelta(hours=1), 2) == [
        "25T02:30:00+02", "25T02:30:00+01",
    ]  # fmt: skip
    half = datetime(2026, 4, 4, 14, 55, tzinfo=UTC)  # at Lord Howe the clock goes back 30 minutes
    assert told("*/30 * * * *", "Australia/Lord_Howe", half, 2) == [
        "05T01:30:00+10", "05T02:00:00+10",
    ]  # fmt: skip


def test_a_day_that_a_zone_left_out_has_its_slot_when_it_would_have_ended() -> None:
    start = datetime(2011, 12, 29, 12, tzinfo=UTC)
    assert told("0 9 30 12 *", "Pacific/Apia", start, 1) == ["31T00:00:00+14"]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**7), st.integers(0, 10**8), st.integers(1, 200))
def test_an_interval_keeps_its_grid(seconds: int, passed: int, most: int) -> None:
    rule = Rule(interval_seconds=seconds)
    anchor = to_micros(datetime(2026, 1, 1, tzinfo=UTC)) + 7
    now = anchor + passed * MICROSECONDS
    slots = between(rule, anchor, now, most)
    assert slots[-1] <= now < slots[-1] + seconds * MICROSECONDS
    assert all((slot - anchor) % (seconds * MICROSECONDS) == 0 for slot in slots)
    assert len(slots) == min(most, passed // seconds + 1)
    assert following(rule, now, anchor=anchor) == slots[-1] + seconds * MICROSECONDS


@pytest.mark.parametrize(
    ("cron", "plain"),
    [("@daily", "0 0 * * *"), ("  0   9 * *  mon-fri ", "0 9 * * MON-FRI")],
)
def test_expressions_are_kept_in_plain_form(cron: str, plain: str) -> None:
    assert checked(Rule(cron=cron)).cron == plain


@pytest.mark.parametrize("cron", ["", "* * * * * *", "0 0 31 4 *", "x * * * *", "9" * 300])
def test_what_is_no_expression_is_refused(cron: str) -> None:
    with pytest.raises(Invalid, match="cron"):
        checked(Rule(cron=cron))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(cron="0 3 * * *", time_zone="Europe/Berlin"), "At 03:00 every day, Europe/Berlin"),
        (Rule(interval_seconds=3_600), "Every hour"),
        (Rule(interval_seconds=5_400), "Every 1 hour 30 minutes"),
        (Rule(interval_seconds=172_800), "Every 2 days"),
    ],
)
def test_rules_are_said_in_words(rule: Rule, said: str) -> None:
    assert words(rule) == said


def test_the_time_zones_do_not_depend_on_the_machine() -> None:
    import zoneinfo

    zoneinfo.reset_tzpath(to=[])
    try:
        found = zoneinfo.available_timezones()
        berlin = zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
    finally:
        zoneinfo.reset_tzpath()
    assert set(ZONES) <= found
    assert set(ZONES) <= set(time_zones())
    assert datetime(2026, 7, 1, tzinfo=berlin).utcoffset() == timedelta(hours=2)
