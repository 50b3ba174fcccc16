"""What kind of answer a handler wants: its JSON Schema, and the typed value of what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, check_json, in_order
from agent_console.runtime.errors import NonRetryable
from agent_console.runtime.registry import field_errors

MAX_CHOICES = 100
MAX_CHOICE = 500  # characters
REMEMBERED = 256  # kinds of answers whose schemas are kept


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of answer; ``schema`` is JSON text, its members in the order of the model's."""

    adapter: TypeAdapter[Any]
    schema: str

    def plain(self, default: object) -> str | None:
        """Return a default answer as canonical JSON; None: there is none.

        Raises:
            Invalid: it is no such answer, or cannot be stored.
        """
        if default is None:
            return None
        try:
            valid = self.adapter.validate_python(default)
        except ValidationError as error:
            raise Invalid(fields=field_errors(error, "default")) from None
        data = self.adapter.dump_python(valid, mode="json", by_alias=True)
        check_json(data, "default")
        if data is None:
            raise Invalid.field("default", "becomes null, which is no answer.")
        return canonical(data)

    def read(self, text: str) -> Any:
        """Return the answer in ``text`` as the handler wants it.

        Raises:
            NonRetryable: it fits the schema, but not what only the model's own code can say.
        """
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            first = field_errors(error, "answer")[0]
            message = f"The answer is none after all: {first.field}: {first.message}"
            raise NonRetryable(message) from None


def wanted(answer: Any, choices: Sequence[str], *, several: bool) -> Wanted:
    """Return the kind of answer: of a type or model, or one or more of ``choices``.

    Raises:
        Invalid: neither or both are given, or the choices are none.
    """
    if (answer is None) == (not choices):
        raise Invalid.field("answer", "say either `answer` or `choices`.")
    if several and not choices:
        raise Invalid.field("several", "goes with `choices`.")
    return _of_type(answer) if answer is not None else _of_choices(tuple(choices), several=several)


@lru_cache(maxsize=REMEMBERED)
def _of_type(answer: Any) -> Wanted:
    adapter: TypeAdapter[Any] = TypeAdapter(answer)
    return Wanted(adapter, _schema(adapter))


@lru_cache(maxsize=REMEMBERED)
def _of_choices(choices: tuple[str, ...], *, several: bool) -> Wanted:
    _check(choices)
    one: Any = Literal[choices]
    kind = Annotated[list[one], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
    adapter: TypeAdapter[Any] = TypeAdapter(kind if several else one)
    return Wanted(adapter, _schema(adapter, {} if several else {"type": "string"}))


def _check(choices: tuple[Json, ...]) -> None:
    if not 2 <= len(choices) <= MAX_CHOICES:
        raise Invalid.field("choices", f"must be 2 to {MAX_CHOICES}.")
    for number, one in enumerate(choices):
        if not isinstance(one, str) or not one.strip() or len(one) > MAX_CHOICE:
            message = f"must be a text of 1 to {MAX_CHOICE} characters."
            raise Invalid.field(f"choices.{number}", message)
        check_json(one, f"choices.{number}")
        if one in choices[:number]:
            raise Invalid.field(f"choices.{number}", "is there already.")


def _schema(adapter: TypeAdapter[Any], more: dict[str, Json] | None = None) -> str:
    schema = {**adapter.json_schema(by_alias=True), **(more or {})}
    check_json(schema, "answer")
    return in_order(schema)  # its order is that of the form
