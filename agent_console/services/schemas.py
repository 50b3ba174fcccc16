"""What a reviewer gives, an edit or an answer, held against the JSON Schema of who asked."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.jobs import Json

MAX_ERRORS = 20


def check(field: str, given: Json, schema: dict[str, Any]) -> None:
    """Refuse what does not fit ``schema``; errors name the place below ``field``.

    Formats such as ``date`` and ``uuid`` are looked at too.

    Raises:
        Invalid: it does not fit, or the schema is none.
    """
    try:
        problems = _first_problems(field, given, schema)
    except SchemaError as error:
        raise Invalid.field(field, f"the handler's schema is broken: {error.message}") from None
    if problems:
        raise Invalid(fields=problems)


def _first_problems(field: str, given: Json, schema: dict[str, Any]) -> list[FieldError]:
    Draft202012Validator.check_schema(schema)
    known = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found: list[FieldError] = []
    error: ValidationError
    for error in known.iter_errors(given):
        place = ".".join([field, *map(str, error.absolute_path)])
        found.append(FieldError(place, error.message[:500]))
        if len(found) == MAX_ERRORS:
            break
    return found
