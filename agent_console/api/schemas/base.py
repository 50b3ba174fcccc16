"""The base of all wire models, instants, and the page block."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import WithJsonSchema

from agent_console.domain.records import Page

T = TypeVar("T")


def instant(value: datetime) -> str:
    """Return ``2026-11-21T07:49:38.123456Z``: always UTC, always microseconds."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text_only(value: object) -> object:
    """Refuse numbers: pydantic would read them as seconds since 1970."""
    if value is not None and not isinstance(value, str | datetime):
        raise ValueError("use an ISO 8601 text such as 2026-11-21T07:49:38Z")
    return value


def _in_our_times(value: datetime) -> datetime:
    """Refuse years at the ends of the calendar, where conversion to UTC would fall off it."""
    if not 1970 <= value.year <= 9998:
        raise ValueError("must be between the years 1970 and 9998")
    return value


_INSTANT_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-11-21T07:49:38.123456Z"],
}
Instant = Annotated[
    datetime, PlainSerializer(instant, return_type=str), WithJsonSchema(_INSTANT_SCHEMA)
]
InstantIn = Annotated[
    AwareDatetime,
    BeforeValidator(_text_only),
    AfterValidator(_in_our_times),
    WithJsonSchema(_INSTANT_SCHEMA),
]
JsonOut = Annotated[Any, Field(description="Any JSON value.")]
"""JSON from the store, already validated when it was written; not walked again."""


def attributes(value: Any) -> dict[str, Any]:
    """Return the attributes of a domain dataclass, children left as they are."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


class Out(BaseModel):
    """An answer, read from a domain value's attributes."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        from_attributes=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


def example(**members: JsonValue) -> ConfigDict:
    """Return the configuration of a request body with an example for the documentation."""
    return ConfigDict(json_schema_extra={"examples": [members]})


class In(BaseModel):
    """A request body; unknown members are refused, so that a typing error is not ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Success(Out):
    """Every answer that is not a problem says so."""

    success: Literal[True] = True


class Pagination(Out):
    """Where this page is. ``total`` is null where counting would cost more than the page.

    ``totalCapped`` says that ``total`` is a floor, not the exact number.
    """

    limit: int
    offset: int
    total: int | None
    total_capped: bool = False
    has_more: bool
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Any]) -> Pagination:
        """Return the block for ``page``."""
        return cls(
            limit=page.limit,
            offset=page.offset,
            total=page.total,
            total_capped=page.total_capped,
            has_more=page.next_cursor is not None,
            next_cursor=page.next_cursor,
        )


class FieldProblem(Out):
    """One refused field."""

    field: str = Field(description="A path such as inputData.files.0.path.")
    message: str


class Problem(Out):
    """Problem details (RFC 9457). Facts such as currentStatus may stand beside these members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:agent-console:problem:conflict"])
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem]
    request_id: str
