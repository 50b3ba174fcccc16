"""How ``data-processing`` is told what to do: declarative, typed, without any code in it.

Each operation has a model; a text is accepted where a short form is natural
(``"amount >= 100"``, ``"-amount, name"``, ``"uppercase"``, ``"sum(amount) by region"``).
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StrictFloat, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from agent_console.handlers.inputs import Spec

Operation = Literal["filter", "transform", "map", "aggregate", "sort", "deduplicate"]
FieldName = Annotated[str, Field(min_length=1, max_length=200)]
Comparison = Literal[
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "starts_with", "ends_with", "exists"
]


class Condition(Spec):
    """``field op value``; ``in`` takes a list, ``exists`` takes true or false."""

    field: FieldName
    op: Comparison
    value: JsonValue = None

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        if self.op == "in" and not isinstance(self.value, list):
            raise ValueError("the value of 'in' must be a list")
        if self.op in {"contains", "starts_with", "ends_with"} and not isinstance(self.value, str):
            raise ValueError(f"the value of {self.op!r} must be text")
        if self.op == "exists" and self.value is not None and not isinstance(self.value, bool):
            raise ValueError("the value of 'exists' must be true or false")
        return self


class Filter(Spec):
    """Keep the rows for which all, or any, of the conditions hold."""

    where: list[Condition] = Field(min_length=1, max_length=20)
    match: Literal["all", "any"] = "all"


class Rename(Spec):
    """Give a field another name, in place."""

    op: Literal["rename"]
    field: FieldName
    to: FieldName


class Pick(Spec):
    """Keep only, or drop, the fields named."""

    op: Literal["keep", "drop"]
    fields: list[FieldName] = Field(min_length=1, max_length=100)


class Put(Spec):
    """Set a field of every row, or only where it is missing or null (``default``)."""

    op: Literal["set", "default"]
    field: FieldName
    value: JsonValue


class Text(Spec):
    """Change texts of the fields named; without names, every text of the row."""

    op: Literal["uppercase", "lowercase", "titlecase", "trim"]
    fields: list[FieldName] = Field(default_factory=list, max_length=100)


class Operand(Spec):
    """Another field of the same row as the second operand."""

    field: FieldName


class Arithmetic(Spec):
    """``into = field op by``; ``by`` is a number or another field; ``into`` defaults to field."""

    op: Literal["add", "subtract", "multiply", "divide"]
    field: FieldName
    by: StrictInt | StrictFloat | Operand
    into: FieldName | None = None


class Round(Spec):
    """Round a number half to even at ``digits`` after the point."""

    op: Literal["round"]
    field: FieldName
    digits: int = Field(default=0, ge=0, le=15)


class Convert(Spec):
    """Turn a field into another type."""

    op: Literal["convert"]
    field: FieldName
    to: Literal["number", "integer", "text", "boolean"]


class Join(Spec):
    """Put the texts of several fields into one."""

    op: Literal["join"]
    fields: list[FieldName] = Field(min_length=1, max_length=20)
    into: FieldName
    separator: str = Field(default=" ", max_length=20)


Step = Annotated[
    Rename | Pick | Put | Text | Arithmetic | Round | Convert | Join, Field(discriminator="op")
]


class Transform(Spec):
    """Steps applied to every row, in order."""

    steps: list[Step] = Field(min_length=1, max_length=20)


class Metric(Spec):
    """A figure of a group; only ``count`` may do without a field."""

    fn: Literal["count", "count_distinct", "sum", "avg", "min", "max"]
    field: FieldName | None = None
    name: FieldName | None = Field(default=None, alias="as")

    @property
    def column(self) -> str:
        """The field the figure is put into."""
        return self.name or (f"{self.fn}_{self.field}" if self.field else self.fn)

    @model_validator(mode="after")
    def _field_given(self) -> Metric:
        if self.fn != "count" and self.field is None:
            raise ValueError(f"{self.fn!r} needs a field")
        return self


class Aggregate(Spec):
    """One row per group, in order of first appearance; without groupBy, one row in all."""

    group_by: list[FieldName] = Field(default_factory=list, max_length=10)
    metrics: list[Metric] = Field(min_length=1, max_length=20)


class SortKey(Spec):
    """One level of the order; null and missing come last either way."""

    field: FieldName
    descending: bool = False


class Sort(Spec):
    """Order rows by the keys; equal rows keep their order."""

    by: list[SortKey] = Field(min_length=1, max_length=10)


class Deduplicate(Spec):
    """Keep one of the rows that agree in the fields (none named: in everything)."""

    fields: list[FieldName] = Field(default_factory=list, max_length=100)
    keep: Literal["first", "last"] = "first"


AnySpec = Filter | Transform | Aggregate | Sort | Deduplicate

SPECS: dict[str, type[Filter | Transform | Aggregate | Sort | Deduplicate]] = {
    "filter": Filter,
    "transform": Transform,
    "map": Transform,
    "aggregate": Aggregate,
    "sort": Sort,
    "deduplicate": Deduplicate,
}

_SYMBOLS = {"=": "eq", "==": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_CONDITION = re.compile(r"\s*([^\s<>=!]{1,200})\s*(==|=|!=|<=|>=|<|>)\s*(.{1,1000}?)\s*", re.DOTALL)
_METRIC = re.compile(r"\s*([a-z_]{1,20})\(\s*([^()]{0,200}?)\s*\)\s*")


def parse_spec(operation: str, raw: JsonValue) -> AnySpec:
    """Return the instruction of ``operation``; ``raw`` is its object, list or short text.

    Raises:
        ValueError: it does not say what to do; pydantic's own names the field.
    """
    if raw is None:
        raw = "" if operation == "deduplicate" else {}
    if isinstance(raw, str):
        raw = _expand(operation, raw.strip())
    elif isinstance(raw, list):
        raw = {_LISTS.get(operation, "fields"): raw}
    return SPECS[operation].model_validate(raw)


_LISTS = {
    "filter": "where",
    "transform": "steps",
    "map": "steps",
    "aggregate": "metrics",
    "sort": "by",
}


def _expand(operation: str, text: str) -> JsonValue:
    match operation:
        case "filter":
            return {"where": [_condition(text)]}
        case "transform" | "map":
            return {"steps": [{"op": name} for name in _names(text)]}
        case "aggregate":
            return _aggregate(text)
        case "sort":
            keys: list[JsonValue] = [
                {"field": name.removeprefix("-"), "descending": name.startswith("-")}
                for name in _names(text)
            ]
            return {"by": keys}
        case _:
            return {"fields": list[JsonValue](_names(text))}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _condition(text: str) -> JsonValue:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise _short_form(text, "amount >= 100")
    field, symbol, value = match.groups()
    try:
        parsed: JsonValue = json.loads(value)
    except ValueError:
        parsed = value.strip("'\"")
    return {"field": field, "op": _SYMBOLS[symbol], "value": parsed}


def _aggregate(text: str) -> JsonValue:
    head, _, groups = text.partition(" by ")
    metrics: list[JsonValue] = []
    for part in _names(head):
        match = _METRIC.fullmatch(part)
        if match is None:
            raise _short_form(text, "sum(amount), count() by region")
        metrics.append({"fn": match[1], "field": match[2] or None})
    return {"metrics": metrics, "groupBy": list[JsonValue](_names(groups))}


def _short_form(text: str, example: str) -> PydanticCustomError:
    return PydanticCustomError(
        "short_form",
        "{text} is not understood; write for example {example}, or an object",
        {"text": repr(text[:100]), "example": repr(example)},
    )
