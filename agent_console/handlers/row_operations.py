"""What ``data-processing`` does to rows: pure functions, the same result every time.

A row is an object; other values are treated as ``{"value": …}`` by the caller. Arithmetic is
decimal, so that 0.1 + 0.2 is 0.3. Every operation keeps track of where its rows come from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, localcontext
from typing import Any

from pydantic import JsonValue

from agent_console.handlers.row_specs import (
    Aggregate,
    AnySpec,
    Arithmetic,
    Condition,
    Convert,
    Deduplicate,
    Filter,
    Join,
    Metric,
    Operand,
    Pick,
    Put,
    Rename,
    Round,
    Sort,
    Text,
    Transform,
)

Row = dict[str, JsonValue]
_DIGITS = 34  # significant digits of decimal arithmetic (IEEE 754 decimal128)
_ABSENT: Any = object()


class BadCell(ValueError):
    """A cell does not allow the operation; ``row`` is 0-based."""

    def __init__(self, row: int, field: str, problem: str) -> None:
        """Say where and what."""
        super().__init__(f"{row}.{field}: {problem}")
        self.row = row
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Out:
    """A resulting row and the index of the row it was; None when it sums up several."""

    origin: int | None
    row: Row


def apply(spec: AnySpec, rows: Sequence[Row]) -> list[Out]:
    """Return the rows that ``spec`` makes of ``rows``; the input is not changed.

    Raises:
        BadCell: a value is missing or of a type that the operation cannot use.
    """
    with localcontext(Context(prec=_DIGITS)):
        match spec:
            case Filter():
                test = all if spec.match == "all" else any
                return [
                    Out(i, row)
                    for i, row in enumerate(rows)
                    if test([_holds(condition, row, i) for condition in spec.where])
                ]
            case Transform():
                return [Out(i, _transform(spec, row, i)) for i, row in enumerate(rows)]
            case Aggregate():
                return _aggregate(spec, rows)
            case Sort():
                return _sort(spec, rows)
            case Deduplicate():
                return _deduplicate(spec, rows)


def _holds(condition: Condition, row: Row, index: int) -> bool:
    value = row.get(condition.field, _ABSENT)
    wanted = condition.value
    match condition.op:
        case "exists":
            return (value is not _ABSENT and value is not None) == (wanted is not False)
        case "eq":
            return value is not _ABSENT and _same(value, wanted)
        case "ne":
            return value is _ABSENT or not _same(value, wanted)
        case "in":
            options = wanted if isinstance(wanted, list) else []
            return value is not _ABSENT and any(_same(value, option) for option in options)
    if value is _ABSENT or value is None:
        return False
    if condition.op in {"contains", "starts_with", "ends_with"}:
        return _matches_text(condition, value, index)
    return _compares(condition, value, index)


def _matches_text(condition: Condition, value: JsonValue, index: int) -> bool:
    if not isinstance(value, str):
        raise BadCell(index, condition.field, f"{_shown(value)} is not text")
    wanted = str(condition.value)
    match condition.op:
        case "contains":
            return wanted in value
        case "starts_with":
            return value.startswith(wanted)
        case _:
            return value.endswith(wanted)


def _compares(condition: Condition, value: JsonValue, index: int) -> bool:
    left, right = _order_key(value), _order_key(condition.value)
    if left[0] != right[0]:
        raise BadCell(
            index,
            condition.field,
            f"{_shown(value)} cannot be compared with {_shown(condition.value)}",
        )
    match condition.op:
        case "lt":
            return bool(left < right)
        case "lte":
            return bool(left <= right)
        case "gt":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _transform(spec: Transform, row: Row, index: int) -> Row:
    result = dict(row)
    for step in spec.steps:
        match step:
            case Rename():
                result = {step.to if k == step.field else k: v for k, v in result.items()}
            case Pick():
                keep = step.op == "keep"
                result = {k: v for k, v in result.items() if (k in step.fields) == keep}
            case Put():
                if step.op == "set" or result.get(step.field) is None:
                    result[step.field] = step.value
            case Text():
                _change_text(step, result, index)
            case Arithmetic():
                result[step.into or step.field] = _calculate(step, result, index)
            case Round():
                result[step.field] = _rounded(step, result, index)
            case Convert():
                result[step.field] = _converted(step, result, index)
            case Join():
                parts = [_plain_text(result.get(name)) for name in step.fields]
                result[step.into] = step.separator.join(part for part in parts if part)
    return result


_TEXT: dict[str, Callable[[str], str]] = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "titlecase": str.title,
    "trim": str.strip,
}


def _change_text(step: Text, row: Row, index: int) -> None:
    for name in step.fields or list(row):
        value = row.get(name)
        if isinstance(value, str):
            row[name] = _TEXT[step.op](value)
        elif step.fields and value is not None:
            raise BadCell(index, name, f"{_shown(value)} is not text")


def _calculate(step: Arithmetic, row: Row, index: int) -> JsonValue:
    left = _number(row.get(step.field), index, step.field)
    if isinstance(step.by, Operand):
        right = _number(row.get(step.by.field), index, step.by.field)
    else:
        right = Decimal(str(step.by))
    try:
        match step.op:
            case "add":
                return _json_number(left + right)
            case "subtract":
                return _json_number(left - right)
            case "multiply":
                return _json_number(left * right)
            case _:
                return _json_number(left / right)
    except DecimalException:
        problem = "division by zero" if not right else "the result is out of range"
        raise BadCell(index, step.field, problem) from None


def _rounded(step: Round, row: Row, index: int) -> JsonValue:
    value = _number(row.get(step.field), index, step.field)
    try:
        return _json_number(value.quantize(Decimal(1).scaleb(-step.digits), ROUND_HALF_EVEN))
    except DecimalException:
        raise BadCell(index, step.field, "has too many digits to round") from None


def _converted(step: Convert, row: Row, index: int) -> JsonValue:
    value = row.get(step.field)
    if value is None:
        return None
    match step.to:
        case "text":
            return _plain_text(value)
        case "boolean":
            known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
            key = _plain_text(value).strip().lower()
            if key not in known:
                raise BadCell(index, step.field, f"{_shown(value)} is neither true nor false")
            return known[key]
    text = value.strip() if isinstance(value, str) else value
    try:
        number = Decimal(text) if isinstance(text, str) else _number(text, index, step.field)
    except DecimalException:
        raise BadCell(index, step.field, f"{_shown(value)} is not a number") from None
    if not number.is_finite():
        raise BadCell(index, step.field, f"{_shown(value)} is not a number")
    if step.to == "integer" and number != number.to_integral_value():
        raise BadCell(index, step.field, f"{_shown(value)} is not a whole number")
    return _json_number(number)


def _aggregate(spec: Aggregate, rows: Sequence[Row]) -> list[Out]:
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(_key([row.get(name) for name in spec.group_by]), []).append(index)
    result: list[Out] = []
    for members in groups.values():
        first = rows[members[0]]
        summary: Row = {name: first.get(name) for name in spec.group_by}
        for metric in spec.metrics:
            summary[metric.column] = _figure(metric, rows, members)
        result.append(Out(None, summary))
    return result


def _figure(metric: Metric, rows: Sequence[Row], members: Sequence[int]) -> JsonValue:
    name = metric.field
    if name is None:
        return len(members)
    present = [i for i in members if rows[i].get(name) is not None]
    match metric.fn:
        case "count":
            return len(present)
        case "count_distinct":
            return len({_key([rows[i][name]]) for i in present})
        case "min" | "max":
            pick = min if metric.fn == "min" else max
            return pick((rows[i][name] for i in present), key=_order_key, default=None)
    total = sum((_number(rows[i][name], i, name) for i in present), Decimal(0))
    if metric.fn == "sum":
        return _json_number(total)
    return _json_number(total / len(present)) if present else None


def _sort(spec: Sort, rows: Sequence[Row]) -> list[Out]:
    order = list(range(len(rows)))
    for level in reversed(spec.by):
        name = level.field
        filled = [i for i in order if rows[i].get(name) is not None]
        empty = [i for i in order if rows[i].get(name) is None]
        filled.sort(key=lambda i, name=name: _order_key(rows[i][name]), reverse=level.descending)  # type: ignore[misc]
        order = filled + empty
    return [Out(i, rows[i]) for i in order]


def _deduplicate(spec: Deduplicate, rows: Sequence[Row]) -> list[Out]:
    kept: dict[str, int] = {}
    for index, row in enumerate(rows):
        key = _key([row.get(name) for name in spec.fields] if spec.fields else row)
        if spec.keep == "last" or key not in kept:
            kept[key] = index
    return [Out(index, rows[index]) for index in sorted(kept.values())]


def _same(left: JsonValue, right: JsonValue) -> bool:
    return _key(left) == _key(right)


def _key(value: JsonValue) -> str:
    """Return text that is equal for equal JSON values; 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(_unified(value), sort_keys=True)


def _unified(value: JsonValue) -> JsonValue:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_unified(item) for item in value]
    if isinstance(value, dict):
        return {key: _unified(item) for key, item in value.items()}
    return value


def _order_key(value: JsonValue) -> tuple[int, Any]:
    """Order values of one type among themselves and types among each other."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 2, value
    return 3, _key(value)


def _number(value: JsonValue, index: int, field: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem = "is missing" if value is None else f"{_shown(value)} is not a number"
        raise BadCell(index, field, problem)
    return Decimal(str(value))


def _json_number(value: Decimal) -> JsonValue:
    if value == value.to_integral_value() and value.adjusted() < _DIGITS:
        return int(value)
    return float(value)


def _plain_text(value: JsonValue) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:60] + "…"
