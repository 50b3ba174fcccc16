"""The slots of a rule: which instants it names, in a real time zone.

Cron expressions are read by ``cronsim``; the instants are found here, a local day at a time, so
that forwards and backwards give the same slots. Daylight saving follows Debian's cron: a job with
a fixed time (neither minute nor hour begins with ``*``) runs once where the clock jumps over its
time, at the end of the gap, and once where its time comes twice, at the first. Every other job
follows elapsed time: it has no slot in a gap, and both slots of a time that comes twice.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from agent_console.domain.clock import MICROSECONDS, from_micros, to_micros
from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.schedules import MAX_INTERVAL, MIN_INTERVAL, Rule

MAX_CRON = 200  # characters
_HORIZON = 366 * 41  # days; the rarest date, a Monday the 29th of February over 2100, comes in 40
_DAY = timedelta(days=1)
_MINUTE = 60 * MICROSECONDS
_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Return the names of the known time zones, sorted."""
    return tuple(sorted(available_timezones()))


def checked(rule: Rule) -> Rule:
    """Return ``rule``, its cron expression in plain form.

    Raises:
        Invalid: it is no rule, or names no instant at all; it says which field is why.
    """
    if (rule.cron is None) == (rule.interval_seconds is None):
        raise Invalid.field("cron", "give either cron or intervalSeconds.")
    if rule.interval_seconds is not None:
        if not MIN_INTERVAL <= rule.interval_seconds <= MAX_INTERVAL:
            raise Invalid.field(
                "intervalSeconds", f"must be between {MIN_INTERVAL} and {MAX_INTERVAL:,}."
            )
        return Rule(interval_seconds=rule.interval_seconds)
    wrong: list[FieldError] = []
    if rule.time_zone not in time_zones():
        wrong.append(FieldError("timeZone", "is not an IANA time zone, such as Europe/Berlin."))
    cron = ""
    try:
        cron = _plain(rule.cron or "")
        _parsed(cron)
    except Invalid as error:
        wrong = [*error.fields, *wrong]
    if wrong:  # both are said, not the first one only
        raise Invalid(fields=wrong)
    plain = Rule(cron=cron, time_zone=rule.time_zone)
    if following(plain, to_micros(datetime.now(UTC))) is None:
        raise Invalid.field("cron", "names no date that ever comes.")
    return plain


def words(rule: Rule) -> str:
    """Return the rule for people: ``At 03:00 every day, Europe/Berlin``; ``rule`` is checked."""
    if rule.interval_seconds is not None:
        return f"Every {_span(rule.interval_seconds)}"
    return f"{_parsed(rule.cron or '').explain()}, {rule.time_zone}"


def following(rule: Rule, after: int, *, anchor: int | None = None) -> int | None:
    """Return the first slot later than ``after`` (microseconds); None when none ever comes.

    An interval's slots are counted from ``anchor``, by default from ``after``.
    """
    if rule.interval_seconds is not None:
        step = rule.interval_seconds * MICROSECONDS
        start = after if anchor is None else anchor
        return start + ((after - start) // step + 1) * step
    day = _local_day(rule, after) - _DAY
    for _ in range(_HORIZON):
        found = [slot for slot in _slots(rule, day) if slot > after]
        if found:  # where a clock is set back over midnight, the next day may hold an earlier one
            return min([*found, *(s for s in _slots(rule, day + _DAY) if s > after)])
        day += _DAY
    return None


def between(rule: Rule, first: int, until: int, most: int) -> list[int]:
    """Return the newest ``most`` slots from ``first`` to ``until`` (microseconds), in order.

    An interval's slots are counted from ``first``.
    """
    if rule.interval_seconds is not None:
        step = rule.interval_seconds * MICROSECONDS
        last = (until - first) // step
        return [first + n * step for n in range(max(0, last - most + 1), last + 1)]
    found: set[int] = set()
    day, oldest = _local_day(rule, until) + 2 * _DAY, _local_day(rule, first) - 2 * _DAY
    spare = 2  # days that may still hold slots between those that were found
    while day >= oldest and (len(found) < most or spare > 0):
        spare -= len(found) >= most
        found |= {slot for slot in _slots(rule, day) if first <= slot <= until}
        day -= _DAY
    return sorted(found)[-most:]


def upcoming(rule: Rule, after: int, count: int, *, anchor: int | None = None) -> list[int]:
    """Return the next ``count`` slots later than ``after``; fewer when no more come."""
    slots: list[int] = []
    while len(slots) < count and (slot := following(rule, after, anchor=anchor)) is not None:
        slots.append(slot)
        after = slot
    return slots


def _plain(cron: str) -> str:
    text = " ".join(cron.split())
    if len(text) > MAX_CRON:
        raise Invalid.field("cron", f"must have at most {MAX_CRON} characters.")
    return _ALIASES.get(text.lower(), text.upper())


@lru_cache(maxsize=1024)
def _parsed(cron: str) -> CronSim:
    if len(cron.split()) != 5:
        message = "needs five fields: minute, hour, day of month, month, day of week."
        raise Invalid.field("cron", message)
    try:
        return CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise Invalid.field("cron", f"{error}.") from None


def _local_day(rule: Rule, micros: int) -> date:
    return from_micros(micros).astimezone(ZoneInfo(rule.time_zone)).date()


def _slots(rule: Rule, day: date) -> tuple[int, ...]:
    """Return the slots whose wall time is on the local ``day``, in order."""
    sim = _parsed(rule.cron or "")
    if day.month not in sim.months or not sim.match_day(day):
        return ()
    return _day_slots(rule.cron or "", rule.time_zone, day)


@lru_cache(maxsize=512)
def _day_slots(cron: str, time_zone: str, day: date) -> tuple[int, ...]:
    sim, zone = _parsed(cron), ZoneInfo(time_zone)
    minute, hour = cron.split()[:2]
    fixed = not minute.startswith("*") and not hour.startswith("*")
    times = [(h, m) for h in sorted(sim.hours) for m in sorted(sim.minutes)]
    midnight = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    if _is_plain_day(midnight, zone):
        start = to_micros(midnight)
        return tuple(start + (h * 60 + m) * _MINUTE for h, m in times)
    slots: set[int] = set()
    for one in (time(h, m) for h, m in times):
        wall = datetime.combine(day, one, tzinfo=zone)
        first, second = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        if second < first:  # PEP 495: the wall never shows this time
            if fixed:
                slots.add(to_micros(_end_of_gap(second, first, zone)))
        else:
            slots.add(to_micros(first))
            if not fixed:
                slots.add(to_micros(second))
    return tuple(sorted(slots))


def _is_plain_day(midnight: datetime, zone: ZoneInfo) -> bool:
    """Say whether no clock is set on the day that begins at ``midnight``, nor around its ends."""
    hours = (midnight + timedelta(hours=n) for n in range(-3, 28))
    return len({hour.astimezone(zone).utcoffset() for hour in hours}) == 1


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return when, after ``before`` and not after ``after``, the clock was set forward."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        here = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset()
        low, high = (low, middle) if here == offset else (middle, high)
    return before + timedelta(seconds=high)


def _span(seconds: int) -> str:
    parts = []
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts).removeprefix("1 ") if len(parts) == 1 else " ".join(parts)
